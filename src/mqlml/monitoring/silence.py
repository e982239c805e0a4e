"""Days without events where a source usually sends some: a tag was removed, a job died.

What is usual is the median of each weekday over the weeks before, so that a source which rests
on Sundays, or sends a newsletter once a month, is not called silent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

WEEKS = 8
MIN_WEEKS = 4
# By chance alone a source of which so many events are awaited sends none once in a thousand.
AWAITED = 7.0
_WEEK = 7


@dataclass(frozen=True)
class Silence:
    """A run of days without an event; `is_open` if it lasts until the data's end.

    `first_day` counts days since 1970-01-01 in UTC; `usual` is events a day before it.
    """

    source: str
    first_day: int
    days: int
    usual: float
    is_open: bool


def silences(days: pd.DataFrame, *, last_day: int) -> tuple[Silence, ...]:
    """Return every silence of every source, open ones first, then the longest.

    `days` holds source, day and rows, no row for a day without events. `last_day` is the
    last whole day that the data cover; later days are not looked at.
    """
    covered = days[days["day"] <= last_day]
    found = [
        silence
        for source, own in covered.groupby("source", sort=True)
        for silence in _of_source(str(source), own, last_day)
    ]
    return tuple(sorted(found, key=lambda s: (not s.is_open, -s.days, s.source, s.first_day)))


def _of_source(source: str, days: pd.DataFrame, last_day: int) -> Iterator[Silence]:
    first = int(days["day"].min())
    counts = np.zeros(last_day - first + 1)
    counts[days["day"].to_numpy(np.int64) - first] = days["rows"].to_numpy(np.float64)
    for start, end in _runs(counts == 0):
        usual = _usual(counts[:start])
        if usual is None:
            continue
        awaited = sum(usual[day % _WEEK] for day in range(start, end))
        if awaited >= AWAITED:
            is_open = end == len(counts)
            yield Silence(source, first + start, end - start, float(np.mean(usual)), is_open)


def _runs(is_empty: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_empty.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _usual(before: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return the median per weekday of the weeks before; None if they are too few to tell."""
    if len(before) < MIN_WEEKS * _WEEK:
        return None
    weeks = min(WEEKS, len(before) // _WEEK)
    shaped = before[-weeks * _WEEK :].reshape(weeks, _WEEK)
    return np.roll(np.median(shaped, axis=0), len(before) % _WEEK)
