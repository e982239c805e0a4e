"""Kinds that measure how long ago: since the last event, since the first."""

from collections.abc import Sequence

from mqlml.features.kinds.kind import NO_VALUE_USED, ORDER_IS_FREE, Kind, Question, SeenEvent
from mqlml.timeline import MICROS_PER_DAY


def _days_since_last(events: Sequence[SeenEvent], question: Question) -> float:
    if not events:
        return float("nan")
    return (question.as_of - max(event.at for event in events)) / MICROS_PER_DAY


def _days_since_first(events: Sequence[SeenEvent], question: Question) -> float:
    if not events:
        return float("nan")
    return (question.as_of - min(event.at for event in events)) / MICROS_PER_DAY


DAYS_SINCE_LAST = Kind(
    name="days_since_last",
    means="Days, with fractions, from the latest event in the window to as_of.",
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=ORDER_IS_FREE,
    repeats="Only the latest event matters.",
    sentence="days since the last of the {says} {within}",
    measure=_days_since_last,
)
DAYS_SINCE_FIRST = Kind(
    name="days_since_first",
    means="Days, with fractions, from the earliest event in the window to as_of.",
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=ORDER_IS_FREE,
    repeats="Only the earliest event matters.",
    sentence="days since the first of the {says} {within}",
    measure=_days_since_first,
)
