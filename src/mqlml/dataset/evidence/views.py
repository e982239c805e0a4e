"""What a finding looks like: a share per group, ready to be drawn or read as a table."""

import numpy as np

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.findings import View

_MOST_GROUPS = 10
# A value that few leads have may be somebody's own, and is not shown.
_LEAST_LEADS = 5


def converted_by_value(counts: Counts) -> View:
    """Return the share that converted among the leads with each value, the most frequent ones.

    Values keep the column's order; rare ones are told together.
    """
    leads, converted = counts.leads.sum(axis=0), counts.converted.sum(axis=0)
    frequent = np.argsort(-leads, kind="stable")[:_MOST_GROUPS]
    shown = sorted(int(place) for place in frequent if leads[place] >= _LEAST_LEADS)
    names = [counts.names[place].strip("'") for place in shown]
    groups = [(float(leads[place]), float(converted[place])) for place in shown]
    rest = [float(table.sum() - table[shown].sum()) for table in (leads, converted)]
    if rest[0] >= 1:
        names.append("all other values")
        groups.append((rest[0], rest[1]))
    return view("share that converted, by value", names, groups)


def filled_by_outcome(counts: Counts) -> View:
    """Return how often the column is filled for converted and for other leads."""
    pairs = [
        (float(table.sum()), float(table[:, :-1].sum()))
        for table in (counts.converted, counts.others)
    ]
    return view("share that has a value", ["converted leads", "other leads"], pairs)


def converted_in_order(counts: Counts) -> View:
    """Return the share that converted in each block, as the rows are in order."""
    names = [f"part {number + 1} of {len(counts.leads)}" for number in range(len(counts.leads))]
    pairs = [
        (float(leads.sum()), float(converted.sum()))
        for leads, converted in zip(counts.leads, counts.converted, strict=True)
    ]
    return view("share that converted, in the order of the rows", names, pairs)


def view(says: str, names: list[str], groups: list[tuple[float, float]]) -> View:
    """Return a view of groups given as (leads, leads of whom it is true)."""
    return View(
        says,
        tuple(names),
        tuple(round(leads) for leads, _ in groups),
        tuple(true / leads if leads else 0.0 for leads, true in groups),
    )
