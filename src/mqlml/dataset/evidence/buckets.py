"""Any column as a few buckets, and what became of the leads in each, block of time by block."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.evidence.sample import BLOCKS, Numbers, Positions, Sample

QUANTILES = 20
OWN_BUCKET_SHARE = 0.02


@dataclass(frozen=True)
class Buckets:
    """The bucket of each row and the names of the buckets; the last one is "missing"."""

    codes: Positions
    names: tuple[str, ...]

    @property
    def is_missing(self) -> npt.NDArray[np.bool_]:
        """Return which rows have no value."""
        return np.asarray(self.codes == len(self.names) - 1, dtype=bool)


@dataclass(frozen=True)
class Counts:
    """Leads, and converted leads, per block of time (rows) and bucket (columns)."""

    leads: Numbers
    converted: Numbers
    names: tuple[str, ...]

    @property
    def others(self) -> Numbers:
        """Return the leads that did not convert."""
        return self.leads - self.converted

    def filled(self) -> "Counts":
        """Return the counts without the bucket of missing values."""
        return Counts(self.leads[:, :-1], self.converted[:, :-1], self.names[:-1])

    def of_blocks(self, blocks: slice) -> "Counts":
        """Return the counts of some blocks of time."""
        return Counts(self.leads[blocks], self.converted[blocks], self.names)

    def by_fill(self) -> "Counts":
        """Return the counts of two buckets: filled and missing."""
        pairs = [
            np.column_stack([table[:, :-1].sum(axis=1), table[:, -1]])
            for table in (self.leads, self.converted)
        ]
        return Counts(pairs[0], pairs[1], ("any value", "missing"))


def make_buckets(values: pd.Series) -> Buckets:
    """Return the buckets of a column: categories as they are, numbers by twentieths.

    A number that many rows share (such as 0) has a bucket of its own. Infinite
    numbers count as missing.
    """
    if pd.api.types.is_numeric_dtype(values):
        return _number_buckets(values.to_numpy(float))
    codes, levels = pd.factorize(values, sort=True)
    return Buckets(
        np.where(codes < 0, len(levels), codes), (*(f"'{level}'" for level in levels), "missing")
    )


def count(buckets: Buckets, sample: Sample) -> Counts:
    """Return what became of the sample's leads per block of time and bucket."""
    width = len(buckets.names)
    cell = sample.block * width + buckets.codes
    leads = totals(cell, sample.weight, BLOCKS * width)
    converted = totals(cell, sample.weight * sample.label, BLOCKS * width)
    return Counts(leads.reshape(BLOCKS, width), converted.reshape(BLOCKS, width), buckets.names)


def totals(cells: Positions, weights: Numbers, width: int) -> Numbers:
    """Return the sum of the weights in each of `width` cells."""
    return np.asarray(np.bincount(cells, weights, width), dtype=np.float64)


def _number_buckets(values: Numbers) -> Buckets:
    is_filled = np.isfinite(values)
    filled = values[is_filled]
    distinct, sizes = np.unique(filled, return_counts=True)
    own = distinct[sizes >= max(OWN_BUCKET_SHARE * len(values), 1)]
    rest = filled[~np.isin(filled, own)]
    steps = np.linspace(0, 1, QUANTILES + 1)[1:-1]
    edges = np.unique(np.quantile(rest, steps)) if len(rest) else np.empty(0)
    codes = np.searchsorted(edges, filled, side="right")
    place = np.searchsorted(own, filled)
    is_own = np.isin(filled, own)
    codes[is_own] = len(edges) + 1 + place[is_own]
    width = len(edges) + 1 + len(own)
    all_codes = np.full(len(values), width, dtype=np.intp)
    all_codes[is_filled] = codes
    return Buckets(all_codes, (*_range_names(edges), *(f"{v:g}" for v in own), "missing"))


def _range_names(edges: Numbers) -> list[str]:
    if not len(edges):
        return ["other values"]
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *between, f"from {edges[-1]:g}"]
