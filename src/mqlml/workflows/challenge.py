"""A challenger and what it is judged by: common to every way of learning again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.config import Settings
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.matrix import BASE
from mqlml.modeling.model import Model
from mqlml.monitoring.promotion import Decision, Sides
from mqlml.monitoring.retraining import Request, Treatment
from mqlml.reports.words import day
from mqlml.scoring.personas import personas_of
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.workflows.campaigns import campaign_of
from mqlml.workflows.champion import Loaded
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import Campaign

Rows = npt.NDArray[np.intp]

_RECENT_WEEKS = 4
_MOST_ROWS = 2_000


@dataclass(frozen=True)
class Occasion:
    """Why there is a challenger: project, champion, reason and treatment, as of when, by seed."""

    project: Project
    champion: Loaded
    request: Request
    treatment: Treatment
    moment: int
    seed: int

    @property
    def campaign(self) -> "Campaign | None":
        """Return the campaign of the change for which there is a challenger."""
        change, version = self.request.change, self.champion.version
        return campaign_of(self.project, change, version=version, as_of=self.moment)

    def tags(self, decision: Decision) -> dict[str, str]:
        """Return what the record in MLflow says of it beside the training's own."""
        change, figures = self.request.change, decision.figures
        told = {
            "why": self.request.why,
            "approach": self.treatment.approach,
            "from_version": self.champion.version,
            "decided": decision.why,
            "decided_by": "a person is asked" if decision.asks else "mqlml",
            "change_kind": "" if change is None else change.kind,
            "change_since": "" if change is None or change.since is None else day(change.since),
            "standard_errors": f"{figures['z']:.2f}" if "z" in figures else "",
        }
        return {name: text for name, text in told.items() if text}


def recent_rows(points: pd.DataFrame) -> Rows:
    """Return the rows of the latest four weeks, at most two thousand, evenly taken."""
    as_of = points["as_of"].to_numpy(np.int64)
    start = int(as_of.max(initial=0)) - _RECENT_WEEKS * timeline.MICROS_PER_WEEK
    rows = np.flatnonzero(timeline.is_from(as_of, start))
    return rows[:: max(1, -(-len(rows) // _MOST_ROWS))]


def sides_of(
    champion: Bundle, challenger: Bundle, *, old: pd.DataFrame, new: pd.DataFrame
) -> Sides:
    """Return what both say of the latest leads; `old` and `new` are their features by each plan."""
    return Sides(
        champion_threshold=float(champion.facts["mql_probability"]),
        challenger_threshold=float(challenger.facts["mql_probability"]),
        champion_recent=champion.model.probability(old),
        challenger_recent=challenger.model.probability(new),
        champion_weights=weights_of(champion.model, old),
        challenger_weights=weights_of(challenger.model, new),
    )


def weights_of(model: Model, matrix: pd.DataFrame) -> dict[str, float]:
    """Return each column's mean absolute contribution over the rows."""
    said = model.contributions(matrix).drop(columns=BASE)
    away = (said - said.mean()).abs().mean()
    return {str(name): float(value) for name, value in away.items()}


def persona_rows(
    settings: Settings, tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame
) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Return by persona which points are its leads'."""
    if not settings.personas or points.empty:
        return {}
    names = personas_of(rule_rows(tables, points, matrix), settings.personas).to_numpy()
    return {name: names == name for name in sorted({str(n) for n in names})}
