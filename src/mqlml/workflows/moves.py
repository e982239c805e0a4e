"""Who enters and who leaves the MQL list when one model takes the place of another, and why."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.criteria.decide import Outcome, decide
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.matrix import BASE
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.workflows.challenge import Occasion, recent_rows
from mqlml.workflows.history import Past
from mqlml.workflows.learning import Learnt

_WHY = 2


@dataclass(frozen=True)
class _Side:
    """A model, and the same leads' features by its plan."""

    bundle: Bundle
    matrix: pd.DataFrame

    def taken(self, rows: npt.NDArray[np.intp]) -> "_Side":
        return _Side(self.bundle, self.matrix.iloc[rows].reset_index(drop=True))


def moved_leads(occasion: Occasion, after: Bundle, past: Past, tables: Tables) -> pd.DataFrame:
    """Return leads of the latest weeks that enter or leave, the largest change first.

    Columns: lead_id, way ("enters", "leaves"), before, after (probabilities), why (the sentences
    of what weighs most in the difference). Both models read the same plan.
    """
    rows = _latest_looks(past.points)
    before = _Side(occasion.champion.bundle, past.matrix).taken(rows)
    points = past.points.iloc[rows].reset_index(drop=True)
    return _moved(occasion, tables, points, before, _Side(after, before.matrix))


def moved_by_tournament(occasion: Occasion, learnt: Learnt, past: Past) -> pd.DataFrame:
    """Return what `moved_leads` does of a challenger that may read another plan."""
    dataset = learnt.dataset
    rows = _latest_looks(dataset.points)
    looks = dataset.points.iloc[rows][["lead_id", "as_of"]]
    known = past.points[["lead_id", "as_of"]].assign(old=np.arange(len(past.points)))
    old = looks.merge(known, how="left", on=["lead_id", "as_of"])["old"].to_numpy(np.float64)
    is_known = ~np.isnan(old)
    rows, old_rows = rows[is_known], old[is_known].astype(np.intp)
    before = _Side(occasion.champion.bundle, past.matrix).taken(old_rows)
    after = _Side(learnt.bundle, dataset.matrix).taken(rows)
    points = dataset.points.iloc[rows].reset_index(drop=True)
    return _moved(occasion, learnt.tables, points, before, after)


def _latest_looks(points: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return the last row of each lead of the latest weeks."""
    rows = recent_rows(points)
    last = ~points["lead_id"].iloc[rows].duplicated(keep="last").to_numpy()
    return np.asarray(rows[last], dtype=np.intp)


def _moved(
    occasion: Occasion, tables: Tables, points: pd.DataFrame, before: _Side, after: _Side
) -> pd.DataFrame:
    sides = (before, after)
    looked = rule_rows(tables, points, after.matrix)
    criteria = occasion.project.settings.criteria
    said = [side.bundle.model.probability(side.matrix) for side in sides]
    limits = [float(side.bundle.facts["mql_probability"]) for side in sides]
    is_mql = [
        (decide(p, looked, criteria, limit)["outcome"] == Outcome.MQL).to_numpy()
        for p, limit in zip(said, limits, strict=True)
    ]
    moved = np.flatnonzero(is_mql[0] != is_mql[1])
    frame = pd.DataFrame(
        {
            "lead_id": points["lead_id"].to_numpy()[moved],
            "way": np.where(is_mql[1][moved], "enters", "leaves"),
            "before": said[0][moved],
            "after": said[1][moved],
            "why": _reasons(*(side.taken(moved) for side in sides)),
        }
    )
    frame["size"] = (frame["after"] - frame["before"]).abs()
    ranked = frame.sort_values(["size", "lead_id"], ascending=[False, True], kind="stable")
    return ranked.drop(columns="size").reset_index(drop=True)


def _reasons(before: _Side, after: _Side) -> list[str]:
    """Return per row the sentences of the columns that the two models weigh most differently."""
    if after.matrix.empty:
        return []
    old, new = (s.bundle.model.contributions(s.matrix).drop(columns=BASE) for s in (before, after))
    names = list(dict.fromkeys((*new.columns, *old.columns)))
    # What a model does not read weighs nothing with it.
    whole = [frame.reindex(columns=names, fill_value=0.0) for frame in (old, new)]
    apart = (whole[1] - whole[0]).to_numpy(np.float64)
    order = np.argsort(-np.abs(apart), axis=1, kind="stable")[:, :_WHY]
    told = {i.column: i.sentence for side in (before, after) for i in side.bundle.plan.infos}
    return [
        "; ".join(
            f"{told[names[j]]} counts {'more' if apart[i, j] > 0 else 'less'}"
            for j in order[i]
            if apart[i, j] != 0
        )
        or "the threshold moved"
        for i in range(len(apart))
    ]
