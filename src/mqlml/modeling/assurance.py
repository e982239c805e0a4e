"""How surely a model's probabilities hold: its log-odds held against labels it had not seen.

A straight line through the log-odds (Platt 1999) is fitted to the test block, with
the covariance of its two numbers by lead (sandwich estimate, Liang and Zeger 1986):
twenty looks at a lead are one piece of evidence. From it comes a lower bound for the
precision of any group of leads. The best share seen above a threshold promises more
than it keeps: the threshold was chosen where chance was kind.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mqlml.modeling.calibration import Floats, probability_of

# One-sided: the promise is broken in one case of ten.
_Z_90 = 1.2815515655446004
_STEPS = 100
# Wide enough to say nothing, so that labels without overlap have a summit too.
_SPREAD = 10.0
_LARGEST_LOG_ODDS = 35.0


@dataclass(frozen=True)
class Assurance:
    """True log-odds = shift + slope × the model's, with the covariance of shift and slope.

    `conversions` counts the leads that converted in the block it was measured on.
    """

    shift: float
    slope: float
    shift_variance: float
    slope_variance: float
    covariance: float
    conversions: int

    def to_json(self) -> dict[str, Any]:
        """Return the value for a bundle's facts."""
        return asdict(self)


def assurance_from_json(value: Mapping[str, Any]) -> Assurance:
    """Return what `Assurance.to_json` wrote."""
    return Assurance(**value)


def measure_assurance(
    probability: Floats, labels: Floats, leads: npt.NDArray[np.int64]
) -> Assurance:
    """Return what labels say of the probabilities of a model that had not seen them.

    Args:
        probability: one per point.
        labels: 1 or 0 per point.
        leads: the number of each point's lead; points of a lead count together.
    """
    log_odds = log_odds_of(probability)
    # Around the mean, so that shift and slope hardly depend on each other while fitting.
    centre = float(log_odds.mean())
    design = np.column_stack([np.ones(len(labels)), log_odds - centre])
    found = _fitted(design, labels, np.array([centre, 1.0]))
    expected = probability_of(design @ found)
    spread = np.linalg.inv((design.T * (expected * (1 - expected))) @ design + np.eye(2) / _SPREAD)
    of_lead = [np.bincount(leads, weights=part) for part in (design.T * (labels - expected))]
    scores = np.stack(of_lead, axis=1)
    around = spread @ (scores.T @ scores) @ spread
    back = np.array([[1.0, -centre], [0.0, 1.0]])
    covariance = back @ around @ back.T
    shift, slope = back @ found
    converted = len(np.unique(leads[labels == 1]))
    return Assurance(
        float(shift),
        float(slope),
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
        converted,
    )


def _fitted(design: Floats, labels: Floats, start: Floats) -> Floats:
    found = start.copy()
    for _ in range(_STEPS):
        expected = probability_of(design @ found)
        slope = design.T @ (expected - labels) + (found - start) / _SPREAD
        bend = (design.T * (expected * (1 - expected))) @ design + np.eye(2) / _SPREAD
        step = np.linalg.solve(bend, slope)
        found -= np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-12:
            break
    return found


def precision_bounds(
    assurance: Assurance,
    probability: Floats,
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
) -> Floats:
    """Return the 90 % lower bound of precision for each of several nested groups of leads.

    Row i belongs to the groups `first[i]` ≤ g < `last[i]`. The bound is of the
    mean true probability of a group (delta method); a group without rows has NaN.
    """
    log_odds = log_odds_of(probability)
    expected = probability_of(assurance.shift + assurance.slope * log_odds)
    steep = expected * (1 - expected)
    groups = int(last.max()) if len(last) else 0
    count, mean, by_shift, by_slope = (
        _sums(values, first, last, groups)
        for values in (np.ones(len(expected)), expected, steep, steep * log_odds)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, by_shift, by_slope = mean / count, by_shift / count, by_slope / count
    variance = (
        by_shift**2 * assurance.shift_variance
        + 2 * by_shift * by_slope * assurance.covariance
        + by_slope**2 * assurance.slope_variance
    )
    return np.asarray(mean - _Z_90 * np.sqrt(np.maximum(variance, 0.0)), dtype=np.float64)


def _sums(
    values: Floats, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], groups: int
) -> Floats:
    """Return the sum of the values of each group's rows."""
    enters = np.bincount(first, weights=values, minlength=groups + 1)
    leaves = np.bincount(last, weights=values, minlength=groups + 1)
    return np.asarray(np.cumsum(enters - leaves)[:groups], dtype=np.float64)


def log_odds_of(probability: Floats) -> Floats:
    """Return log-odds; of 0 and 1 the largest that are told apart."""
    with np.errstate(divide="ignore"):
        found = np.log(probability) - np.log1p(-probability)
    return np.asarray(np.clip(found, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS), dtype=np.float64)
