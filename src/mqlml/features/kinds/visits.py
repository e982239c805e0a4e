"""Kinds that read visits: how many, how deep, how long."""

from collections.abc import Sequence
from itertools import pairwise

from mqlml.features.kinds.kind import EACH_COUNTS, NO_VALUE_USED, Kind, Question, SeenEvent
from mqlml.features.windows import MICROS_PER_MINUTE

SESSION_GAP = 30 * MICROS_PER_MINUTE


def _visits(events: Sequence[SeenEvent]) -> list[list[int]]:
    """Return the times of the events of each visit."""
    visits = [[event.at] for event in events[:1]]
    for earlier, later in pairwise(events):
        if later.at - earlier.at > SESSION_GAP:
            visits.append([])
        visits[-1].append(later.at)
    return visits


def _sessions(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len(_visits(events)))


def _mean_events(events: Sequence[SeenEvent], _: Question) -> float:
    visits = _visits(events)
    return len(events) / len(visits) if visits else float("nan")


def _max_events(events: Sequence[SeenEvent], _: Question) -> float:
    return max((float(len(visit)) for visit in _visits(events)), default=float("nan"))


def _mean_minutes(events: Sequence[SeenEvent], _: Question) -> float:
    visits = _visits(events)
    spent = sum(visit[-1] - visit[0] for visit in visits)
    return spent / len(visits) / MICROS_PER_MINUTE if visits else float("nan")


def _max_minutes(events: Sequence[SeenEvent], _: Question) -> float:
    longest = max((visit[-1] - visit[0] for visit in _visits(events)), default=None)
    return float("nan") if longest is None else longest / MICROS_PER_MINUTE


_SAME_VISIT = "Events at the same instant are one visit."

SESSIONS = Kind(
    name="sessions",
    means=(
        "How many visits the events form: a new visit begins when more than 30 minutes have "
        "passed since the event before. The first event in the window begins a visit."
    ),
    nulls=NO_VALUE_USED,
    empty="0",
    ties=_SAME_VISIT,
    repeats="Events of one visit count once.",
    sentence="visits with {says} {within}",
    measure=_sessions,
)
MEAN_SESSION_EVENTS = Kind(
    name="mean_session_events",
    means="Events per visit, on average over the visits in the window (see sessions).",
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=_SAME_VISIT,
    repeats=EACH_COUNTS,
    sentence="{says} per visit {within}",
    measure=_mean_events,
)
MAX_SESSION_EVENTS = Kind(
    name="max_session_events",
    means="Events of the deepest visit in the window (see sessions).",
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=_SAME_VISIT,
    repeats=EACH_COUNTS,
    sentence="most {says} in one visit {within}",
    measure=_max_events,
)
MEAN_SESSION_MINUTES = Kind(
    name="mean_session_minutes",
    means=(
        "Minutes from the first to the last event of a visit, on average over the visits in "
        "the window (see sessions). A visit of one event has length 0."
    ),
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=_SAME_VISIT,
    repeats="Events at the same instant add nothing.",
    sentence="average minutes of a visit with {says} {within}",
    measure=_mean_minutes,
)
MAX_SESSION_MINUTES = Kind(
    name="max_session_minutes",
    means=(
        "Minutes from the first to the last event of the longest visit in the window (see "
        "sessions). A visit of one event has length 0."
    ),
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=_SAME_VISIT,
    repeats="Events at the same instant add nothing.",
    sentence="minutes of the longest visit with {says} {within}",
    measure=_max_minutes,
)
