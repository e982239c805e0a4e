"""Finding a place in times that are sorted within ranges, by one of timeline's rules."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mqlml.features.arrays import Ints

Flags = npt.NDArray[np.bool_]


def first_place_without(first: Ints, end: Ints, holds: Callable[[Ints], Flags]) -> Ints:
    """Return for each range [first, end) the first place for which `holds` is false, or its end.

    `holds` gets one place per range and says of each whether the rule holds there; it
    holds for the places at the beginning of a range, if for any.
    """
    low, high = first.copy(), end.copy()
    while (is_open := low < high).any():
        middle = np.where(is_open, (low + high) // 2, 0)
        does_hold = is_open & holds(middle)
        low = np.where(does_hold, middle + 1, low)
        high = np.where(is_open & ~does_hold, middle, high)
    return low


def ranges_of(groups: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Return where each wanted group begins and ends in sorted `groups`; -1 has no places.

    >>> first, end = ranges_of(np.array([0, 0, 2]), np.array([2, 0, -1, 1]))
    >>> (end - first).tolist()
    [1, 2, 0, 0]
    """
    first = np.searchsorted(groups, wanted).astype(np.int64)
    end = np.searchsorted(groups, wanted, side="right").astype(np.int64)
    is_none = wanted < 0
    return np.where(is_none, 0, first), np.where(is_none, 0, end)
