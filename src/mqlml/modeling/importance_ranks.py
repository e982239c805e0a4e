"""How surely a column is the first, the fifth or the tenth that a model leans on.

A bar of importance says what one model leans on. Columns that tell nearly the same
take turns: with slightly other leads the second is the first. The model is therefore
learnt again from leads drawn with replacement (the bootstrap, Efron 1979), and each
column gets the range of ranks that it then had.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd

from mqlml.modeling.contestants.contestant import Contestant, Floats, Setting
from mqlml.modeling.search import Material, Rows

_REPEATS = 20
_RANGE = (0.05, 0.95)
_MOST_ROWS = 4_000
_EXPLAINED_ROWS = 500


def rank_ranges(
    contestant: Contestant, setting: Setting, material: Material, *, jobs: int = 1
) -> pd.DataFrame:
    """Return column, rank_low and rank_high: the 90 % range of ranks of twenty re-learnings.

    Ranks are by mean size of the contributions, 1 the strongest; equal columns (those
    never used) share the mean of their ranks. Of many rows 4,000 are drawn, whole leads
    together: the ranges are then wider than those of all rows. Equal arguments give equal ranges.
    """
    generator = np.random.default_rng(material.seed)
    rows = _some_leads(np.flatnonzero(~np.isnan(material.labels)), material, generator)
    # Drawn one after the other, so that how many are learnt at once changes nothing.
    samples = [_drawn(rows, material, generator) for _ in range(_REPEATS)]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        ranks = list(pool.map(partial(_ranks, contestant, setting, material), samples))
    low, high = np.quantile(np.array(ranks), _RANGE, axis=0, method="nearest")
    return pd.DataFrame({"column": material.shape.columns, "rank_low": low, "rank_high": high})


def _some_leads(rows: Rows, material: Material, generator: np.random.Generator) -> Rows:
    if len(rows) <= _MOST_ROWS:
        return rows
    leads = np.unique(material.leads[rows])
    count = max(1, len(leads) * _MOST_ROWS // len(rows))
    kept = generator.choice(leads, count, replace=False)
    return rows[np.isin(material.leads[rows], kept)]


def _drawn(rows: Rows, material: Material, generator: np.random.Generator) -> Rows:
    """Return the rows of as many leads as there are, drawn with replacement."""
    order = rows[np.argsort(material.leads[rows], kind="stable")]
    leads, starts = np.unique(material.leads[order], return_index=True)
    pieces = np.split(order, starts[1:])
    drawn = np.sort(generator.integers(len(leads), size=len(leads)))
    return np.sort(np.concatenate([pieces[one] for one in drawn]))


def _ranks(contestant: Contestant, setting: Setting, material: Material, rows: Rows) -> Floats:
    learnt = contestant.fit(material.training(rows), setting)
    explained = rows[:: max(1, len(rows) // _EXPLAINED_ROWS)]
    contributions = learnt.contributions(material.matrix.iloc[explained])
    size = contributions.reindex(columns=list(material.shape.columns), fill_value=0.0).abs().mean()
    return np.asarray((-size).rank(method="average").to_numpy(np.float64))
