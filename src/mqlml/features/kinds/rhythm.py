"""Kinds that read the rhythm of events: fading counts, streaks, weekly trend, gaps."""

import math
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
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK


def _decayed_count(events: Sequence[SeenEvent], question: Question) -> float:
    if question.half_life is None:
        raise ValueError("a decayed count needs a half-life")
    # Faded from event to event, oldest first: one fixed order of rounding for every engine.
    rate = math.log(2.0) / question.half_life
    total, last = 0.0, question.as_of
    for event in events:
        total = total * math.exp(-rate * (event.at - last)) + 1.0 if total else 1.0
        last = event.at
    return total * math.exp(-rate * (question.as_of - last))


def _blocks(events: Sequence[SeenEvent], as_of: int) -> list[int]:
    """Return the 7-day block of each event, counted backwards from as_of: 0 is the latest.

    Block 0 is [as_of − 7 days, as_of), so an event exactly 7 days ago is in it.
    """
    return [(as_of - event.at - 1) // MICROS_PER_WEEK for event in events]


def _active_weeks_streak(events: Sequence[SeenEvent], question: Question) -> float:
    active = set(_blocks(events, question.as_of))
    streak = 0
    while streak in active:
        streak += 1
    return float(streak)


def _weekly_slope(events: Sequence[SeenEvent], question: Question) -> float:
    # The textbook slope over weeks k = 0 … n-1 (0 the oldest) with counts c_k, in whole numbers:
    # Σ (k - (n-1)/2) c_k / Σ (k - (n-1)/2)²  =  6 Σ (2k - n + 1) c_k / (n (n² - 1)).
    weeks = question.window // MICROS_PER_WEEK
    ages = [block for block in _blocks(events, question.as_of) if block < weeks]
    weighted = sum(weeks - 1 - 2 * block for block in ages)
    return (6 * weighted) / (weeks * (weeks * weeks - 1))


def _mean_gap_days(events: Sequence[SeenEvent], _: Question) -> float:
    if len(events) < 2:
        return float("nan")
    return (events[-1].at - events[0].at) / (len(events) - 1) / MICROS_PER_DAY


def _max_gap_days(events: Sequence[SeenEvent], _: Question) -> float:
    gaps = [later.at - earlier.at for earlier, later in pairwise(events)]
    return max(gaps) / MICROS_PER_DAY if gaps else float("nan")


DECAYED_COUNT = Kind(
    name="decayed_count",
    means=(
        "The count of events in the window, each weighing half after one half-life, a quarter "
        "after two, and so on, by its age at as_of."
    ),
    nulls=NO_VALUE_USED,
    empty="0",
    ties=ORDER_IS_FREE,
    repeats=EACH_COUNTS,
    sentence="recent {says} {within} (weight halves every {half_life})",
    measure=_decayed_count,
    takes_half_life=True,
)
ACTIVE_WEEKS_STREAK = Kind(
    name="active_weeks_streak",
    means=(
        "How many 7-day blocks in a row, counted backwards from as_of, have at least one event "
        "in the window. The latest block is [as_of − 7 days, as_of)."
    ),
    nulls=NO_VALUE_USED,
    empty="0",
    ties=ORDER_IS_FREE,
    repeats="Events of one block count once.",
    sentence="weeks in a row up to now with {says} {within}",
    measure=_active_weeks_streak,
)
WEEKLY_SLOPE = Kind(
    name="weekly_slope",
    means=(
        "The slope of the straight line (least squares) through the counts of the 7-day blocks "
        "of the window, in events per week and week. Blocks are counted backwards from as_of; an "
        "incomplete oldest block is left out. The window must be finite, two weeks or longer."
    ),
    nulls=NO_VALUE_USED,
    empty="0",
    ties=ORDER_IS_FREE,
    repeats=EACH_COUNTS,
    sentence="weekly growth of {says} {within}",
    measure=_weekly_slope,
    min_weeks=2,
)
MEAN_GAP_DAYS = Kind(
    name="mean_gap_days",
    means="Days, with fractions, between one event and the next in the window, on average.",
    nulls=NO_VALUE_USED,
    empty="missing",
    ties="Between events at the same instant lies a gap of 0.",
    repeats="One event has no gap: missing.",
    sentence="average days between {says} {within}",
    measure=_mean_gap_days,
)
MAX_GAP_DAYS = Kind(
    name="max_gap_days",
    means=(
        "The longest silence between one event and the next in the window, in days with "
        "fractions. The time since the last event is no gap: days_since_last has it."
    ),
    nulls=NO_VALUE_USED,
    empty="missing",
    ties="Between events at the same instant lies a gap of 0.",
    repeats="One event has no gap: missing.",
    sentence="longest break in days between {says} {within}",
    measure=_max_gap_days,
)
