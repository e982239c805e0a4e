"""Scored rows as directions: columns of numbers along which residuals may lean."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.monitoring.evidence import Floats, Ints

WITHIN = ": score"
_LEAST_SEGMENT = 0.08
_TINY = 1e-9


def axis_directions(scores: pd.DataFrame, rows: Ints) -> pd.DataFrame:
    """Return level, fit and engagement per scored row, the parts standardised over `rows`."""
    parts = {
        axis: standardised(scores[f"{axis}_part"].to_numpy(dtype=np.float64), rows)
        for axis in ("fit", "engagement")
    }
    return pd.DataFrame({"level": np.ones(len(scores)), **parts})


def watched_directions(
    scores: pd.DataFrame, matrix: pd.DataFrame, segments: Mapping[str, Sequence[Any]], rows: Ints
) -> pd.DataFrame:
    """Return what outcomes are watched along: level, score, its parts, segments, score in each.

    `segments` are the frequent levels of a few categories; a segment that holds nearly all
    leads or nearly none is left out.
    """
    made = axis_directions(scores, rows)
    p = np.clip(scores["probability"].to_numpy(dtype=np.float64), _TINY, 1.0 - _TINY)
    score = standardised(np.log(p / (1.0 - p)), rows)
    made.insert(1, "score", score)
    for column, levels in segments.items():
        values = matrix[column]
        for level in levels:
            inside: npt.NDArray[np.bool_] = np.asarray(values == level, dtype=bool)
            share = float(inside[rows].mean()) if len(rows) else 0.0
            if _LEAST_SEGMENT <= share <= 1.0 - _LEAST_SEGMENT:
                made[segment_name(column, level)] = standardised(inside.astype(float), rows)
                made[segment_name(column, level) + WITHIN] = np.where(inside, score, 0.0)
    return made


def segment_name(column: str, level: Any) -> str:
    """Return a segment as a condition.

    >>> segment_name("country", "UK")
    "country = 'UK'"
    """
    return f"{column} = '{level}'"


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
