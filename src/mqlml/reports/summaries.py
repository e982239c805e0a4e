"""Counts by group, each rate with its interval, for the bands, grades and personas of a page."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.metrics import wilson_interval


def rate_frame(groups: npt.ArrayLike, labels: npt.ArrayLike) -> pd.DataFrame:
    """Return group, leads, known, conversions, rate, low, high; one row per group, sorted.

    A missing label (an immature point) counts among `leads`, not among `known`;
    rates and their 95 % intervals are of the known ones, NaN where there are none.
    """
    table = pd.DataFrame(
        {"group": np.asarray(groups, object), "label": np.asarray(labels, np.float64)}
    )
    by = table.groupby("group", sort=True)["label"]
    counted = by.agg(leads="size", known="count", conversions="sum").reset_index()
    known = counted["known"].to_numpy(np.float64)
    known = np.where(known > 0, known, np.nan)
    rate = counted["conversions"].to_numpy(np.float64) / known
    low, high = wilson_interval(rate, known)
    return counted.assign(rate=rate, low=low, high=high)


def found_at(gains: pd.DataFrame, share: float) -> float:
    """Return the share of conversions among the top `share` of leads; NaN if not given."""
    near = gains.loc[np.isclose(gains["share"], share), "found"]
    return float(near.iloc[0]) if len(near) else float("nan")
