"""Who enters and who leaves the MQL list when one model takes the place of another, and why."""

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome, decide
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.matrix import BASE
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.workflows.challenge import Occasion, recent_rows
from mqlml.workflows.history import Past

_WHY = 2


def moved_leads(occasion: Occasion, after: Bundle, past: Past, tables: Tables) -> pd.DataFrame:
    """Return leads of the latest weeks that enter or leave, the largest change first.

    Columns: lead_id, way ("enters", "leaves"), before, after (probabilities), why (the sentences
    of what weighs most in the difference). Both models read the same plan.
    """
    rows = recent_rows(past.points)
    points = past.points.iloc[rows].reset_index(drop=True)
    last = points.drop_duplicates("lead_id", keep="last").index.to_numpy()
    points = points.iloc[last].reset_index(drop=True)
    matrix = past.matrix.iloc[rows[last]].reset_index(drop=True)
    looked = rule_rows(tables, points, matrix)
    criteria, before = occasion.project.settings.criteria, occasion.champion.bundle
    said = [bundle.model.probability(matrix) for bundle in (before, after)]
    limits = [float(bundle.facts["mql_probability"]) for bundle in (before, after)]
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
            "why": _reasons(before, after, matrix.iloc[moved].reset_index(drop=True)),
        }
    )
    frame["size"] = (frame["after"] - frame["before"]).abs()
    ranked = frame.sort_values(["size", "lead_id"], ascending=[False, True], kind="stable")
    return ranked.drop(columns="size").reset_index(drop=True)


def _reasons(before: Bundle, after: Bundle, matrix: pd.DataFrame) -> list[str]:
    """Return per row the sentences of the columns that the two models weigh most differently."""
    if matrix.empty:
        return []
    old, new = (b.model.contributions(matrix).drop(columns=BASE) for b in (before, after))
    apart = (new - old).to_numpy(np.float64)
    order = np.argsort(-np.abs(apart), axis=1, kind="stable")[:, :_WHY]
    sentences = [after.plan.describe(str(name)).sentence for name in new.columns]
    return [
        "; ".join(
            f"{sentences[j]} counts {'more' if apart[i, j] > 0 else 'less'}"
            for j in order[i]
            if apart[i, j] != 0
        )
        or "the threshold moved"
        for i in range(len(matrix))
    ]
