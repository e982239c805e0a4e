"""Log-odds that mean what they say on the latest mature block.

Two numbers change them, a shift and a slope, so that fit and engagement parts
stay additive. They are measured differently, on purpose:

- The slope is about overconfidence, which a model shows only on rows it has not
  learnt from: it comes from the model of the fold before.
- The shift is about the base rate of late. A model that has learnt from the
  latest block already knows part of it; measuring the shift with an older model
  would count it twice. So it comes from the model itself.

Both are held near "no change" by a prior that only evidence overcomes.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CalibrationKind = Literal["none", "shift", "platt"]

# Standard deviations of the prior: a base rate that drifts is common, a slope
# far from one is rare.
_SHIFT_SPREAD = 1.0
_SLOPE_SPREAD = 0.25
_FEWEST_OF_A_CLASS = 20
_STEPS = 50


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds = shift + slope × log-odds."""

    shift: float = 0.0
    slope: float = 1.0

    def apply(self, log_odds: Floats) -> Floats:
        """Return the calibrated log-odds."""
        return np.asarray(self.shift + self.slope * log_odds, dtype=np.float64)


IDENTITY = Calibration()


def fit_calibration(
    own: Floats, forward: Floats, labels: Floats, kind: CalibrationKind
) -> Calibration:
    """Return the calibration of a model by the latest block's labels.

    `own` are the model's log-odds of the block, `forward` those of a model that
    had not seen the block. "shift" moves the log-odds, "platt" also stretches
    them. With fewer than 20 rows of either class they stay as they are.
    """
    positives = int(labels.sum())
    if kind == "none" or min(positives, len(labels) - positives) < _FEWEST_OF_A_CLASS:
        return IDENTITY
    slope = _fit(forward, labels, is_slope_free=True).slope if kind == "platt" else 1.0
    return Calibration(_fit(slope * own, labels, is_slope_free=False).shift, slope)


def _fit(log_odds: Floats, labels: Floats, *, is_slope_free: bool) -> Calibration:
    """Return the most probable shift and slope; the penalised likelihood has one summit."""
    # The shift's prior is about the average row, not about a row with log-odds 0.
    centre = float(log_odds.mean())
    design = np.column_stack([np.ones(len(labels)), log_odds - centre])
    prior = np.array([centre, 1.0])
    precision = np.array([_SHIFT_SPREAD, _SLOPE_SPREAD]) ** -2.0
    free = np.array([True, is_slope_free])
    found = prior.copy()
    for _ in range(_STEPS):
        expected = probability_of(design @ found)
        slope = (design.T @ (expected - labels) + precision * (found - prior))[free]
        bend = (design.T * (expected * (1 - expected))) @ design + np.diag(precision)
        step = np.linalg.solve(bend[np.ix_(free, free)], slope)
        found[free] -= np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-12:
            break
    return Calibration(float(found[0] - found[1] * centre), float(found[1]))


def probability_of(log_odds: Floats) -> Floats:
    """Return the probabilities of log-odds, without overflow."""
    half = np.tanh(0.5 * np.asarray(log_odds, dtype=np.float64))
    return np.asarray(0.5 * (1.0 + half), dtype=np.float64)
