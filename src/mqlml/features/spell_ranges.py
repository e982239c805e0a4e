"""Events that count for a part of the time only: one range of events per spell of a lead.

A row counts for points with as_of in `(after, until]`. The bounds of a lead's rows cut its
time into spells; within a spell the same rows count for every point, so each spell is swept
like a lead of its own.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mqlml.features.arrays import Codes, Ints
from mqlml.timeline import EVER, NEVER


@dataclass(frozen=True)
class Ranges:
    """`leads[i]` has the rows `starts[i]` to `ends[i]` for as_of in `(after[i], until[i]]`."""

    leads: Ints
    starts: Ints
    ends: Ints
    after: Ints
    until: Ints


def lead_ranges(lead: Codes) -> Ranges:
    """Return one range for each lead that has rows, strangers (-1) left out."""
    is_new = np.append(True, lead[1:] != lead[:-1])[: len(lead)]
    starts = np.flatnonzero(is_new).astype(np.int64)
    ends = np.append(starts[1:], len(lead))[: len(starts)]
    known = lead[starts] >= 0
    count = int(known.sum())
    return Ranges(
        lead[starts][known].astype(np.int64),
        starts[known],
        ends[known],
        np.full(count, -EVER),
        np.full(count, NEVER),
    )


def by_spell(whole: Ranges, after: Ints, until: Ints) -> tuple[Ints, Ranges]:
    """Return rows to append, and the ranges by spell, over the rows with those appended.

    `after` and `until` are the bounds of each row. Rows that are in several spells come
    again; ranges of leads without bounds stay as they are.
    """
    is_bounded = np.append(0, np.cumsum((after != -EVER) | (until != NEVER)))
    cut = is_bounded[whole.ends] > is_bounded[whole.starts]
    added: list[Ints] = [np.empty(0, np.int64)]
    spells: list[tuple[int, int, int, int, int]] = []
    place = len(after)
    for one in np.flatnonzero(cut):
        rows = np.arange(whole.starts[one], whole.ends[one])
        marks = np.unique(np.concatenate([[-EVER, NEVER], after[rows], until[rows]]))
        for begin, end in pairwise(marks.tolist()):
            seen = rows[(after[rows] <= begin) & (until[rows] >= end)]
            spells.append((int(whole.leads[one]), place, place + len(seen), begin, end))
            added.append(seen)
            place += len(seen)
    table = np.array(spells, np.int64).reshape(-1, 5)
    kept = [whole.leads, whole.starts, whole.ends, whole.after, whole.until]
    joined = [np.concatenate([old[~cut], new]) for old, new in zip(kept, table.T, strict=True)]
    order = np.lexsort((joined[3], joined[0]))
    return np.concatenate(added), Ranges(*(column[order] for column in joined))
