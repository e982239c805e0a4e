"""Past points as the champion scores them, beside what became of them since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.config import Settings
from mqlml.dataset.labels import FLAT_OUTCOME, days_to_micros
from mqlml.dataset.points import training_points
from mqlml.modeling.grades import GradeCuts
from mqlml.monitoring.evidence import Reference, ScoredHistory, micros_of
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.champion import Loaded
from mqlml.workflows.routing import as_they_were_routed

NO_GROUPS: Mapping[str, npt.NDArray[Any]] = {}
# An undated outcome is told at the point itself: the shortest horizon there is.
_AT_ONCE = 1


@dataclass(frozen=True)
class Past:
    """Every point of the tables with features and the champion's score, row by row."""

    points: pd.DataFrame
    matrix: pd.DataFrame
    scores: pd.DataFrame


def past_of(settings: Settings, tables: Tables, loaded: Loaded) -> Past:
    """Return all points up to the tables' end as `loaded` scores them.

    `scores` has lead_id, as_of (microseconds), probability, grade, fit_part and
    engagement_part. A champion that learnt who was handed over says what was to be expected
    of leads as they were routed.
    """
    points = training_points(tables, settings.target, settings.points)
    matrix = make_engine(settings.engine).compute(tables, points, loaded.bundle.plan)
    model, told = as_they_were_routed(loaded.bundle, tables, points, matrix)
    parts = model.parts(told)
    grades = GradeCuts.from_json(loaded.bundle.facts["grade_cuts"]).grades(parts)
    log_odds = parts.sum(axis=1).to_numpy(np.float64)
    scores = pd.DataFrame(
        {
            "lead_id": points["lead_id"],
            "as_of": points["as_of"],
            "probability": 1.0 / (1.0 + np.exp(-log_odds)),
            "grade": grades.to_numpy(),
            "fit_part": parts["fit"].to_numpy(),
            "engagement_part": parts["engagement"].to_numpy(),
        }
    )
    return Past(points, matrix, scores)


def history_of(
    settings: Settings,
    tables: Tables,
    loaded: Loaded,
    past: Past,
    groups: Mapping[str, npt.NDArray[Any]] = NO_GROUPS,
) -> ScoredHistory:
    """Return the past as monitoring looks at it; points of unknown outcome are left out.

    `groups` say by name which group each row of the past belongs to.
    """
    points, matrix, scores = past.points, past.matrix, past.scores
    converted_at = points["converted_at"].to_numpy(np.int64)
    horizon = days_to_micros(settings.target.horizon_days or 0)
    if settings.target.stage == FLAT_OUTCOME:
        known = np.flatnonzero(points["label"].notna())
        groups = {name: members[known] for name, members in groups.items()}
        points, matrix, scores = (
            frame.iloc[known].reset_index(drop=True) for frame in (points, matrix, scores)
        )
        as_of = points["as_of"].to_numpy(np.int64)
        converted_at = np.where(points["label"] == 1, as_of, timeline.NEVER)
        horizon = horizon or _AT_ONCE
    return ScoredHistory(
        scores=scores,
        matrix=matrix,
        converted_at=converted_at,
        verdicts=tables.verdicts,
        horizon=horizon,
        data_end=tables.data_end,
        learnt_until=int(loaded.bundle.facts["last_labelled_as_of"]) + 1,
        handed_at=_handed_at(tables, scores["lead_id"]),
        stages=tables.stages,
        groups=groups,
    )


def _handed_at(tables: Tables, lead_ids: "pd.Series[Any]") -> npt.NDArray[np.int64] | None:
    """Return when each row's lead was first handed over; None if nobody keeps handovers."""
    if tables.handovers.empty:
        return None
    at = pd.Series(micros_of(tables.handovers["at"]), index=tables.handovers["lead_id"])
    first = at.groupby(level=0).min()
    found = lead_ids.map(first).to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.nan_to_num(found).astype(np.int64)
    return np.where(np.isnan(found), timeline.NEVER, known)


def reference_of(loaded: Loaded) -> Reference:
    """Return what the champion learnt from, as monitoring compares with it."""
    return Reference(loaded.bundle.plan, loaded.bundle.facts)
