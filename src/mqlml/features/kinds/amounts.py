"""Kinds that read a number of the event: sum, mean, max, min, last value, time spent."""

from collections.abc import Sequence

from mqlml.features.kinds.kind import NULLS_SKIPPED, ORDER_IS_FREE, Kind, Question, SeenEvent
from mqlml.timeline import MICROS_PER_SECOND

_IN_ORDER = "Added up by time, then event_id, so that the last digit is always the same."
_EACH_VALUE = "Every event's value takes part, also equal ones."


def _numbers(events: Sequence[SeenEvent]) -> list[float]:
    return [float(event.value) for event in events if event.value is not None]


def _total(numbers: Sequence[float]) -> float:
    # Not the built-in sum, which corrects rounding as it goes and so depends on the Python version.
    total = 0.0
    for number in numbers:
        total += number
    return total


def _sum(events: Sequence[SeenEvent], _: Question) -> float:
    return _total(_numbers(events))


def _mean(events: Sequence[SeenEvent], _: Question) -> float:
    numbers = _numbers(events)
    return _total(numbers) / len(numbers) if numbers else float("nan")


def _max(events: Sequence[SeenEvent], _: Question) -> float:
    return max(_numbers(events), default=float("nan"))


def _min(events: Sequence[SeenEvent], _: Question) -> float:
    return min(_numbers(events), default=float("nan"))


def _last_value(events: Sequence[SeenEvent], _: Question) -> float:
    numbers = _numbers(events)
    return numbers[-1] if numbers else float("nan")


def _time_spent(events: Sequence[SeenEvent], question: Question) -> float:
    if question.cap is None:
        raise ValueError("time spent needs a cap")
    most = question.cap / MICROS_PER_SECOND
    return _total([min(max(seconds, 0.0), most) for seconds in _numbers(events)]) / 60.0


SUM = Kind(
    name="sum",
    means="The sum of a number over the events in the window.",
    nulls=NULLS_SKIPPED,
    empty="0",
    ties=_IN_ORDER,
    repeats=_EACH_VALUE,
    sentence="total {of} of {says} {within}",
    measure=_sum,
    of="number",
)
MEAN = Kind(
    name="mean",
    means="The mean of a number over the events in the window that have one.",
    nulls=NULLS_SKIPPED,
    empty="missing",
    ties=_IN_ORDER,
    repeats=_EACH_VALUE,
    sentence="average {of} of {says} {within}",
    measure=_mean,
    of="number",
)
MAX = Kind(
    name="max",
    means="The largest number among the events in the window.",
    nulls=NULLS_SKIPPED,
    empty="missing",
    ties=ORDER_IS_FREE,
    repeats="Equal values are one maximum.",
    sentence="highest {of} of {says} {within}",
    measure=_max,
    of="number",
)
MIN = Kind(
    name="min",
    means="The smallest number among the events in the window.",
    nulls=NULLS_SKIPPED,
    empty="missing",
    ties=ORDER_IS_FREE,
    repeats="Equal values are one minimum.",
    sentence="lowest {of} of {says} {within}",
    measure=_min,
    of="number",
)
LAST_VALUE = Kind(
    name="last_value",
    means="The number of the latest event in the window that has one.",
    nulls="Events whose value is missing are skipped: an older value stays the latest.",
    empty="missing",
    ties="Of events at the same instant, the one with the greatest event_id is the latest.",
    repeats="Only one event matters.",
    sentence="latest {of} of {says} {within}",
    measure=_last_value,
    of="number",
)
TIME_SPENT = Kind(
    name="time_spent",
    means=(
        "Minutes spent: the sum of the events' duration_s, each at most the declared cap, so "
        "that a tab left open over lunch is not an hour of interest. A negative duration is 0."
    ),
    nulls=NULLS_SKIPPED,
    empty="0",
    ties=_IN_ORDER,
    repeats=_EACH_VALUE,
    sentence="minutes on {says} {within} (at most {cap} each)",
    measure=_time_spent,
    of="duration",
    takes_cap=True,
)
