"""What became of an earlier review's confirmed findings: the effect then and now, what was done."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from mqlml.modeling.metrics import wilson_interval
from mqlml.review.acts import Acts, Done, done_about
from mqlml.review.earlier import COUNTED, Earlier, LastReview, verdicts_on
from mqlml.review.findings import effects_alone, is_small_effect, signed, subject_of
from mqlml.review.unseen_followup import FollowedReason, follow_reasons
from mqlml.review.verdicts import Judged

State = Literal[
    "still there",
    "turned round",
    "kept from sales",
    "no longer found",
    "weaker",
    "no longer in the model",
    "too few verdicts yet",
]
# What these say is settled; the next review need not come back to it.
_SETTLED: tuple[State, ...] = (
    "turned round",
    "kept from sales",
    "no longer found",
    "no longer in the model",
)


@dataclass(frozen=True)
class Now:
    """What newer verdicts say of the same question; the effect is NaN where it cannot be asked."""

    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    more_needed: int = 0
    verdicts: int = 0
    judged: int = 0


@dataclass(frozen=True)
class Followed:
    """One earlier finding, what newer verdicts say of it, and what was done about it."""

    earlier: Earlier
    now: Now
    done: Done
    state: State

    @property
    def is_settled(self) -> bool:
        """Return whether the next review need not come back to it."""
        return self.state in _SETTLED

    def document(self) -> dict[str, Any]:
        """Return the values for programs."""
        one, now = self.earlier, self.now
        return {
            "feature": one.feature,
            "state": self.state,
            "draft": one.draft,
            "done": list(self.done.words),
            "then": {name: getattr(one, name) for name in ("effect", "low", "high")}
            | {"verdicts": one.verdicts, "judged": one.judged},
            "now": {name: _finite(getattr(now, name)) for name in ("effect", "low", "high")}
            | {"verdicts": now.verdicts, "judged": now.judged, "more_needed": now.more_needed},
            "says": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """Return what became of it, in words."""
        done = self.done.words or ("nothing was done about it",)
        about = subject_of(self.earlier.feature, self.earlier.sentence)
        return f"{about}: {_found_words(self)}; {'; '.join(done)}"


@dataclass(frozen=True)
class FollowUp:
    """What became of the last review's findings, and what sales accepted since."""

    last: LastReview
    accepted: int
    rejected: int
    followed: tuple[Followed, ...] = field(default=())
    reasons: tuple[FollowedReason, ...] = field(default=())


def follow_up(last: LastReview, since: Callable[[int], Judged], acts: Acts) -> FollowUp:
    """Return what became of the last review's confirmed findings, and of reasons no column told.

    Args:
        last: the review before.
        since: gives the verdicts at or after a moment.
        acts: what was done in the meantime.
    """
    judged = since(last.until)
    accepted = int(judged.rows["accepted"].sum())
    answers = {
        until: effects_alone(
            since(until), {one.feature: one.asked for one in last.earlier if one.until == until}
        )
        for until in {one.until for one in last.earlier}
    }
    followed = tuple(
        followed_by(one, now_of(one, since(one.until), answers[one.until]), acts)
        for one in last.earlier
    )
    reasons = follow_reasons(last.reasons, since, acts.topics)
    return FollowUp(last, accepted, len(judged.rows) - accepted, followed, reasons)


def followed_by(one: Earlier, now: Now, acts: Acts) -> Followed:
    """Return what became of a finding, by what newer verdicts say and by what was done."""
    done = done_about(one, acts)
    if one.column not in acts.columns:
        return Followed(one, now, done, "no longer in the model")
    return Followed(one, now, done, _state(one, now, is_ruled=done.is_ruled))


def now_of(one: Earlier, judged: Judged, answers: pd.DataFrame) -> Now:
    """Return what `effects_alone` says of a finding, with the number of verdicts on such leads."""
    total = len(judged.rows)
    row = answers.to_dict("index").get(one.feature)
    if row is None:
        return Now(verdicts=verdicts_on(judged, one.feature, one.asked), judged=total)
    return Now(
        effect=float(row["effect"]),
        low=float(row["low"]),
        high=float(row["high"]),
        more_needed=int(row["more_needed"]),
        verdicts=verdicts_on(judged, one.feature, one.asked, int(row["verdicts"])),
        judged=total,
    )


def _state(one: Earlier, now: Now, *, is_ruled: bool) -> State:
    """Return what newer verdicts say; what they cannot say is no success.

    "No longer found" wants more than silence: an effect that is surely too small to matter.
    "Weaker" is one whose interval lies wholly nearer to nought than the earlier one.
    """
    if is_small_effect(now.low, now.high):
        return "no longer found"
    if now.low > 0 or now.high < 0:
        return "still there" if now.effect * one.effect > 0 else "turned round"
    if is_ruled and _is_rarer(one, now):
        return "kept from sales"
    sign = math.copysign(1.0, one.effect)
    is_weaker = max(sign * now.low, sign * now.high) < min(sign * one.low, sign * one.high)
    return "weaker" if is_weaker else "too few verdicts yet"


def _is_rarer(one: Earlier, now: Now) -> bool:
    """Return whether verdicts on such leads are clearly a smaller share than they were."""
    if not (one.judged and now.judged):
        return False
    numbers = np.array([one.judged, now.judged], dtype=np.float64)
    shares = np.array([one.verdicts, now.verdicts]) / numbers
    low, high = wilson_interval(shares, numbers)
    return bool(high[1] < low[0])


def _found_words(followed: Followed) -> str:
    one, now, state = followed.earlier, followed.now, followed.state
    if state == "kept from sales":
        return (
            f"kept from sales: {_share(one.verdicts, one.judged)} of the verdicts were on such "
            f"leads then, {_share(now.verdicts, now.judged)} are now"
        )
    if state == "no longer in the model":
        return f"no longer in the model (effect {signed(one.effect)} then)"
    if state == "too few verdicts yet":
        asked = f" of {now.judged}" if one.asked in COUNTED else ""
        more = f", some {now.more_needed} more are needed" if now.more_needed else ""
        return f"too few verdicts yet: {now.verdicts}{asked} since are on such leads{more}"
    return f"{state} (effect {signed(one.effect)} then, {signed(now.effect)} now)"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
