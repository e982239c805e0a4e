"""Names of time spans, in column names and in words; a span is whole microseconds or EVER."""

import math
from typing import Literal

from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND

MICROS_PER_MINUTE = 60 * MICROS_PER_SECOND
MAX_DAYS = 36_500

_UNITS = (
    (MICROS_PER_DAY, "d", "day"),
    (MICROS_PER_HOUR, "h", "hour"),
    (MICROS_PER_MINUTE, "m", "minute"),
)


def span_of(days: float | Literal["ever"]) -> int | None:
    """Return the span in microseconds, or None when it is not 1 minute to 36,500 days.

    >>> span_of(0.5) == 12 * 3600 * 1_000_000
    True
    """
    if days == "ever":
        return EVER
    if not (math.isfinite(days) and 0 < days <= MAX_DAYS):
        return None
    minutes = round(days * 24 * 60)
    return minutes * MICROS_PER_MINUTE or None


def days_of(span: int) -> float | Literal["ever"]:
    """Return the days of a span as settings write them, so that `span_of` gives it again.

    >>> days_of(span_of(30)), days_of(span_of(0.5))
    (30, 0.5)
    """
    if span == EVER:
        return "ever"
    whole, rest = divmod(span, MICROS_PER_DAY)
    return whole if rest == 0 else span / MICROS_PER_DAY


def span_name(span: int) -> str:
    """Return the span as column names write it.

    >>> from mqlml.timeline import EVER, MICROS_PER_HOUR
    >>> span_name(12 * MICROS_PER_HOUR), span_name(48 * MICROS_PER_HOUR), span_name(EVER)
    ('12h', '2d', 'ever')
    """
    if span == EVER:
        return "ever"
    amount, letter, _ = _in_largest_unit(span)
    return f"{amount}{letter}"


def span_words(span: int) -> str:
    """Return the span in words: "30 days", "1 hour"."""
    amount, _, word = _in_largest_unit(span)
    return f"{amount:,} {word}" if amount == 1 else f"{amount:,} {word}s"


def within_words(window: int) -> str:
    """Return how a sentence says the window: "in the last 30 days", or "so far"."""
    return "so far" if window == EVER else f"in the last {span_words(window)}"


def _in_largest_unit(span: int) -> tuple[int, str, str]:
    fits = next(unit for unit in _UNITS if span % unit[0] == 0)
    return span // fits[0], fits[1], fits[2]
