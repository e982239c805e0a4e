"""Adjusting a model to a change: recalibrated, or corrected in a few columns, by young labels.

Both are judged on leads that their fit had not seen: the leads are dealt into folds, and what is
said of a fold comes from a fit on the others, the choice of columns included.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Calibration, Floats, probability_of
from mqlml.modeling.encoders import LinearEncoder, fit_linear_encoder
from mqlml.modeling.model import CalibratedModel
from mqlml.modeling.residual import Correction, FittedResidual
from mqlml.modeling.young_labels import Prior, YoungFit, YoungOutcomes, fit_young

Rows = npt.NDArray[np.intp]

_FOLDS = 5
# Standard deviations of the priors, in log-odds: a base rate may well move by one, an old
# score is rarely worth half or twice, and few columns change by much.
_SHIFT_SPREAD = 2.0
_STRETCH_SPREAD = 0.5
_FEW = 12
_LEAST_Z = 1.5
# However many columns a table has, a correction is learnt in so many at most.
_MANY = 100
# Few columns that lean clearly, loosely held; or nearly all, tightly: a change may be either.
_HOLDS = ((_FEW, (0.15, 0.3, 0.6)), (_MANY, (0.12,)))
_HOLD_FOLDS = 3


@dataclass(frozen=True)
class Evidence:
    """Rows since the change: what the old model says, what is known, whose they are.

    `design` has one column per candidate, centred and of unit spread; those of `named`
    (what the diagnosis found) are taken whatever their own evidence.
    """

    offset: Floats
    design: Floats
    outcomes: YoungOutcomes
    leads: npt.NDArray[np.int64]
    named: tuple[int, ...] = ()

    def rows(self, rows: Rows) -> "Evidence":
        """Return the evidence of some rows."""
        outcomes = self.outcomes.rows(rows)
        leads = self.leads[rows]
        return Evidence(self.offset[rows], self.design[rows], outcomes, leads, self.named)


@dataclass(frozen=True)
class Learnt:
    """Log-odds = shift + stretch × offset + design · coefficients."""

    shift: float
    stretch: float
    coefficients: Floats

    def log_odds(self, offset: Floats, design: Floats) -> Floats:
        """Return the log-odds of each row."""
        return np.asarray(self.shift + self.stretch * offset + design @ self.coefficients)


Fit = Callable[[Evidence, int], Learnt]


def recalibrate(evidence: Evidence, _seed: int = 0) -> Learnt:
    """Return shift and stretch alone."""
    return _learnt(evidence, np.zeros(0, dtype=np.intp), spread=1.0)


def correct(evidence: Evidence, seed: int) -> Learnt:
    """Return shift, stretch and columns, as many and as tightly held as foretells leads best."""
    breadth, spread = _best_hold(evidence, seed)
    return _learnt(evidence, _chosen(evidence, breadth), spread=spread)


def out_of_fold(evidence: Evidence, fit: Fit, *, seed: int, folds: int = _FOLDS) -> Floats:
    """Return log-odds of every row from fits that had not seen its lead."""
    fold_of = _folds_of(evidence.leads, seed, folds)
    said = np.empty(len(fold_of))
    for fold in range(folds):
        held = np.flatnonzero(fold_of == fold)
        learnt = fit(evidence.rows(np.flatnonzero(fold_of != fold)), seed)
        said[held] = learnt.log_odds(evidence.offset[held], evidence.design[held])
    return said


def _folds_of(leads: npt.NDArray[np.int64], seed: int, folds: int) -> npt.NDArray[np.int64]:
    """Return each row's fold; the rows of a lead are together."""
    _, codes = np.unique(leads, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(int(codes.max(initial=-1)) + 1) % folds
    return np.asarray(dealt[codes], dtype=np.int64)


def _stretched(evidence: Evidence) -> tuple[Floats, float]:
    """Return the offset around its mean, as a column whose coefficient is stretch − 1."""
    centre = float(evidence.offset.mean())
    return evidence.offset - centre, centre


def _learnt(evidence: Evidence, chosen: Rows, *, spread: float) -> Learnt:
    away, centre = _stretched(evidence)
    design = np.column_stack([away, evidence.design[:, chosen]])
    held = np.concatenate([[_STRETCH_SPREAD**-2], np.full(len(chosen), spread**-2.0)])
    prior = Prior(held, _SHIFT_SPREAD**-2)
    fit = fit_young(design, evidence.outcomes, prior=prior, offset=evidence.offset)
    return _as_learnt(fit, centre, chosen, evidence.design.shape[1])


def _as_learnt(fit: YoungFit, centre: float, chosen: Rows, width: int) -> Learnt:
    coefficients = np.zeros(width)
    coefficients[chosen] = fit.coefficients[1:]
    more = float(fit.coefficients[0])
    return Learnt(fit.intercept - more * centre, 1.0 + more, coefficients)


def _chosen(evidence: Evidence, breadth: int) -> Rows:
    """Return the columns that lean most beside shift and stretch, and those that were named.

    Of few columns each must lean clearly; of many none need.
    """
    fit = recalibrate(evidence)
    probability = probability_of(fit.log_odds(evidence.offset, evidence.design))
    residual = evidence.outcomes.soft_labels(probability) - probability
    share = evidence.outcomes.known_share
    open_share = 1.0 - probability * share
    weight = share * probability * (1.0 - probability) ** 2 / np.maximum(open_share, 1e-12)
    away = evidence.offset - evidence.offset.mean()
    frame = np.column_stack([np.ones(len(away)), away])
    # What shift and stretch already say is taken out of every column.
    shared = np.linalg.solve(
        (frame.T * weight) @ frame + 1e-9 * np.eye(2), (frame.T * weight) @ evidence.design
    )
    own = evidence.design - frame @ shared
    lean = own.T @ residual
    z = np.abs(lean) / np.sqrt(np.maximum((own**2 * weight[:, None]).sum(axis=0), 1e-12))
    ranked = np.argsort(-z, kind="stable")[:breadth]
    least = _LEAST_Z if breadth == _FEW else 0.0
    kept = {int(j) for j in ranked if z[j] > least} | set(evidence.named)
    return np.array(sorted(kept), dtype=np.intp)


def _best_hold(evidence: Evidence, seed: int) -> tuple[int, float]:
    """Return how many columns, and the spread of their prior, foretell unseen leads best.

    The columns too are chosen without the leads that are foretold.
    """
    fold_of = _folds_of(evidence.leads, seed + 1, _HOLD_FOLDS)
    losses: dict[tuple[int, float], float] = {}
    for fold in range(_HOLD_FOLDS):
        held, seen = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        learnt_from, known = evidence.rows(seen), evidence.outcomes.rows(held)
        for breadth, spreads in _HOLDS:
            chosen = _chosen(learnt_from, breadth)
            for spread in spreads:
                learnt = _learnt(learnt_from, chosen, spread=spread)
                said = learnt.log_odds(evidence.offset[held], evidence.design[held])
                loss = float(known.losses(probability_of(said)).sum())
                losses[breadth, spread] = losses.get((breadth, spread), 0.0) + loss
    return min(losses, key=lambda hold: losses[hold])


@dataclass(frozen=True)
class Encoded:
    """A matrix as design columns of unit spread, and how to say a correction in plan columns."""

    encoder: LinearEncoder
    centre: Floats
    scale: Floats
    design: Floats

    def correction(self, learnt: Learnt) -> Correction:
        """Return what was learnt on the design, as a bundle keeps it."""
        return Correction(
            encoder=self.encoder,
            coefficients=tuple((learnt.coefficients / self.scale).tolist()),
            centre=tuple(self.centre.tolist()),
            shift=learnt.shift,
            stretch=learnt.stretch,
        )


def encoded(matrix: pd.DataFrame, model: CalibratedModel, columns: tuple[str, ...]) -> Encoded:
    """Return the rows' design over `columns`: numbers straight, categories by level."""
    dropped = tuple(name for name in model.shape.columns if name not in columns)
    encoder = _straight(fit_linear_encoder(matrix, model.shape.without(dropped)))
    raw = encoder.transform(matrix)
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return Encoded(encoder, centre, scale, (raw - centre) / scale)


def _straight(encoder: LinearEncoder) -> LinearEncoder:
    """Return the encoder without bends: there is too little to learn them from."""
    from dataclasses import replace

    numbers = tuple(replace(code, knots=()) for code in encoder.numbers)
    return LinearEncoder(numbers, encoder.categories)


def recalibrated_model(model: CalibratedModel, learnt: Learnt) -> CalibratedModel:
    """Return the model itself with its calibration shifted and stretched."""
    old = model.calibration
    shift = learnt.shift + learnt.stretch * old.shift
    return CalibratedModel(
        model.fitted, Calibration(shift, learnt.stretch * old.slope), model.shape
    )


def corrected_model(model: CalibratedModel, learnt: Learnt, design: Encoded) -> CalibratedModel:
    """Return the model with a correction around it."""
    fitted = FittedResidual(model, design.correction(learnt))
    return CalibratedModel(fitted, Calibration(), model.shape)
