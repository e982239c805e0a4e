"""How the probability moves with one column, all others as they are (Friedman 2001).

Every value of a grid is put into the rows of some leads; the mean over them is the partial
dependence, and how much single leads differ (individual conditional expectation, Goldstein
and others 2015) is shown by their middle four fifths. A value that few leads have is marked:
there the model guesses. It is how the model reacts, not what would happen to a lead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.features.plan import Plan
from mqlml.modeling.importance import Floats
from mqlml.modeling.model import Model

MISSING = "missing"
_LEADS = 120
_QUANTILES = (0.0, 0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.98, 1.0)
_MOST_LEVELS = 8
_OF_LEADS = (0.1, 0.9)
# A value with fewer rows around it is outside what the model has learnt from.
FEWEST_ROWS = 20
COLUMNS = ("column", "value", "rows", "is_supported", "mean", "low", "high")


@dataclass(frozen=True)
class _Grid:
    """The values to try, what each is called, and how many rows lie nearest to it."""

    tried: tuple[object, ...]
    names: tuple[str, ...]
    rows: tuple[int, ...]


def partial_dependence(
    model: Model, matrix: pd.DataFrame, plan: Plan, columns: Sequence[str], *, seed: int
) -> pd.DataFrame:
    """Return COLUMNS, one row per column and value of its grid, in the grid's order.

    `mean` is over 120 leads drawn by seed, `low` and `high` span four fifths of them. A number's
    grid are quantiles of its known values, a category's its most frequent levels; where
    values are missing, missing is the last. A column that never varies has no rows.
    """
    count = min(_LEADS, len(matrix))
    drawn = np.random.default_rng(seed).choice(len(matrix), count, replace=False)
    leads = matrix.iloc[np.sort(drawn)].reset_index(drop=True)
    frames = [_of_column(model, leads, name, _grid(matrix[name], name, plan)) for name in columns]
    return pd.concat([*frames, pd.DataFrame(columns=list(COLUMNS))[:0]], ignore_index=True)


def _of_column(model: Model, leads: pd.DataFrame, name: str, grid: _Grid) -> pd.DataFrame:
    if len(grid.tried) < 2:
        return pd.DataFrame()
    dtype = leads[name].dtype
    rows = [
        leads.assign(**{name: pd.Series([value] * len(leads), dtype=dtype)}) for value in grid.tried
    ]
    said = model.probability(pd.concat(rows, ignore_index=True)).reshape(len(rows), len(leads))
    low, high = np.quantile(said, _OF_LEADS, axis=1)
    return pd.DataFrame(
        {
            "column": name,
            "value": grid.names,
            "rows": grid.rows,
            "is_supported": [rows >= FEWEST_ROWS for rows in grid.rows],
            "mean": said.mean(axis=1),
            "low": low,
            "high": high,
        }
    )


def _grid(values: "pd.Series[Any]", name: str, plan: Plan) -> _Grid:
    is_number = plan.describe(name).dtype == "number"
    pairs = list(_numbers(values) if is_number else _levels(values))
    missing = int(values.isna().sum())
    if missing:
        pairs.append((np.nan if is_number else None, MISSING, missing))
    return _Grid(*zip(*pairs, strict=True)) if pairs else _Grid((), (), ())


def _numbers(values: "pd.Series[Any]") -> Iterator[tuple[object, str, int]]:
    known = values.dropna().to_numpy(np.float64)
    if not len(known):
        return
    grid = np.unique(np.quantile(known, _QUANTILES, method="nearest"))
    counts = np.bincount(_nearest(grid, known), minlength=len(grid))
    for value, rows in zip(grid, counts, strict=True):
        yield float(value), f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}", int(rows)


def _nearest(grid: Floats, known: Floats) -> "np.ndarray[Any, np.dtype[np.int64]]":
    middles = (grid[1:] + grid[:-1]) / 2
    return np.searchsorted(middles, known, side="left").astype(np.int64)


def _levels(values: "pd.Series[Any]") -> Iterator[tuple[object, str, int]]:
    counts = values.dropna().astype("str").value_counts().sort_index(kind="stable")
    for level, rows in counts.nlargest(_MOST_LEVELS, keep="first").items():
        yield str(level), str(level), int(rows)
