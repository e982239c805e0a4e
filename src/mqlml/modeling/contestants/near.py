"""A linear model held near another one: a penalty that only evidence overcomes.

The coefficients are the other model's plus a deviation, normal around nought a priori (a
ridge around given coefficients; Gelman and Hill 2007, chapter 12).
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mqlml.modeling.calibration import probability_of
from mqlml.modeling.contestants.contestant import Floats, TrainingRows
from mqlml.modeling.contestants.logistic import FittedLogistic

Rows = npt.NDArray[np.intp]

_SHIFT_SPREAD = 1.0
_STEPS = 50
_HALVINGS = 30
_CLOSE_ENOUGH = 1e-10


def held_near(
    other: FittedLogistic, rows: TrainingRows, own: Rows, *, variance: float
) -> FittedLogistic:
    """Return the other model moved towards what the `own` rows say.

    `variance` is that of a coefficient's deviation a priori.
    """
    away = other.encoder.transform(rows.matrix.iloc[own]) - np.array(other.centre)
    design = np.column_stack([np.ones(len(own)), away])
    precision = np.full(design.shape[1], 1 / variance)
    precision[0] = _SHIFT_SPREAD**-2
    said = design @ np.array([other.base, *other.coefficients])
    deviation = _solved(design, said, rows.labels[own], precision)
    return replace(
        other,
        base=other.base + float(deviation[0]),
        coefficients=tuple((np.array(other.coefficients) + deviation[1:]).tolist()),
    )


def _solved(design: Floats, said: Floats, labels: Floats, precision: Floats) -> Floats:
    """Return the most probable deviation from what is said; the summit is the only one.

    Newton's steps, each halved until it betters the whole: a full one may overshoot where
    few of many rows are positive.
    """
    found = np.zeros(design.shape[1])
    lost = _loss(design @ found + said, labels, found, precision)
    for _ in range(_STEPS):
        expected = probability_of(said + design @ found)
        slope = design.T @ (expected - labels) + precision * found
        bend = (design.T * (expected * (1 - expected))) @ design + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        for _ in range(_HALVINGS):
            tried = found - step
            loss = _loss(design @ tried + said, labels, tried, precision)
            if loss <= lost:
                break
            step = step / 2
        else:
            return found
        found, lost = tried, loss
        if np.abs(step).max() < _CLOSE_ENOUGH:
            break
    return found


def _loss(log_odds: Floats, labels: Floats, deviation: Floats, precision: Floats) -> float:
    missed = np.logaddexp(0.0, log_odds) - labels * log_odds
    return float(missed.sum() + (precision * deviation**2).sum() / 2)
