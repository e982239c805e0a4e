"""Whether to train again, and whether what came out is better than the champion."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.modeling.metrics import calibration_error, log_losses
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.settings import MonitoringSettings

Floats = npt.NDArray[np.float64]
Reason = Literal["auto", "schedule", "drift", "criteria", "data", "manual", "erasure"]

_FEWEST_CONVERSIONS = 20
# A challenger may be this much worse calibrated than the champion, no more.
_CALIBRATION_SLACK = 0.01
_DRIFT_KINDS = ("concept", "prior", "covariate")


@dataclass(frozen=True)
class Request:
    """Whether to retrain, for which named reason, and why in words."""

    is_needed: bool
    reason: Reason
    why: str


@dataclass(frozen=True)
class Decision:
    """Whether the challenger becomes champion, why, and the figures behind it."""

    promote: bool
    why: str
    figures: dict[str, float] = field(default_factory=dict)


def retrain_request(
    reason: Reason,
    changes: Sequence[Change],
    *,
    trained_at: int,
    as_of: int,
    settings: MonitoringSettings,
) -> Request:
    """Return whether to retrain when asked to for `reason`; "nothing to do" is an answer.

    "auto" looks for the strongest reason itself: broken inputs (then it waits for
    the repair), a change, criteria, the calendar. "drift", "criteria" and
    "schedule" are done only if there is such a thing; "data" and "manual" always.

    Args:
        reason: as named by the caller.
        changes: what monitoring found.
        trained_at: up to when the champion knew the data, microseconds.
        as_of: now, microseconds.
        settings: `retrain_after_days` is the calendar.
    """
    if reason in ("manual", "data"):
        return Request(True, reason, f"asked for by reason {reason!r}")
    found = _standing_reasons(changes, trained_at, as_of, settings)
    wanted = [r for r in found if reason in ("auto", r.reason) or not r.is_needed]
    if wanted:
        return wanted[0]
    if reason == "auto":
        return Request(False, "auto", "nothing to do: no change found and the champion is young")
    return Request(False, reason, f"nothing to do: there is no {reason} to retrain for")


def _standing_reasons(
    changes: Sequence[Change], trained_at: int, as_of: int, settings: MonitoringSettings
) -> list[Request]:
    broken = [c for c in changes if c.kind == "instrumentation" and c.is_alarm]
    if broken:
        columns = ", ".join(broken[0].columns)
        return [Request(False, "data", f"nothing to do before these inputs are mended: {columns}")]
    requests = []
    drifted = [c for c in changes if c.kind in _DRIFT_KINDS and c.is_alarm]
    if drifted:
        requests.append(Request(True, "drift", f"{drifted[0].kind}: {drifted[0].evidence}"))
    edited = [c for c in changes if c.kind == "definition"]
    if edited:
        requests.append(Request(True, "criteria", f"criteria changed: {edited[0].evidence}"))
    age_days = (as_of - trained_at) / timeline.MICROS_PER_DAY
    if age_days >= settings.retrain_after_days:
        why = f"the champion's data end {age_days:.0f} days ago"
        requests.append(Request(True, "schedule", why))
    return requests


def challenger_gate(
    leads: Sequence[Any] | npt.NDArray[Any],
    labels: Floats,
    *,
    champion: Floats,
    challenger: Floats,
    settings: MonitoringSettings,
) -> Decision:
    """Return whether the challenger's probabilities beat the champion's, point by point.

    Compares log loss on mature points that neither learnt from; a lead's points
    stand or fall together. Promotes when the gain is `promote_z` standard errors
    or more and calibration does not suffer.

    Args:
        leads: the lead of each point.
        labels: 1 or 0.
        champion: its probabilities.
        challenger: its probabilities.
        settings: `promote_z`.
    """
    conversions = int(np.sum(labels))
    if conversions < _FEWEST_CONVERSIONS:
        found = f"{conversions} conversions to compare on, {_FEWEST_CONVERSIONS} needed"
        why = f"kept the champion: {found}"
        return Decision(False, why, {"rows": float(len(labels)), "conversions": float(conversions)})
    figures = _figures(np.asarray(leads), labels, champion, challenger)
    gain, z = figures["log_loss_gain"], figures["z"]
    way = "lower" if gain >= 0 else "higher"
    said = (
        f"log loss is {abs(gain):.4f} {way} on the latest leads: "
        f"{z:.2f} standard errors better, {settings.promote_z:g} needed"
    )
    if z < settings.promote_z:
        return Decision(False, f"kept the champion, as the challenger's {said}", figures)
    worse = figures["challenger_calibration_error"] - figures["champion_calibration_error"]
    if worse > _CALIBRATION_SLACK:
        why = f"kept the champion: the challenger is worse calibrated by {worse:.3f}"
        return Decision(False, why, figures)
    return Decision(True, f"promoted the challenger, as its {said}", figures)


def _figures(
    leads: npt.NDArray[Any], labels: Floats, champion: Floats, challenger: Floats
) -> dict[str, float]:
    gain = log_losses(labels, champion) - log_losses(labels, challenger)
    codes, _ = pd.factorize(leads)
    total = np.bincount(codes, gain - gain.mean())
    error = float(np.sqrt((total**2).sum())) / len(gain)
    mean = float(gain.mean())
    return {
        "rows": float(len(labels)),
        "leads": float(len(total)),
        "conversions": float(labels.sum()),
        "champion_log_loss": float(log_losses(labels, champion).mean()),
        "challenger_log_loss": float(log_losses(labels, challenger).mean()),
        "log_loss_gain": mean,
        "standard_error": error,
        "z": mean / error if error > 0 else 0.0,
        "champion_calibration_error": calibration_error(labels, champion),
        "challenger_calibration_error": calibration_error(labels, challenger),
    }
