"""How long conversions take, so that young leads can be judged before they mature."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mqlml import timeline

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_STEPS = 51


@dataclass(frozen=True)
class Delay:
    """Which share of the conversions within the horizon has come by each age (microseconds)."""

    age: Floats
    share: Floats

    def share_by(self, age: Floats) -> Floats:
        """Return F(age), from 0 to 1."""
        return np.asarray(np.interp(age, self.age, self.share), dtype=np.float64)


def delay_from_days(quantiles_days: Sequence[float], horizon: int) -> Delay:
    """Return the delay whose evenly spaced quantiles, least to most, are given in days.

    Without conversions (no quantiles), and where all come at once, the share grows evenly
    over the horizon.
    """
    if len(quantiles_days) < 2 or max(quantiles_days) <= 0:
        return Delay(np.array([0.0, float(horizon)]), np.array([0.0, 1.0]))
    ages = np.asarray(quantiles_days, dtype=np.float64) * timeline.MICROS_PER_DAY
    return Delay(np.clip(ages, 0.0, float(horizon)), np.linspace(0.0, 1.0, len(ages)))


def observed_delay(as_of: Ints, converted_at: Ints, horizon: int) -> Delay:
    """Return the delay of mature points' conversions within the horizon."""
    came = np.asarray(timeline.is_in_horizon(converted_at, as_of, horizon))
    if not came.any():
        return delay_from_days((), horizon)
    days = (converted_at - as_of)[came] / timeline.MICROS_PER_DAY
    return delay_from_days(np.quantile(days, np.linspace(0.0, 1.0, _STEPS)).tolist(), horizon)


def expected_between(probability: Floats, by_start: Floats, by_stop: Floats) -> Floats:
    """Return the chance that a lead open at the start converts by the stop.

    p is its probability at the horizon, `by_start` and `by_stop` are F at both
    ends: e = p (F(b) − F(a)) / (1 − p F(a)).

    >>> half, none, some = (np.array([x]) for x in (0.5, 0.0, 0.4))
    >>> expected_between(half, none, some).round(6).tolist()
    [0.2]
    """
    expected = probability * (by_stop - by_start) / (1.0 - probability * by_start + 1e-12)
    return np.clip(expected, 0.0, 1.0 - 1e-9)
