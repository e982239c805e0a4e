"""The time rule: every comparison of two times in the package is one of these.

Times are whole microseconds since 1970-01-01 UTC (`int`), or numpy arrays of
them. The functions are plain arithmetic, so they serve single values, arrays,
and (compiled) the kernel alike.

The rule, drawn:

    lookback                     horizon
    |<--------------------->|<---------------->|
    |  events are seen      |  label looks     |  mature from here on
----[-----------------------)[-----------------)------------------------> time
  as_of - lookback        as_of          as_of + horizon

An event exactly at `as_of` is not seen; a conversion exactly at `as_of`
belongs to the future.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

MICROS_PER_SECOND = 1_000_000
MICROS_PER_HOUR = 3_600 * MICROS_PER_SECOND
MICROS_PER_DAY = 24 * MICROS_PER_HOUR
MICROS_PER_WEEK = 7 * MICROS_PER_DAY

# Far outside any business history, far inside the int64 range: sums stay safe.
EVER = 4_000_000_000_000_000_000
NEVER = np.iinfo(np.int64).max

Micros = TypeVar("Micros", int, npt.NDArray[np.int64])


def counts_from(occurred_at: Micros, arrived_at: Micros) -> Micros:
    """Return when an event starts to count: the later of happened and arrived."""
    return np.maximum(occurred_at, arrived_at)  # type: ignore[no-any-return]


def is_seen(at: Micros, as_of: Micros) -> bool:
    """Return whether something that counts from `at` is known at `as_of` (strictly before)."""
    return at < as_of  # type: ignore[return-value]


def is_known(at: Micros, as_of: Micros) -> bool:
    """Return whether an attribute given at creation time `at` is known at `as_of`.

    A lead's first point may be the very moment it is created, so what the lead
    was created with counts at that moment; everything later needs `is_seen`.
    """
    return at <= as_of  # type: ignore[return-value]


def is_in_lookback(at: Micros, as_of: Micros, lookback: int) -> bool:
    """Return whether `at` lies in `[as_of - lookback, as_of)`."""
    return (at >= as_of - lookback) & (at < as_of)  # type: ignore[return-value]


def is_in_horizon(at: Micros, as_of: Micros, horizon: int) -> bool:
    """Return whether `at` lies in `[as_of, as_of + horizon)`."""
    return (at >= as_of) & (at < as_of + horizon)  # type: ignore[return-value]


def is_mature(as_of: Micros, horizon: int, reporting_lag: int, data_end: int) -> bool:
    """Return whether the outcome of a point is final: its whole horizon lies in the data."""
    return as_of + horizon + reporting_lag <= data_end  # type: ignore[return-value]


def is_open(ended_at: Micros, as_of: Micros) -> bool:
    """Return whether a lead that ends (target or disqualified) at `ended_at` is still open."""
    return ended_at >= as_of  # type: ignore[return-value]


def is_purged(as_of: Micros, horizon: int, boundary: int) -> bool:
    """Return whether a point's label is decided before `boundary`, so it may train for it."""
    return as_of + horizon <= boundary  # type: ignore[return-value]


def is_from(at: Micros, boundary: Micros | int) -> bool:
    """Return whether `at` lies on or after `boundary`."""
    return at >= boundary  # type: ignore[return-value]


def steps_until(first: Micros, last: Micros, step: int) -> Micros:
    """Return how many of `first`, `first + step`, … lie at or before `last`.

    >>> print(steps_until(10, 24, 7), steps_until(10, 9, 7))
    3 0
    """
    return np.maximum((last - first) // step + 1, 0)  # type: ignore[no-any-return]
