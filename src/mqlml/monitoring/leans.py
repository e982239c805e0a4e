"""Residuals summed along directions, and the evidence in them for a change since week k."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd

from mqlml.monitoring.evidence import Floats, Ints
from mqlml.monitoring.odds import beyond, cohort_windows, log_evidence, running_odds, windows
from mqlml.monitoring.residuals import Residuals

_TINY = 1e-9
_FEWEST_WEEKS_BEFORE = 4
_NEXT_TO_NONE = 2.0
_MANY = 12.0
_SIZES = (0.4,)
# Most changes come with the leads that come, fewer with the calendar.
_OF_COHORTS = 0.8
DELAY = "delay"


@dataclass(frozen=True)
class Doubt:
    """How a direction may lean while nothing changed.

    `lean` is the spread of a sound model's own slope on leads it has not seen,
    `drift` that of a whole week's slope around it (seasons, holidays, luck that weeks
    share), `tolerance` the gap that nobody needs to hear of; `share` is how much of all
    evidence the direction may have, the shares of all directions add up to 1.
    """

    lean: float
    drift: float
    tolerance: float
    share: float


@dataclass(frozen=True)
class Leans:
    """Sums of pieces by cohort, week and direction x: x·residual, x²·variance, x·variance.

    The first direction is the level, all ones. `first` is the number of the first week.
    """

    first: int
    names: tuple[str, ...]
    lean: Floats
    weight: Floats
    cross: Floats

    @property
    def weeks(self) -> Ints:
        """Return the numbers of the weeks, as `week_of` gives them."""
        return np.arange(self.first, self.first + self.lean.shape[1])


def sum_leans(residuals: Residuals, directions: pd.DataFrame, last: int = -1) -> Leans:
    """Return the sums of `directions` (one row per scored row) and of the direction of delay."""
    first = int(residuals.week.min(initial=last))
    count = last - first + 1
    cell = (np.maximum(residuals.cohort, first) - first) * count + residuals.week - first

    def summed(values: Floats) -> Floats:
        table = np.bincount(cell, values, minlength=count * count)
        return np.asarray(table, dtype=np.float64).reshape(count, count)

    # One direction at a time: of a million leads all of them beside their pieces are large.
    r, v = residuals.residual, residuals.variance
    lean, weight, cross = [], [], []
    for x in chain(_along(directions, residuals.row), (residuals.slower,)):
        lean.append(summed(r * x))
        cross.append(summed(v * x))
        weight.append(summed(v * x**2))
    tables = [np.stack(sums, axis=2) for sums in (lean, weight, cross)]
    return Leans(first, (*map(str, directions.columns), DELAY), *tables)


def _along(directions: pd.DataFrame, rows: Ints) -> Iterator[Floats]:
    """Yield each direction's value of each piece."""
    for name in directions:
        yield directions[name].to_numpy(dtype=np.float64)[rows]


@dataclass(frozen=True)
class Evidence:
    """For a change since week k seen at week t and direction d: gap, variance, log evidence.

    `by_cohort` holds what leads first scored since k say, `by_week` what all leads say in
    the weeks since k.
    """

    weeks: Ints
    names: tuple[str, ...]
    gap: Floats
    variance: Floats
    by_cohort: Floats
    by_week: Floats
    share: Floats

    @cached_property
    def log_factors(self) -> Floats:
        """Return the log evidence [k, t, d], both ways of looking averaged by their shares."""
        by_cohort = self.by_cohort + np.log(_OF_COHORTS)
        by_week = self.by_week + np.log(1.0 - _OF_COHORTS)
        return np.asarray(np.logaddexp(by_cohort, by_week))

    @cached_property
    def total(self) -> Floats:
        """Return the log evidence [k, t], directions averaged by their shares."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                np.logaddexp.reduce(self.log_factors + np.log(self.share), axis=2), dtype=float
            )

    @cached_property
    def odds(self) -> Floats:
        """Return the log of the Shiryaev–Roberts statistic by week t."""
        return running_odds(self.total)


def change_evidence(leans: Leans, doubts: dict[str, Doubt], *, least_weight: float) -> Evidence:
    """Return the evidence of every direction for a change since any week, at any week."""
    doubt = [doubts[name] for name in leans.names]
    before = _before(leans)
    usual, usual_error = _usual(before, doubt)
    count = len(leans.weeks)
    length = np.arange(count)[None, :] - np.arange(count)[:, None] + 1.0
    found = []
    for shape in ("cohort", "week"):
        sums = [
            cohort_windows(part) if shape == "cohort" else windows(part.sum(axis=0))
            for part in (leans.lean, leans.weight, leans.cross)
        ]
        slope, weight = beside_level(*sums)
        surge = _surge(sums[0][:, :, 0], sums[1][:, :, 0])
        weight[:, :, 0] = np.maximum(weight[:, :, 0], surge)
        drift = np.array([d.drift for d in doubt])
        shared = drift**2 / np.maximum(length, 1.0)[:, :, None]
        variance = 1.0 / weight + usual_error[:, None, :] + shared
        gap = slope / weight - usual[:, None, :]
        outside = beyond(gap, np.array([d.tolerance for d in doubt]))
        factors = log_evidence(outside, variance, sizes=_SIZES)
        is_judged = (length >= 1) & ((sums[1][:, :, 0] >= least_weight) | (surge > 0))
        is_judged[:_FEWEST_WEEKS_BEFORE] = False
        # Of expectations next to nothing no lean can be told, only that the level moved.
        factors[surge > 0, 1:] = 0.0
        factors[~is_judged] = -np.inf
        found.append((gap, variance, factors))
    (gap, variance, by_cohort), (_, _, by_week) = found
    share = np.array([d.share for d in doubt])
    return Evidence(leans.weeks, leans.names, gap, variance, by_cohort, by_week, share)


def _surge(lean: Floats, weight: Floats) -> Floats:
    """Return a weight for windows in which many conversions came where next to none were expected.

    There is no variance to speak of then; that of a quarter of what came stands in for it.
    """
    came = lean + weight
    is_surge = (weight < _NEXT_TO_NONE) & (came >= _MANY)
    return np.asarray(np.where(is_surge, came / 4, 0.0))


def beside_level(lean: Floats, weight: Floats, cross: Floats) -> tuple[Floats, Floats]:
    """Return lean and weight of each direction with its share of the level taken out.

    When all leads convert less, likely converters lose most, and that alone is
    no lean towards any feature. The first direction is the level itself.
    """
    share = cross / (weight[..., :1] + _TINY)
    share[..., 0] = 0.0
    beside = lean - share * lean[..., :1]
    return beside, np.maximum(weight - share * cross, 0.0) + _TINY


def _before(leans: Leans) -> tuple[Floats, Floats, Floats]:
    """Return the sums over all weeks before each k."""
    weekly = [part.sum(axis=0) for part in (leans.lean, leans.weight, leans.cross)]
    first, second, third = (np.cumsum(part, axis=0) - part for part in weekly)
    return first, second, third


def _usual(before: tuple[Floats, Floats, Floats], doubt: list[Doubt]) -> tuple[Floats, Floats]:
    """Return the slope that was usual before each k, and the variance of what is known of it."""
    slope, weight = beside_level(*before)
    weeks = np.arange(len(slope))[:, None]
    drift = np.array([d.drift for d in doubt]) ** 2 / np.maximum(weeks, 1.0)
    precision = 1.0 / (1.0 / weight + drift)
    whole = precision + 1.0 / np.array([d.lean for d in doubt]) ** 2
    return slope / weight * precision / whole, 1.0 / whole
