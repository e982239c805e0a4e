"""Scored rows as directions: columns of numbers along which residuals may lean."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.monitoring.evidence import Floats, Ints


def axis_directions(scores: pd.DataFrame, rows: Ints) -> pd.DataFrame:
    """Return level, fit and engagement per scored row, the parts standardised over `rows`."""
    parts = {
        axis: standardised(scores[f"{axis}_part"].to_numpy(dtype=np.float64), rows)
        for axis in ("fit", "engagement")
    }
    return pd.DataFrame({"level": np.ones(len(scores)), **parts})


def standardised(values: Floats, rows: Ints) -> Floats:
    """Return values with mean 0 and deviation 1 over `rows`, cut at ±3; missing becomes 0."""
    seen = values[rows]
    seen = seen[~np.isnan(seen)]
    if len(seen) == 0 or np.ptp(seen) == 0:
        return np.zeros(len(values))
    centred = (values - seen.mean()) / seen.std()
    return np.asarray(np.nan_to_num(np.clip(centred, -3.0, 3.0)), dtype=np.float64)


def column_directions(
    matrix: pd.DataFrame, categories: tuple[str, ...], rows: Ints
) -> tuple[pd.DataFrame, npt.NDArray[np.object_]]:
    """Return directions made of feature columns, and which column each belongs to.

    A number is ranked into eight steps first, so that tails do not rule; of a
    category each of its five most frequent values is a direction.
    """
    made: dict[str, Floats] = {}
    owners: list[str] = []
    for name in map(str, matrix.columns):
        for label, values in _directions_of(matrix[name], name in categories, rows):
            direction = standardised(values, rows)
            if direction.any():
                made[f"{name}{label}"] = direction
                owners.append(name)
    return pd.DataFrame(made, index=range(len(matrix))), np.array(owners, dtype=object)


def _directions_of(
    column: "pd.Series[Any]", is_category: bool, rows: Ints
) -> list[tuple[str, Floats]]:
    if is_category:
        frequent = column.iloc[rows].value_counts().head(5).index
        return [(f" = {v}", (column == v).to_numpy(dtype=np.float64)) for v in sorted(frequent)]
    values = column.to_numpy(dtype=np.float64)
    known = values[rows]
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return []
    steps = np.searchsorted(
        np.unique(np.quantile(known, np.arange(1, 8) / 8)), values, side="right"
    )
    return [("", np.where(np.isnan(values), np.nan, steps.astype(np.float64)))]
