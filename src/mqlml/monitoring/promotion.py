"""Whether a challenger is better than the champion, and safe enough to take over unasked.

Better: a paired difference of losses on points that neither learnt from, a lead's points
standing or falling together, so many standard errors that luck would rarely do it. Safe: it is
about as well calibrated, no persona is served clearly worse, it calls about as many leads MQL,
and it leans on about the same things. What fails one of the first two stays out; what fails
one of the last two waits for a person's yes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Floats
from mqlml.modeling.metrics import calibration_error
from mqlml.modeling.young_labels import YoungOutcomes
from mqlml.monitoring.settings import MonitoringSettings

FEWEST_CONVERSIONS = 20
# A challenger may be this much worse calibrated than the champion, no more.
_CALIBRATION_SLACK = 0.01
_WORST_PERSONA_Z = 2.33
_MOST_VOLUME_RATIO = 2.0
_LEAST_SHARED_REASONS = 0.3
_REASONS_LOOKED_AT = 10


@dataclass(frozen=True)
class Decision:
    """Whether the challenger becomes champion, or waits for a person, why, and the figures."""

    promote: bool
    why: str
    figures: dict[str, float] = field(default_factory=dict)
    asks: bool = False


@dataclass(frozen=True)
class Sides:
    """What both models say beyond probabilities, for the guards.

    Thresholds are those from which each calls a lead MQL; `recent` are what each says of the
    latest leads, whose outcomes need not be known; weights are each column's mean absolute
    contribution.
    """

    champion_threshold: float
    challenger_threshold: float
    champion_recent: Floats
    challenger_recent: Floats
    champion_weights: Mapping[str, float] = field(default_factory=dict)
    challenger_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Points that neither model learnt from, what is known of them, and what both say.

    `personas` maps a persona's name to which points are its leads'; `is_change_expected` is
    true when what makes leads convert is known to have changed, so that other reasons are no
    surprise.
    """

    leads: Sequence[Any] | npt.NDArray[Any]
    outcomes: YoungOutcomes
    champion: Floats
    challenger: Floats
    personas: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    sides: Sides | None = None
    is_change_expected: bool = False


def judge(
    compared: Compared, settings: MonitoringSettings, *, is_follow_up: bool = False
) -> Decision:
    """Return whether the challenger takes over; `promote_z` standard errors make it better.

    A follow-up is the champion's own correction learnt from more leads: it need only do no
    worse on leads that neither had seen.
    """
    needed = 0.0 if is_follow_up else settings.promote_z
    conversions = int(compared.outcomes.came.sum())
    if conversions < FEWEST_CONVERSIONS:
        found = f"{conversions} conversions to compare on, {FEWEST_CONVERSIONS} needed"
        rows = float(len(compared.outcomes.came))
        figures = {"rows": rows, "conversions": float(conversions)}
        return Decision(False, f"kept the champion: {found}", figures)
    figures = _figures(compared)
    gain, z = figures["log_loss_gain"], figures["z"]
    way = "lower" if gain >= 0 else "higher"
    said = (
        f"log loss is {abs(gain):.4f} {way} on the latest leads: "
        f"{z:.2f} standard errors better, {needed:g} needed"
    )
    if z < needed:
        return Decision(False, f"kept the champion, as the challenger's {said}", figures)
    against = [*_calibration_fault(figures), *_persona_faults(compared)]
    if against:
        return Decision(False, f"kept the champion: {'; '.join(against)}", figures)
    doubts = [*_volume_doubt(compared, figures), *_reason_doubt(compared, figures)]
    if doubts:
        why = f"waits for a person's yes: the challenger's {said}, but {'; '.join(doubts)}"
        return Decision(False, why, figures, asks=True)
    return Decision(True, f"promoted the challenger, as its {said}", figures)


def paired(gain: Floats, leads: Sequence[Any] | npt.NDArray[Any]) -> tuple[float, float]:
    """Return the mean of row-wise gains and its standard error, leads standing together."""
    codes, _ = pd.factorize(np.asarray(leads))
    total = np.bincount(codes, gain - gain.mean())
    return float(gain.mean()), float(np.sqrt((total**2).sum())) / len(gain)


def _figures(compared: Compared) -> dict[str, float]:
    outcomes = compared.outcomes
    champion, challenger = (
        outcomes.losses(said) for said in (compared.champion, compared.challenger)
    )
    mean, error = paired(champion - challenger, compared.leads)
    return {
        "rows": float(len(champion)),
        "leads": float(len(pd.unique(np.asarray(compared.leads)))),
        "conversions": float(outcomes.came.sum()),
        "champion_log_loss": float(champion.mean()),
        "challenger_log_loss": float(challenger.mean()),
        "log_loss_gain": mean,
        "standard_error": error,
        "z": mean / error if error > 0 else 0.0,
        # Of young points what should have come by now is compared with what came.
        "champion_calibration_error": calibration_error(
            outcomes.came, compared.champion * outcomes.known_share
        ),
        "challenger_calibration_error": calibration_error(
            outcomes.came, compared.challenger * outcomes.known_share
        ),
    }


def _calibration_fault(figures: Mapping[str, float]) -> list[str]:
    worse = figures["challenger_calibration_error"] - figures["champion_calibration_error"]
    if worse <= _CALIBRATION_SLACK:
        return []
    return [f"the challenger is worse calibrated by {worse:.3f}"]


def _persona_faults(compared: Compared) -> list[str]:
    """Return the personas that are served worse, beyond luck among so many personas."""
    faults = []
    needed = _WORST_PERSONA_Z if len(compared.personas) < 5 else _WORST_PERSONA_Z + 0.5
    for name, is_theirs in compared.personas.items():
        rows = np.flatnonzero(is_theirs)
        outcomes = compared.outcomes.rows(rows)
        if outcomes.came.sum() < FEWEST_CONVERSIONS:
            continue
        gain = outcomes.losses(compared.champion[rows]) - outcomes.losses(compared.challenger[rows])
        mean, error = paired(gain, np.asarray(compared.leads)[rows])
        if error > 0 and mean / error < -needed:
            faults.append(
                f"it is worse for the persona {name!r} by {-mean:.4f} "
                f"({-mean / error:.1f} standard errors)"
            )
    return faults


def _volume_doubt(compared: Compared, figures: dict[str, float]) -> list[str]:
    sides = compared.sides
    if sides is None:
        return []
    before = float((sides.champion_recent >= sides.champion_threshold).mean())
    after = float((sides.challenger_recent >= sides.challenger_threshold).mean())
    figures["champion_mql_share"], figures["challenger_mql_share"] = before, after
    few = 1.0 / max(len(sides.champion_recent), 1)
    ratio = (after + few) / (before + few)
    if 1 / _MOST_VOLUME_RATIO <= ratio <= _MOST_VOLUME_RATIO:
        return []
    return [f"it would call {after:.1%} of the latest leads MQL instead of {before:.1%}"]


def _reason_doubt(compared: Compared, figures: dict[str, float]) -> list[str]:
    sides = compared.sides
    if sides is None or not sides.champion_weights or not sides.challenger_weights:
        return []
    shared = shared_reasons(sides.champion_weights, sides.challenger_weights)
    figures["shared_reasons"] = shared
    if compared.is_change_expected or shared >= _LEAST_SHARED_REASONS:
        return []
    return [f"only {shared:.0%} of what it leans on is what the champion leans on"]


def shared_reasons(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return which share of both models' ten strongest columns they have in common.

    >>> shared_reasons({"a": 2.0, "b": 1.0}, {"b": 3.0, "c": 1.0})
    0.3333333333333333
    """
    first, second = (_strongest(weights) for weights in (before, after))
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def _strongest(weights: Mapping[str, float]) -> set[str]:
    ranked = sorted(weights, key=lambda name: (-weights[name], name))
    return {name for name in ranked[:_REASONS_LOOKED_AT] if weights[name] > 0}
