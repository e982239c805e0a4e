import math

import pytest

from mqlml.reports.words import (
    capital,
    count,
    counted,
    day,
    duration,
    figure,
    listed,
    percent,
    percent_range,
    short,
    signed,
    times,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.34, "34 %"),
        (0.0996, "10 %"),
        (0.0821, "8.2 %"),
        (0.0042, "0.42 %"),
        (0.00001, "< 0.01 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.9999, "99.9 %"),
        (0.9968, "99.7 %"),
        (-0.05, "−5.0 %"),
        (NAN, "–"),
        (math.inf, "–"),
    ],
)
def test_a_share_reads_with_the_digits_its_size_deserves(share, words):
    assert percent(share).replace("\u202f", " ") == words


def test_an_interval_with_a_missing_end_is_a_dash():
    assert percent_range(0.1, NAN) == "–"
    assert percent_range(0.1, 0.2).replace("\u202f", " ") == "10 % to 20 %"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (figure(0.81449), "0.814"),
        (figure(-0.5, 1), "−0.5"),
        (figure(NAN), "–"),
        (signed(2.26, 1), "+2.3"),
        (signed(-0.04, 1), "0"),
        (signed(NAN), "–"),
        (count(1234567), "1,234,567"),
        (count(NAN), "–"),
        (counted(1, "lead", "leads"), "1 lead"),
        (counted(2, "lead", "leads"), "2 leads"),
        (times(9.96), "10 times"),
        (times(2.04), "2.0 times"),
        (times(NAN), "–"),
        (duration(1), "1 day"),
        (duration(0.5), "0.5 days"),
        (duration(None), "–"),
        (day(None), "–"),
        (day(NAN), "–"),
        (day(9e18), "–"),
        (day(1_767_225_600_000_000), "2026-01-01"),
        (day(1_767_225_660_000_000), "2026-01-01 00:01 UTC"),
        (listed([]), "none"),
        (listed(["a"]), "a"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (capital("iCP"), "ICP"),
    ],
)
def test_values_read_as_people_write_them(said, words):
    assert said == words


def test_a_long_text_ends_with_an_ellipsis_at_the_limit():
    assert short("x" * 10_000, 10) == "x" * 9 + "…"
    assert short("x" * 10, 10) == "x" * 10


def test_a_text_stays_on_one_line_and_keeps_emoji():
    assert short(" a\n\tb  🎉 ") == "a b 🎉"
    assert short("👩\u200d💻") == "👩\u200d💻"


def test_marks_that_cannot_be_printed_or_turn_the_text_around_are_replaced():
    assert short("a\x00b\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"


def test_what_is_missing_or_blank_is_a_dash():
    assert [short(value) for value in (None, NAN, "", "  ")] == ["–"] * 4
