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
# So many conversions since a change are enough to learn from them alone.
_ENOUGH_CONVERSIONS = 300


@dataclass(frozen=True)
class Request:
    """Whether to retrain, for which named reason, why in words, and for which change."""

    is_needed: bool
    reason: Reason
    why: str
    change: Change | None = None


@dataclass(frozen=True)
class Attempt:
    """A retraining of late: its reason, as of when (microseconds), and what was decided."""

    reason: str
    as_of: int
    decision: str


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
    found = _standing_reasons(changes, trained_at, as_of, settings)
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


def _is_broken(request: Request) -> bool:
    return request.change is not None and request.change.kind in _BROKEN_KINDS


def _unless_tried(
    request: Request, attempts: Sequence[Attempt], as_of: int, settings: MonitoringSettings
) -> Request:
    """Return the request, not needed if the same was tried of late: its data are hardly newer."""
    # The calendar asks again after as long as it waited; a change, sooner.
    days = (
        settings.retrain_after_days if request.reason == "schedule" else settings.retry_after_days
    )
    first = as_of - round(days * timeline.MICROS_PER_DAY) + 1
    tried = [a for a in attempts if a.reason == request.reason and timeline.is_from(a.as_of, first)]
    if not request.is_needed or not tried:
        return request
    last = max(tried, key=lambda attempt: attempt.as_of)
    again = _day(last.as_of + round(days * timeline.MICROS_PER_DAY))
    why = f"nothing to do: tried on {_day(last.as_of)} ({last.decision}); again from {again} on"
    return replace(request, is_needed=False, why=why)


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // timeline.MICROS_PER_SECOND, tz=UTC).date().isoformat()


def treatment_of(
    request: Request, *, is_same_target: bool, conversions_since: int, has_horizon: bool
) -> Treatment:
    """Return how to learn again for a reason.

    Args:
        request: the reason, with the change that it names.
        is_same_target: whether the champion answers the question that the config asks.
        conversions_since: conversions known among points since the change.
        has_horizon: whether outcomes have dates, so that young ones can be learnt from.
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
    if change.kind == "concept" and conversions_since < _ENOUGH_CONVERSIONS:
        why = (
            f"{conversions_since} conversions since the change are too few to learn from alone: "
            "the champion is corrected in a few columns, by young outcomes too"
        )
        return Treatment("correction", why, change.since)
    if change.kind == "concept":
        why = f"{conversions_since} conversions since the change are enough to learn from alone"
        return Treatment("tournament", why, change.since)
    return Treatment("tournament", "all rows count, the latest more where that helps")
