"""How the training rows were distributed: what monitoring compares the present with."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.features.plan import Plan

Floats = npt.NDArray[np.float64]

_BINS = 10
_SUPPORTED = (0.005, 0.995)
_MOST_LEVELS = 50


def reference_distributions(
    matrix: pd.DataFrame, plan: Plan, *, points: pd.DataFrame, probabilities: Floats
) -> dict[str, Any]:
    """Return JSON values: `columns` by name, `score`, `base_rate`, `weekly`.

    A number column has `edges` (quantiles), `shares` (one more than edges; of known
    values), `missing` (share of rows) and `typical` (the median of known values, None if
    most rows have none) and `supported` (its 0.5 % and 99.5 % quantile, None without a
    known value); a category has `levels`, `shares`, `other`
    and `missing`, all of rows. `weekly` lists [week start in microseconds, labelled
    rows, conversions].
    """
    categories = set(plan.categories)
    return {
        "rows": len(matrix),
        "columns": {
            name: category_reference(matrix[name])
            if name in categories
            else number_reference(matrix[name].to_numpy(np.float64))
            for name in plan.columns
        },
        "score": number_reference(probabilities),
        "base_rate": float(points["label"].mean()),
        "weekly": weekly_rates(points),
    }


def number_reference(values: Floats) -> dict[str, Any]:
    """Return quantile edges and the shares of known values in [edge, next edge)."""
    known = values[~np.isnan(values)]
    missing = 1.0 - len(known) / len(values) if len(values) else 0.0
    if len(known) == 0:
        empty = {"kind": "number", "edges": [], "shares": [], "missing": missing}
        return empty | {"typical": None, "supported": None}
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    shares = counts / len(known)
    return {
        "kind": "number",
        "edges": edges.tolist(),
        "shares": shares.tolist(),
        "missing": missing,
        "typical": float(np.quantile(known, 0.5, method="lower")) if missing < 0.5 else None,
        "supported": [float(q) for q in np.quantile(known, _SUPPORTED, method="nearest")],
    }


def category_reference(values: "pd.Series[Any]") -> dict[str, Any]:
    """Return the 50 most frequent levels with their shares of all rows."""
    counts = values.dropna().astype(str).value_counts()
    ranked = sorted(((-int(n), str(level)) for level, n in counts.items()))[:_MOST_LEVELS]
    rows = max(len(values), 1)
    shares = [-count / rows for count, _ in ranked]
    missing = float(values.isna().sum() / rows)
    return {
        "kind": "category",
        "levels": [level for _, level in ranked],
        "shares": shares,
        "other": max(0.0, 1.0 - missing - sum(shares)) if len(values) else 0.0,
        "missing": missing,
    }


def weekly_rates(points: pd.DataFrame) -> list[list[int]]:
    """Return [week start in microseconds, labelled rows, conversions] in order of time."""
    labelled = points[points["label"].notna()]
    week = labelled["as_of"] // timeline.MICROS_PER_WEEK * timeline.MICROS_PER_WEEK
    found = labelled.groupby(week)["label"].agg(["size", "sum"])
    starts = found.index.to_numpy(np.int64).tolist()
    sizes, sums = found["size"].tolist(), found["sum"].tolist()
    return [
        [start, int(size), int(total)]
        for start, size, total in zip(starts, sizes, sums, strict=True)
    ]
