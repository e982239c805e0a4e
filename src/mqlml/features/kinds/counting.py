"""Kinds that count: events, days, different values, and the share of one signal in another."""

from collections.abc import Sequence

from mqlml.features.kinds.kind import (
    EACH_COUNTS,
    NO_VALUE_USED,
    ORDER_IS_FREE,
    Kind,
    Question,
    SeenEvent,
)
from mqlml.timeline import MICROS_PER_DAY


def _count(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len(events))


def _active_days(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len({event.at // MICROS_PER_DAY for event in events}))


def _distinct(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len({event.value for event in events if event.value is not None}))


def _share(events: Sequence[SeenEvent], _: Question) -> float:
    if not events:
        return float("nan")
    return sum(event.value == 1 for event in events) / len(events)


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
SHARE = Kind(
    name="share",
    means=(
        "Which share of the events of another signal, `among`, are events of this one, too: "
        "the share of a channel, say, among everything the lead did."
    ),
    nulls=NO_VALUE_USED,
    empty="missing",
    ties=ORDER_IS_FREE,
    repeats=EACH_COUNTS,
    sentence="share of {says} among {among} {within}",
    measure=_share,
    of="membership",
)
