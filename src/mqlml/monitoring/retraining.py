"""Whether to train again, for which named reason, and in which way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from mqlml import timeline
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.settings import MonitoringSettings

Reason = Literal["auto", "schedule", "drift", "criteria", "data", "review", "manual", "erasure"]
Approach = Literal["tournament", "correction", "recalibration", "new criteria"]

# Whoever names one of these has looked: no cause is asked for.
ON_REQUEST: tuple[Reason, ...] = ("data", "review", "manual")
# Of these the world changed, not the tables: there is something new to learn.
# Others ask for a training only where their diagnosis proposes one: new inputs alone do not.
_DRIFT_KINDS = ("concept", "prior", "sales_cycle")
_TRAINING = ("retrain", "recalibrate")
_BROKEN_KINDS = ("instrumentation", "bots")
# What is found of a corrected champion in these is what its correction left.
_FOLLOWED_KINDS = ("concept", "prior")
_GROWTH = 1 / 3
# So many conversions since a change are enough to learn from them alone.
_ENOUGH_CONVERSIONS = 300


@dataclass(frozen=True)
class Request:
    """Whether to retrain, for which named reason, why in words, and for which change."""

    is_needed: bool
    reason: Reason
    why: str
    change: Change | None = None
    is_follow_up: bool = False


@dataclass(frozen=True)
class Attempt:
    """A retraining of late: its reason, as of when (microseconds), and what was decided.

    `corrects` is set where today's champion came of it as a correction: the moment since
    which that champion is corrected.
    """

    reason: str
    as_of: int
    decision: str
    corrects: int | None = None


@dataclass(frozen=True)
class Treatment:
    """How to learn again, why so, and the moment before which rows no longer count."""

    approach: Approach
    why: str
    since: int | None = None


def retrain_request(
    reason: Reason,
    changes: Sequence[Change],
    *,
    trained_at: int,
    as_of: int,
    settings: MonitoringSettings,
    attempts: Sequence[Attempt] = (),
) -> Request:
    """Return whether to retrain when asked to for `reason`; "nothing to do" is an answer.

    "auto" looks for the strongest reason itself: broken inputs (then it waits for
    the repair), a change, criteria, the calendar. "drift", "criteria" and
    "schedule" are done only if there is such a thing; "data", "review" and "manual" always.

    Args:
        reason: as named by the caller.
        changes: what monitoring found.
        trained_at: up to when the champion knew the data, microseconds.
        as_of: now, microseconds.
        settings: `retrain_after_days` is the calendar, `retry_after_days` how long "auto" waits
            before it tries again what did not help.
        attempts: the retrainings before, in whichever order.
    """
    if reason in ON_REQUEST:
        return Request(True, reason, f"asked for by reason {reason!r}")
    unfinished = _unfinished(attempts)
    found = _standing_reasons(changes, trained_at, as_of, settings)
    if unfinished is not None:
        found = _followed_up(found, unfinished, is_auto=reason == "auto")
    wanted = [r for r in found if reason in ("auto", r.reason) or not r.is_needed]
    if reason == "auto":
        wanted = [_unless_tried(r, attempts, as_of, settings) for r in wanted]
        wanted.sort(key=lambda request: not request.is_needed and not _is_broken(request))
    if wanted:
        return wanted[0]
    if reason == "auto":
        return Request(False, "auto", "nothing to do: no change found and the champion is young")
    return Request(False, reason, f"nothing to do: there is no {reason} to retrain for")


def _asks_for_training(change: Change) -> bool:
    return change.kind in _DRIFT_KINDS or (
        change.kind != "definition" and change.proposal in _TRAINING
    )


def _standing_reasons(
    changes: Sequence[Change], trained_at: int, as_of: int, settings: MonitoringSettings
) -> list[Request]:
    broken = [c for c in changes if c.kind in _BROKEN_KINDS and c.is_alarm]
    if broken:
        columns = ", ".join(broken[0].columns) or broken[0].evidence
        why = f"nothing to do before these inputs are mended: {columns}"
        return [Request(False, "data", why, broken[0])]
    requests = []
    drifted = [c for c in changes if _asks_for_training(c) and c.is_alarm]
    if drifted:
        why = f"{drifted[0].kind}: {drifted[0].evidence}"
        requests.append(Request(True, "drift", why, drifted[0]))
    edited = [c for c in changes if c.kind == "definition"]
    if edited:
        why = f"criteria changed: {edited[0].evidence}"
        requests.append(Request(True, "criteria", why, edited[0]))
    age_days = (as_of - trained_at) / timeline.MICROS_PER_DAY
    if age_days >= settings.retrain_after_days:
        why = f"the champion's data end {age_days:.0f} days ago"
        requests.append(Request(True, "schedule", why))
    return requests


def _unfinished(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the correction that today's champion is, if it is one."""
    return next((a for a in attempts if a.corrects is not None), None)


def _followed_up(found: list[Request], last: Attempt, *, is_auto: bool) -> list[Request]:
    """Return the reasons, the follow-up of a correction among them; "auto" then has no calendar.

    What outcomes say of a corrected champion is said of the same change: too few of them were
    known when it was corrected.
    """
    if any(_is_broken(request) for request in found):
        return found
    told = next((r for r in found if r.reason == "drift" and r.change is not None), None)
    if told is not None and told.change is not None and told.change.kind not in _FOLLOWED_KINDS:
        return found
    why = f"follow-up of the correction of {_day(last.as_of)}: more outcomes are known since"
    change = Change(
        kind="concept",
        since=last.corrects,
        columns=() if told is None or told.change is None else told.change.columns,
        segment=None,
        evidence=why,
        act="correct the champion again by all that came since the change",
        strength=0.0,
        is_alarm=False,
        proposal="retrain",
    )
    again = Request(True, "drift", why, change, is_follow_up=True)
    others = ("drift", "schedule") if is_auto else ("drift",)
    return [again, *(r for r in found if r.reason not in others)]


def _is_broken(request: Request) -> bool:
    return request.change is not None and request.change.kind in _BROKEN_KINDS


def _unless_tried(
    request: Request, attempts: Sequence[Attempt], as_of: int, settings: MonitoringSettings
) -> Request:
    """Return the request, not needed if the same was tried of late: its data are hardly newer."""
    days = _pause_days(request, attempts, settings)
    first = as_of - round(days * timeline.MICROS_PER_DAY) + 1
    tried = [a for a in attempts if a.reason == request.reason and timeline.is_from(a.as_of, first)]
    if not request.is_needed or not tried:
        return request
    last = max(tried, key=lambda attempt: attempt.as_of)
    again = _day(last.as_of + round(days * timeline.MICROS_PER_DAY))
    why = f"nothing to do: tried on {_day(last.as_of)} ({last.decision}); again from {again} on"
    return replace(request, is_needed=False, why=why)


def _pause_days(
    request: Request, attempts: Sequence[Attempt], settings: MonitoringSettings
) -> float:
    """Return for how many days what was tried is not tried again.

    The calendar asks again after as long as it waited; a change, sooner. A correction is
    followed up once the time since the change has grown by a third.
    """
    last = _unfinished(attempts)
    if request.is_follow_up and last is not None and last.corrects is not None:
        latest = max(a.as_of for a in attempts if a.reason == request.reason)
        grown = (latest - last.corrects) * _GROWTH / timeline.MICROS_PER_DAY
        return max(settings.follow_up_days, grown)
    if request.reason == "schedule":
        return settings.retrain_after_days
    return settings.retry_after_days


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // timeline.MICROS_PER_SECOND, tz=UTC).date().isoformat()


def treatment_of(
    request: Request,
    *,
    is_same_target: bool,
    conversions_since: int,
    has_horizon: bool,
    is_long: bool = True,
) -> Treatment:
    """Return how to learn again for a reason.

    Args:
        request: the reason, with the change that it names.
        is_same_target: whether the champion answers the question that the config asks.
        conversions_since: conversions known among points since the change.
        has_horizon: whether outcomes have dates, so that young ones can be learnt from.
        is_long: whether the time since the change can be split into folds and a test.
    """
    change = request.change
    if not is_same_target:
        return Treatment("tournament", "the target changed: everything is learnt anew")
    if request.reason == "criteria":
        why = "criteria changed and the target did not: the model stays, its threshold is measured"
        return Treatment("new criteria", why)
    if request.reason != "drift" or change is None or change.since is None or not has_horizon:
        return Treatment("tournament", "all rows count, the latest more where that helps")
    if change.kind == "prior":
        why = "only the level moved: shift and stretch are measured on leads since the change"
        return Treatment("recalibration", why, change.since)
    if change.kind == "concept" and conversions_since >= _ENOUGH_CONVERSIONS and is_long:
        why = f"{conversions_since:,} conversions since the change are enough to learn from alone"
        return Treatment("tournament", why, change.since)
    if change.kind == "concept":
        lacking = "are too few to learn from alone" if is_long else "came in too short a time"
        why = (
            f"{conversions_since:,} conversions since the change {lacking}: "
            "the champion is corrected in a few columns, by young outcomes too"
        )
        return Treatment("correction", why, change.since)
    return Treatment("tournament", "all rows count, the latest more where that helps")
