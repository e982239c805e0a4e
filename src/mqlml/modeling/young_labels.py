"""Learning from outcomes that are still open: conversions take time, decisions cannot wait.

Of a point whose horizon has not passed, a conversion that came is known and no conversion is
only half known. With p the probability of converting within the horizon and F the share of
conversions that has come by the point's age, a point without one converts later with
probability p (1 − F) / (1 − p F): its soft label. Learning from soft labels, working them out
anew, and so on (EM) ends where the likelihood of what was observed is greatest,

    p          for a conversion that came (its delay says nothing about p),
    1 − p F    for none yet.

That summit is climbed by Fisher scoring, which needs a handful of steps where EM needs dozens.
A mature point (F = 1) is an ordinary label; a point of age 0 (F = 0) says nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mqlml.modeling.calibration import Floats, probability_of

_STEPS = 40
_CLOSE = 1e-7
_LARGEST_STEP = 2.0
_TINY = 1e-12
_LEAST = 1e-15


@dataclass(frozen=True)
class YoungOutcomes:
    """What is known of each point: 1 where its conversion `came`, and F by its age."""

    came: Floats
    known_share: Floats

    def rows(self, rows: npt.NDArray[np.intp]) -> "YoungOutcomes":
        """Return the outcomes of some rows."""
        return YoungOutcomes(self.came[rows], self.known_share[rows])

    def soft_labels(self, probability: Floats) -> Floats:
        """Return 1 for a conversion that came, else the chance that it comes later.

        >>> YoungOutcomes(np.array([1.0, 0.0]), np.array([0.5, 0.5])).soft_labels(
        ...     np.array([0.5, 0.5])).round(4).tolist()
        [1.0, 0.3333]
        """
        open_share = 1.0 - probability * self.known_share
        later = probability * (1.0 - self.known_share) / np.maximum(open_share, _TINY)
        return np.where(self.came == 1, 1.0, later)

    def losses(self, probability: Floats) -> Floats:
        """Return each row's negative log-likelihood; that of a mature row is its log loss."""
        said = np.where(self.came == 1, probability, 1.0 - probability * self.known_share)
        return np.asarray(-np.log(np.maximum(said, _LEAST)), dtype=np.float64)


def mature_outcomes(labels: Floats) -> YoungOutcomes:
    """Return outcomes of which everything is known."""
    return YoungOutcomes(labels, np.ones(len(labels)))


@dataclass(frozen=True)
class Prior:
    """How tightly coefficients are held near 0: 1 / variance each, and the intercept's own."""

    coefficients: Floats
    intercept: float = 0.0


@dataclass(frozen=True)
class YoungFit:
    """Log-odds = offset + intercept + design · coefficients."""

    intercept: float
    coefficients: Floats

    def log_odds(self, design: Floats, offset: Floats | float = 0.0) -> Floats:
        """Return the log-odds of each row."""
        return np.asarray(offset + self.intercept + design @ self.coefficients)


def fit_young(
    design: Floats,
    outcomes: YoungOutcomes,
    *,
    prior: Prior,
    offset: Floats | float = 0.0,
    weights: Floats | float = 1.0,
) -> YoungFit:
    """Return the most probable intercept and coefficients, given what is known of the outcomes.

    Args:
        design: one row per point, columns of about unit spread.
        outcomes: what is known of each point.
        prior: of the coefficients, and of the intercept (0: free).
        offset: log-odds that every row starts from.
        weights: of the rows.

    Without any conversion a free intercept would run away: it stops at a rate of half a
    conversion among all rows.
    """
    whole = np.column_stack([np.ones(len(design)), design])
    precision = np.concatenate([[prior.intercept + _TINY], prior.coefficients])
    found = np.zeros(whole.shape[1])
    found[0] = _first_intercept(outcomes, offset)
    if outcomes.came.sum() == 0:
        return YoungFit(float(found[0]), found[1:])
    for _ in range(_STEPS):
        probability = probability_of(offset + whole @ found)
        slope = whole.T @ (weights * (outcomes.soft_labels(probability) - probability))
        slope -= precision * found
        bend = (whole.T * (weights * _information(probability, outcomes))) @ whole
        step = np.linalg.solve(bend + np.diag(precision), slope)
        found += np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        if np.abs(step).max() < _CLOSE:
            break
    return YoungFit(float(found[0]), found[1:])


def _information(probability: Floats, outcomes: YoungOutcomes) -> Floats:
    """Return what a row tells of its log-odds on average: F p (1 − p)² / (1 − p F)."""
    share = outcomes.known_share
    open_share = np.maximum(1.0 - probability * share, _TINY)
    return np.asarray(share * probability * (1.0 - probability) ** 2 / open_share + _TINY)


def _first_intercept(outcomes: YoungOutcomes, offset: Floats | float) -> float:
    known = max(float(outcomes.known_share.sum()), 1.0)
    rate = min(max(float(outcomes.came.sum()), 0.5) / known, 0.5)
    return float(np.log(rate / (1.0 - rate)) - np.mean(offset)) if np.ndim(offset) == 0 else 0.0
