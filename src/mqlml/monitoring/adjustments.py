"""The ways to adjust a champion to what came since a change, and which of them is worth it."""

from dataclasses import dataclass
from typing import Literal

from mqlml.modeling.adjustment import Evidence, Learnt, correct, out_of_fold, recalibrate
from mqlml.modeling.calibration import Floats, probability_of
from mqlml.monitoring.promotion import paired
from mqlml.monitoring.retraining import Approach

# By how many standard errors a correction must beat recalibration alone.
_WORTH_IT = {"correction": 0.5, "recalibration": 2.0}


@dataclass(frozen=True)
class Adjustment:
    """A way to adjust: what was learnt, and its probabilities of leads its fits had not seen."""

    name: Literal["recalibrated", "corrected"]
    learnt: Learnt
    said: Floats


def adjustments(evidence: Evidence, *, seed: int) -> tuple[Adjustment, Adjustment]:
    """Return the champion recalibrated, and corrected in a few columns."""
    return (
        Adjustment(
            "recalibrated",
            recalibrate(evidence),
            probability_of(out_of_fold(evidence, recalibrate, seed=seed)),
        ),
        Adjustment(
            "corrected",
            correct(evidence, seed),
            probability_of(out_of_fold(evidence, correct, seed=seed)),
        ),
    )


def chosen_adjustment(
    tried: tuple[Adjustment, Adjustment], evidence: Evidence, approach: Approach
) -> Adjustment:
    """Return the correction where it beats recalibration, else the simpler of the two."""
    simple, involved = tried
    known = evidence.outcomes
    gain, error = paired(known.losses(simple.said) - known.losses(involved.said), evidence.leads)
    needed = _WORTH_IT.get(approach, 0.0)
    return involved if error > 0 and gain / error >= needed else simple
