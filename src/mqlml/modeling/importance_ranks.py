"""How surely a column is the first, the fifth or the tenth that a model leans on.

A bar of importance says what one model leans on. Columns that tell nearly the same
take turns: with slightly other leads the second is the first. Each column therefore
gets the range of ranks that it had when the model was learnt again (`relearning`).
"""

import numpy as np
import pandas as pd

from mqlml.modeling.contestants.contestant import Fitted, Floats
from mqlml.modeling.relearning import Relearnt
from mqlml.modeling.search import Material, Rows

_EXPLAINED_ROWS = 500


def rank_ranges(relearnt: Relearnt, material: Material) -> pd.DataFrame:
    """Return column, rank_low and rank_high: the first and the last of its ranks of re-learnings.

    Their middle nine tenths would hold the true rank less often than in nine cases of ten:
    re-learnings share what shrinkage and repeated columns do to a rank. Ranks are by mean
    size of the contributions, 1 the strongest; equal columns (those never used) share the
    mean of their ranks. Where the re-learnings had only some of the rows, the ranges are
    wider than those of all rows.
    """
    pairs = zip(relearnt.models, relearnt.samples, strict=True)
    ranks = [_ranks(model, material, rows) for model, rows in pairs]
    low, high = np.min(ranks, axis=0), np.max(ranks, axis=0)
    return pd.DataFrame({"column": material.shape.columns, "rank_low": low, "rank_high": high})


def _ranks(learnt: Fitted, material: Material, rows: Rows) -> Floats:
    explained = rows[:: max(1, len(rows) // _EXPLAINED_ROWS)]
    contributions = learnt.contributions(material.matrix.iloc[explained])
    size = contributions.reindex(columns=list(material.shape.columns), fill_value=0.0).abs().mean()
    return np.asarray((-size).rank(method="average").to_numpy(np.float64))
