"""Past rows as models would have scored them that knew nothing of what came after.

The past is cut into the blocks of a split, and every block is scored by the winner's
kind of model with the winner's settings, learnt from leads that were decided before the
block, and calibrated on the block before. Only the choice of kind and settings saw
more: it was made on these blocks, but for the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mqlml.dataset.splits import Fold, Split
from mqlml.modeling.calibration import (
    IDENTITY,
    Calibration,
    CalibrationKind,
    Floats,
    fit_calibration,
    probability_of,
)
from mqlml.modeling.contestants.contestant import Contestant, Fitted, Setting, setting_of
from mqlml.modeling.search import Material, Rows

CALIBRATION = "calibration"
_Cohorts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """What won: the contestant, its setting, and how it is calibrated."""

    contestant: Contestant
    setting: Setting
    calibration: CalibrationKind


@dataclass(frozen=True)
class Unseen:
    """Rows in ascending order, each with a probability by a model from before its block."""

    rows: Rows
    probability: Floats
    blocks: int


def kind_of(contestant: Contestant, settings: Mapping[str, float | str]) -> Kind:
    """Return the kind that a tournament's result describes by its settings."""
    numbers = {n: float(value) for n, value in settings.items() if n != CALIBRATION}
    known: dict[str, CalibrationKind] = {"shift": "shift", "platt": "platt"}
    return Kind(contestant, setting_of(**numbers), known.get(str(settings[CALIBRATION]), "none"))


def unseen_probabilities(material: Material, cohort: _Cohorts, split: Split, kind: Kind) -> Unseen:
    """Return all rows of leads from the first block on, labelled or not.

    Args:
        material: rows to learn from and to score.
        cohort: when each row's lead had its first point; a lead belongs to that block.
        split: folds, and the test, which is the last block.
        kind: what is learnt for every block.
    """
    # One thread for linear algebra, so that the last digit does not depend on the machine.
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    blocks = (*split.folds, Fold(split.development, split.test))
    starts = np.array([int(cohort[block.valid].min()) for block in blocks])
    place = np.searchsorted(starts, cohort, side="right") - 1
    found = np.full(len(cohort), np.nan)
    before: tuple[Fitted, Fold] | None = None
    with threadpool_limits(limits=1, user_api="blas"):
        for number, block in enumerate(blocks):
            fitted = kind.contestant.fit(material.training(block.train), kind.setting)
            calibration = _calibration(fitted, before, block, material, kind)
            rows = np.flatnonzero(place == number)
            log_odds = fitted.log_odds(material.matrix.iloc[rows])
            found[rows] = probability_of(calibration.apply(log_odds))
            before = (fitted, block)
    rows = np.flatnonzero(place >= 0)
    return Unseen(rows, found[rows], len(blocks))


def _calibration(
    fitted: Fitted, before: tuple[Fitted, Fold] | None, block: Fold, material: Material, kind: Kind
) -> Calibration:
    """Return the calibration by the block before, as far as it was decided in time."""
    if before is None:
        return IDENTITY
    earlier, last = before
    rows = np.intersect1d(last.valid, block.train)
    matrix, labels = material.matrix.iloc[rows], material.labels[rows]
    if len(rows) == 0:
        return IDENTITY
    own, forward = fitted.log_odds(matrix), earlier.log_odds(matrix)
    return fit_calibration(own, forward, labels, kind.calibration)
