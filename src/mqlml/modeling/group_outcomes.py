"""How groups of people fare: what became of them, what was promised, who went to sales."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.contestants.contestant import Floats
from mqlml.modeling.metrics import wilson_interval

SMALL = "(small groups)"
MISSING = "(missing)"
FEWEST_LEADS = 30
_BANDS = 4
_MOST_GROUPS = 12


@dataclass(frozen=True)
class Judged:
    """Rows that a model had not seen: label, probability, whether it is for sales, whose it is."""

    labels: Floats
    probability: Floats
    is_mql: npt.NDArray[np.bool_]
    leads: npt.NDArray[np.object_]


def group_outcomes(values: "pd.Series[Any]", judged: Judged) -> pd.DataFrame:
    """Return one row per group of `values`, numbers in up to four bands of equal size.

    Groups of fewer than 30 leads, and those beyond the twelve largest, are one group; if
    that is still too small, it is left out, so that nobody is recognised.

    Returns:
        group, leads, rate, low, high (conversion rate with its 95 % interval, Wilson, by
        leads), promised (mean probability), mql_share, mql_low, mql_high.
    """
    frame = pd.DataFrame(
        {
            "group": _folded(named_groups(values), judged.leads),
            "lead": judged.leads,
            "rate": judged.labels,
            "promised": judged.probability,
            "mql_share": judged.is_mql.astype(np.float64),
        }
    )
    by = frame.groupby("group", sort=True)
    found = by.agg(leads=("lead", "nunique"), **{n: (n, "mean") for n in _MEANS})
    found = found[found["leads"] >= FEWEST_LEADS]
    counts = found["leads"].to_numpy(np.float64)
    low, high = wilson_interval(found["rate"].to_numpy(), counts)
    mql_low, mql_high = wilson_interval(found["mql_share"].to_numpy(), counts)
    found = found.assign(low=low, high=high, mql_low=mql_low, mql_high=mql_high)
    return _in_order(found.reset_index(), values)[list(_COLUMNS)]


_MEANS = ("rate", "promised", "mql_share")
_COLUMNS = (
    "group",
    "leads",
    "rate",
    "low",
    "high",
    "promised",
    "mql_share",
    "mql_low",
    "mql_high",
)


def named_groups(values: "pd.Series[Any]") -> npt.NDArray[np.object_]:
    """Return the name of each value's group: its text, or the band that a number lies in."""
    if not pd.api.types.is_float_dtype(values.dtype):
        texts = values.astype("object").where(values.notna(), MISSING).astype("str")
        return np.asarray(texts.to_numpy(dtype=object))
    numbers = values.to_numpy(np.float64)
    edges = _edges(numbers)
    names = [*_band_names(edges), MISSING]
    band = np.searchsorted(edges, numbers, side="left")
    band[np.isnan(numbers)] = len(names) - 1
    return np.array(names, dtype=object)[band]


def _edges(numbers: Floats) -> Floats:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return np.zeros(0)
    edges = np.unique(np.quantile(known, np.arange(1, _BANDS) / _BANDS, method="lower"))
    return np.asarray(edges[edges < known.max()], dtype=np.float64)


def _band_names(edges: Floats) -> list[str]:
    if not len(edges):
        return ["all"]
    texts = [f"{edge:g}" for edge in edges]
    between = [f"over {a} to {b}" for a, b in pairwise(texts)]
    return [f"up to {texts[0]}", *between, f"over {texts[-1]}"]


def _folded(
    names: npt.NDArray[np.object_], leads: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    sizes = pd.Series(leads).groupby(names).nunique().sort_index(kind="stable")
    large = sizes[sizes >= FEWEST_LEADS].nlargest(_MOST_GROUPS, keep="first").index
    return np.where(np.isin(names.astype(str), list(large)), names, SMALL)


def _in_order(found: pd.DataFrame, values: "pd.Series[Any]") -> pd.DataFrame:
    """Return bands from the lowest, other groups from the largest, leftovers last."""
    if pd.api.types.is_float_dtype(values.dtype):
        names = _band_names(_edges(values.to_numpy(np.float64)))
        place = {name: i for i, name in enumerate(names)}
        key = found["group"].map(lambda name: place.get(name, len(place)))
    else:
        key = -found["leads"]
    is_rest = found["group"].isin([SMALL, MISSING])
    order = np.lexsort((found["group"].to_numpy(str), key.to_numpy(), is_rest.to_numpy()))
    return found.iloc[order].reset_index(drop=True)
