"""Where in time residuals begin to lean: every direction, every week, one sweep.

A direction is a column of numbers per scored row (1 for the level; the fit part;
a feature). Its slope θ among residuals is compared before and after each
candidate week, in standard errors. What a model leans on leads it has not seen,
even while nothing changes, is in the weeks before; with few of them a prior
keeps θ near 0.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.monitoring.evidence import Floats, Ints
from mqlml.monitoring.residuals import Residuals

_FEWEST_WEEKS_BEFORE = 4
_FEWEST_WEEKS_AFTER = 3
_MOST_OVERDISPERSION = 4.0
# Square of the median of a standard normal's absolute value.
_MEDIAN_CHI2 = 0.4549
_LIKELY = 3.84
_TINY = 1e-9


@dataclass(frozen=True)
class Scan:
    """Standard errors by candidate week (rows) and direction (columns), slope after each."""

    weeks: Ints
    z: Floats
    slope: Floats
    names: tuple[str, ...]

    def strongest(self, columns: Ints) -> tuple[int, int]:
        """Return (candidate position, direction) of the largest |z| among `columns`."""
        place = np.unravel_index(np.argmax(np.abs(self.z[:, columns])), (len(self.z), len(columns)))
        return int(place[0]), int(columns[place[1]])

    def likely_weeks(self, direction: int) -> tuple[int, int]:
        """Return the first and last week that the change may well have begun in."""
        squares = self.z[:, direction] ** 2
        near = self.weeks[squares >= squares.max() - _LIKELY]
        return int(near.min()), int(near.max())

    def p_value(self, columns: Ints) -> float:
        """Return the chance of a lean this strong anywhere among `columns`, if nothing changed.

        Corrected for the directions and, since neighbouring weeks say nearly the
        same, for half of the weeks.
        """
        from scipy.special import ndtr

        looks = len(columns) * max(1.0, len(self.weeks) / 2)
        single = 2.0 * ndtr(-float(np.abs(self.z[:, columns]).max(initial=0.0)))
        return float(min(1.0, single * looks))


def scan_weeks(residuals: Residuals, directions: pd.DataFrame, *, prior_sd: float) -> Scan | None:
    """Return the scan of `directions` (one row per scored row), or None with too few weeks.

    The first direction is the level, all ones. The others are judged beside it:
    when all leads convert less, likely converters lose most, and that alone is
    no lean towards any feature.
    """
    weeks = np.arange(residuals.week.min(initial=0), residuals.week.max(initial=-1) + 1)
    if len(weeks) < _FEWEST_WEEKS_BEFORE + _FEWEST_WEEKS_AFTER:
        return None
    sums = _weekly_sums(residuals, directions, weeks)
    candidates = np.arange(_FEWEST_WEEKS_BEFORE, len(weeks) - _FEWEST_WEEKS_AFTER + 1)
    spread = _overdispersion(sums, candidates)
    before, weight_before = sums.before(candidates).beside_level()
    after, weight_after = sums.after(candidates).beside_level()
    precision = weight_before / spread + 1.0 / prior_sd**2
    slope = after / weight_after
    error = np.sqrt(spread / weight_after + 1.0 / precision)
    z = (slope - before / spread / precision) / error
    return Scan(weeks[candidates], z, slope, tuple(str(name) for name in directions.columns))


@dataclass(frozen=True)
class _Sums:
    """Sums over pieces, a row per stretch of weeks and a column per direction x.

    Of x · residual, of x² · variance, and of x · variance.
    """

    lean: Floats
    weight: Floats
    cross: Floats

    def before(self, candidates: Ints) -> "_Sums":
        """Return the sums over the weeks before each candidate."""
        return _Sums(*(_sums_before(v)[candidates] for v in (self.lean, self.weight, self.cross)))

    def after(self, candidates: Ints) -> "_Sums":
        """Return the sums over the weeks from each candidate on."""
        parts = (_sums_before(v) for v in (self.lean, self.weight, self.cross))
        return _Sums(*(v[-1] - v[candidates] for v in parts))

    def beside_level(self) -> tuple[Floats, Floats]:
        """Return lean and weight of each direction with its share of the level taken out."""
        share = self.cross / (self.weight[:, :1] + _TINY)
        share[:, 0] = 0.0
        lean = self.lean - share * self.lean[:, :1]
        weight = np.maximum(self.weight - share * self.cross, 0.0) + _TINY
        return lean, weight


def _weekly_sums(residuals: Residuals, directions: pd.DataFrame, weeks: Ints) -> _Sums:
    position = residuals.week - weeks[0]
    sums = []
    for name in directions.columns:
        x = directions[name].to_numpy(dtype=np.float64)[residuals.row]
        terms = (x * residuals.residual, x**2 * residuals.variance, x * residuals.variance)
        sums.append([np.bincount(position, term, minlength=len(weeks)) for term in terms])
    stacked = np.asarray(sums, dtype=np.float64).transpose(1, 2, 0)
    return _Sums(stacked[0], stacked[1], stacked[2])


def _sums_before(values: Floats) -> Floats:
    return np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])


def _overdispersion(sums: _Sums, candidates: Ints) -> Floats:
    """Return by how much weeks scatter beyond chance, each direction split at its best week.

    A change is no scatter: weeks are compared with the mean of their own side. The
    median forgives the weeks in which a change is still coming.
    """
    lean, weight = sums.beside_level()
    before, weight_before = sums.before(candidates).beside_level()
    after, weight_after = sums.after(candidates).beside_level()
    scatter = np.full(lean.shape[1], np.inf)
    for place, candidate in enumerate(candidates):
        is_after = (np.arange(len(lean)) >= candidate)[:, None]
        slopes = after[place] / weight_after[place], before[place] / weight_before[place]
        squares = (lean - np.where(is_after, *slopes) * weight) ** 2 / weight
        scatter = np.minimum(scatter, np.median(squares, axis=0))
    return np.asarray(np.clip(scatter / _MEDIAN_CHI2, 1.0, _MOST_OVERDISPERSION), dtype=np.float64)
