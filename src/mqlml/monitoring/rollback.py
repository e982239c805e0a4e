"""Whether the champion does worse than the one before it: looked at every week, honest all year.

A test that is looked at again and again finds something in the end. This one may be: the bound
on the summed difference of losses (the normal mixture of Robbins, 1970) is crossed at any time
with probability α at most, while both are equally good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Floats
from mqlml.modeling.young_labels import YoungOutcomes
from mqlml.monitoring.promotion import FEWEST_CONVERSIONS

# Of the bound's whole life; within 26 weeks about half of that (measured, `make bench-loop`).
_ALPHA = 0.08
# Where the bound is tightest, as a share of the variance that 26 weeks of leads bring.
_TIGHTEST_CONVERSIONS = 250.0


@dataclass(frozen=True)
class Comeback:
    """Whether to go back to the previous champion, and the figures behind it."""

    is_proposed: bool
    why: str
    loss: float = 0.0
    evidence: float = 0.0
    conversions: int = 0


def propose_rollback(
    leads: Sequence[Any] | npt.NDArray[Any],
    outcomes: YoungOutcomes,
    *,
    champion: Floats,
    previous: Floats,
) -> Comeback:
    """Return whether the champion is worse than the one before on leads since its promotion.

    Args:
        leads: the lead of each point; a lead's points stand together.
        outcomes: what is known of them by now.
        champion: its probabilities.
        previous: those of the champion before.
    """
    codes, _ = pd.factorize(np.asarray(leads))
    conversions = int((np.bincount(codes, outcomes.came) > 0).sum())
    if conversions < FEWEST_CONVERSIONS:
        found = f"{conversions} leads converted since its promotion, {FEWEST_CONVERSIONS} needed"
        return Comeback(False, f"too early to tell: {found}", conversions=conversions)
    worse = outcomes.losses(champion) - outcomes.losses(previous)
    by_lead = np.bincount(codes, worse)
    total = float(by_lead.sum())
    variance = float((by_lead**2).sum())
    if variance == 0:
        return Comeback(False, "it says what the previous champion says", conversions=conversions)
    per_conversion = variance / conversions
    bound = mixture_bound(variance, _TIGHTEST_CONVERSIONS * per_conversion)
    share = total / max(float(outcomes.losses(previous).sum()), 1e-12)
    evidence = total / bound
    way = "worse" if total > 0 else "better"
    said = f"its log loss is {abs(share):.1%} {way} than the previous champion's"
    if evidence >= 1.0:
        why = f"{said} on {len(by_lead):,} leads since its promotion, beyond luck: go back"
        return Comeback(True, why, share, evidence, conversions)
    return Comeback(False, f"{said}; that may be luck", share, evidence, conversions)


def mixture_bound(variance: float, tightest: float, *, alpha: float = _ALPHA) -> float:
    """Return the bound that a sum of this variance crosses, ever, with probability `alpha`.

    One-sided; `tightest` is the variance at which it is tightest.
    """
    looked_for = 2.0 * np.log(1.0 / (2.0 * alpha))
    rho = tightest / (looked_for + np.log(1.0 + looked_for))
    whole = variance + rho
    return float(np.sqrt(2.0 * whole * np.log1p(np.sqrt(whole / rho) / (2.0 * alpha))))
