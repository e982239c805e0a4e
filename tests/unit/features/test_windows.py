import math

import pytest

from mqlml.features.windows import MAX_DAYS, span_name, span_of, span_words, within_words
from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND


@pytest.mark.parametrize(
    ("days", "name", "words"),
    [
        (30, "30d", "30 days"),
        (1, "1d", "1 day"),
        (0.5, "12h", "12 hours"),
        (1.5, "36h", "36 hours"),
        (1 / 24, "1h", "1 hour"),
        (1 / 96, "15m", "15 minutes"),
        (MAX_DAYS, "36500d", "36,500 days"),
    ],
)
def test_a_span_is_named_in_its_largest_whole_unit(days: float, name: str, words: str) -> None:
    span = span_of(days)
    assert span is not None
    assert (span_name(span), span_words(span)) == (name, words)


@pytest.mark.parametrize("days", [0, -1, math.nan, math.inf, MAX_DAYS + 1, 0.0001])
def test_what_is_no_span_between_a_minute_and_a_century_is_none(days: float) -> None:
    assert span_of(days) is None


def test_spans_are_whole_microseconds() -> None:
    assert span_of(30) == 30 * MICROS_PER_DAY
    assert span_of(0.25) == 6 * MICROS_PER_HOUR
    assert span_of(0.001) == 60 * MICROS_PER_SECOND  # to the minute


def test_ever_is_a_window_without_beginning() -> None:
    assert span_of("ever") == EVER
    assert span_name(EVER) == "ever"
    assert within_words(EVER) == "so far"
    assert within_words(MICROS_PER_DAY) == "in the last 1 day"
