"""Named random streams and the drawing of choices and working hours.

Every draw has its own stream, and streams are used in order of the leads. So a
change of the world leaves all that came before it as it was, bit for bit.
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_WEEKDAY_WEIGHTS = (1.0, 1.15, 1.1, 1.05, 0.85, 0.3, 0.35)
# Hours of the day in UTC; the firm and its buyers work one to two hours east of it.
_HOUR_WEIGHTS = (
    *(0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.5, 3.0, 4.0, 4.0, 3.5, 3.0),
    *(3.5, 4.0, 3.5, 2.8, 2.0, 1.5, 1.2, 1.2, 1.0, 0.6, 0.3, 0.2),
)


class Dice:
    """One named part's source of chance: each call returns a fresh generator.

    The generators are the same for every world of one seed, however much an
    earlier draw of the same part took.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._root = np.random.SeedSequence([seed, crc32(name.encode())])

    def __call__(self) -> np.random.Generator:
        """Return the next generator."""
        return np.random.default_rng(self._root.spawn(1)[0])


def choose(rng: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """Return `size` positions drawn in proportion to `weights`."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    edges /= edges[-1]
    return np.minimum(np.searchsorted(edges, rng.random(size), "right"), len(edges) - 1)


def choose_by_row(rng: np.random.Generator, weights: Floats) -> Ints:
    """Return one position per row of `weights`, in proportion to that row."""
    edges = np.cumsum(weights, axis=1)
    picks = rng.random(len(weights)) * edges[:, -1]
    return np.asarray((picks[:, None] >= edges).sum(axis=1), dtype=np.int64)


def time_of_day(dice: Dice, size: int) -> Ints:
    """Return times of day in microseconds, mostly in working hours."""
    hours = choose(dice(), _HOUR_WEIGHTS, size)
    return hours * MICROS_PER_HOUR + dice().integers(0, 3_600_000, size) * 1_000


def day_in_week(rng: np.random.Generator, first_day: Ints) -> Ints:
    """Return 0 … 6 days after `first_day` (days since 1970), fewer of them on weekends."""
    # 1970-01-01 was a Thursday, three days after a Monday.
    weekday = choose(rng, _WEEKDAY_WEIGHTS, len(first_day))
    return (weekday - (first_day + 3)) % 7


def day_weights(first_day: int, days: int) -> Floats:
    """Return how many leads each day brings: weeks, a quiet summer and Christmas, some growth."""
    day = np.arange(first_day, first_day + days)
    week = np.asarray(_WEEKDAY_WEIGHTS)[(day + 3) % 7]
    season = 1.0 + 0.12 * np.cos(2 * np.pi * (day % 365.25 - 80) / 182.6)
    return np.asarray(week * season * (1.0 + 0.15 * np.arange(days) / 365), dtype=np.float64)


def at_work(rng: np.random.Generator, at: Ints) -> Ints:
    """Return times moved into working hours of the same day, from weekends to the Monday."""
    day = at // MICROS_PER_DAY
    weekday = (day + 3) % 7
    day = day + np.where(weekday >= 5, 7 - weekday, 0)
    hour = 7 * MICROS_PER_HOUR + rng.integers(0, 9 * 3_600, len(at)) * MICROS_PER_SECOND
    return day * MICROS_PER_DAY + hour


def in_office(at: Ints) -> Ints:
    """Return times squeezed into the office hours of the day, from weekends to the Monday.

    Later stays later (or equal), except within a weekend and its Monday.
    """
    day = at // MICROS_PER_DAY
    weekday = (day + 3) % 7
    is_weekend = weekday >= 5
    of_day = np.where(is_weekend, 0, at - day * MICROS_PER_DAY)
    day = day + np.where(is_weekend, 7 - weekday, 0)
    seconds = 6 * 3_600 + of_day // MICROS_PER_SECOND * 10 // 24
    return np.asarray(day * MICROS_PER_DAY + seconds * MICROS_PER_SECOND, dtype=np.int64)
