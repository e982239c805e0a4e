"""Kinds that count: events, days, visits, different values."""

from collections.abc import Sequence
from itertools import pairwise

from mqlml.features.kinds.kind import (
    EACH_COUNTS,
    NO_VALUE_USED,
    ORDER_IS_FREE,
    Kind,
    Question,
    SeenEvent,
)
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_SECOND

SESSION_GAP = 30 * 60 * MICROS_PER_SECOND


def _count(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len(events))


def _active_days(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len({event.at // MICROS_PER_DAY for event in events}))


def _sessions(events: Sequence[SeenEvent], _: Question) -> float:
    pauses = sum(later.at - earlier.at > SESSION_GAP for earlier, later in pairwise(events))
    return float(pauses + 1) if events else 0.0


def _distinct(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len({event.value for event in events if event.value is not None}))


COUNT = Kind(
    name="count",
    means="How many events of the signal lie in the window.",
    nulls=NO_VALUE_USED,
    empty="0",
    ties=ORDER_IS_FREE,
    repeats=EACH_COUNTS,
    sentence="{says} {within}",
    measure=_count,
)
ACTIVE_DAYS = Kind(
    name="active_days",
    means="On how many different days (UTC) the signal has an event in the window.",
    nulls=NO_VALUE_USED,
    empty="0",
    ties=ORDER_IS_FREE,
    repeats="Events of one day count once.",
    sentence="days with {says} {within}",
    measure=_active_days,
)
SESSIONS = Kind(
    name="sessions",
    means=(
        "How many visits the events form: a new visit begins when more than 30 minutes have "
        "passed since the event before. The first event in the window begins a visit."
    ),
    nulls=NO_VALUE_USED,
    empty="0",
    ties="Events at the same instant are one visit.",
    repeats="Events of one visit count once.",
    sentence="visits with {says} {within}",
    measure=_sessions,
)
DISTINCT = Kind(
    name="distinct",
    means="How many different values a text column has among the events in the window.",
    nulls="A missing value is not a value and not counted; an empty text is a value.",
    empty="0",
    ties=ORDER_IS_FREE,
    repeats="A value that comes again counts once; upper and lower case differ.",
    sentence="different values of {of} among {says} {within}",
    measure=_distinct,
    of="text",
)
