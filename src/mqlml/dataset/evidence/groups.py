"""One group of values that settles the outcome, whatever the rest of the column says.

A column of two values cannot have a great ROC-AUC: one that is filled for a third
of the converted leads and for nobody else reaches .67. What shows that it knows
the outcome is the place of that group on the ROC plane, measured as the distance
between two bell curves through it: ndtri(share of converted) − ndtri(share of
others), the d' of signal detection (Green and Swets, 1966). A ROC-AUC of .80 of
two such curves is a distance of 1.19.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.evidence.exclusive import PERIODS
from mqlml.dataset.evidence.figures import wilson
from mqlml.dataset.evidence.leaks import Column
from mqlml.dataset.evidence.sample import Numbers
from mqlml.dataset.findings import Finding

HONEST_DISTANCE = 1.6
HONEST_FILL_DISTANCE = 1.1
GROUP_SHARE = 0.2


@dataclass(frozen=True)
class Distances:
    """Per bucket: its share among converted and other leads, and how far these lie apart."""

    of_converted: Numbers
    of_others: Numbers
    distance: Numbers
    low: Numbers


@dataclass(frozen=True)
class _Group:
    """One bucket of one view of the column, and the distance that honest ones stay below."""

    name: str
    place: int
    honest: float
    found: Distances

    @property
    def excess(self) -> float:
        """Return by how much the group is surely beyond what is honest; negative if it is not."""
        return float(self.found.low[self.place] - self.honest)


def settled_by_one_group(column: Column) -> Iterator[Finding]:
    """Yield a stop if one group of values tells converted from other leads too well.

    Looked at over all development rows, then over parts of their time, value by
    value, and for being filled at all; the first that does is named.
    """
    groups = (g for when, blocks in PERIODS.items() for g in _groups(column, when, blocks))
    for group in groups:
        if group.excess >= 0:
            yield _finding(column, group)
            return


def _groups(column: Column, when: str, blocks: slice) -> Iterator[_Group]:
    """Yield the most telling large group of each view of the column in some blocks of time."""
    counts = column.counts.of_blocks(blocks)
    for view, honest in ((counts, HONEST_DISTANCE), (counts.by_fill(), HONEST_FILL_DISTANCE)):
        found = distances(view)
        # Small groups that never convert are honest, and so is everybody outside of them.
        inside = np.maximum(found.of_converted, found.of_others)
        outside = np.maximum(1 - found.of_converted, 1 - found.of_others)
        is_large = np.minimum(inside, outside) >= GROUP_SHARE
        if is_large.any():
            place = int(np.argmax(np.where(is_large, found.low, -np.inf)))
            yield _Group(f"{view.names[place]}{when}", place, honest, found)


def distances(counts: Counts) -> Distances:
    """Return the distance of every bucket, with its lower 99 % bound.

    Shares are taken within each block of time and then averaged, so a base rate
    that moves earns nothing. The bound joins the Wilson bounds of the two shares
    (Zou and Donner, 2008).
    """
    from scipy.special import ndtri

    converted, others = counts.converted.sum(axis=1), counts.others.sum(axis=1)
    weight = 1 / (1 / np.maximum(converted, 1e-9) + 1 / np.maximum(others, 1e-9))
    weight = weight / max(float(weight.sum()), 1e-9)
    yes, yes_low, yes_high = _shares(counts.converted, converted, weight)
    no, no_low, no_high = _shares(counts.others, others, weight)
    up = ndtri(yes) - ndtri(no)
    up_low = up - np.hypot(ndtri(yes) - ndtri(yes_low), ndtri(no_high) - ndtri(no))
    down_low = -up - np.hypot(ndtri(yes_high) - ndtri(yes), ndtri(no) - ndtri(no_low))
    low = np.where(up >= 0, up_low, down_low)
    return Distances(yes, no, np.abs(up), np.maximum(low, 0.0))


def _shares(leads: Numbers, totals: Numbers, weight: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the buckets' shares of all leads, averaged over blocks, with their bounds."""
    share = weight @ (leads / np.maximum(totals, 1e-9)[:, None])
    # As many leads as give an average of these weights the same spread.
    trials = 1 / max(float((weight**2 / np.maximum(totals, 1e-9)).sum()), 1e-9)
    low, high = wilson(share * trials, np.full_like(share, trials))
    smoothed = (share * trials + 0.5) / (trials + 1)
    edge = 1e-9
    return smoothed, np.clip(np.minimum(low, smoothed), edge, 1), np.clip(high, 0, 1 - edge)


def _finding(column: Column, group: _Group) -> Finding:
    found, place = group.found, group.place
    evidence = (
        f"{group.name}: {found.of_converted[place]:.1%} of the converted and "
        f"{found.of_others[place]:.1%} of the other leads; two bell curves through these shares "
        f"lie {found.distance[place]:.2f} apart (99 % bound {found.low[place]:.2f}; columns known "
        f"beforehand stay below {group.honest:.1f})"
    )
    figures = {
        "share_of_converted": float(found.of_converted[place]),
        "share_of_others": float(found.of_others[place]),
        "distance": float(found.distance[place]),
        "distance_low": float(found.low[place]),
    }
    return column.finding("one value settles the outcome", evidence, "stop", figures)
