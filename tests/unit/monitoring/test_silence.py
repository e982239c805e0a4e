"""Silences on drawn series: what is usual is told by weekdays."""

import pandas as pd

from mqlml.monitoring.silence import Silence, silences


def series(source="ga4", days=70, rows=10, without=(), weekends=True):
    """Return so many rows on every day but those left out; day 0 is a Thursday."""
    kept = [d for d in range(days) if d not in without and (weekends or (d + 3) % 7 < 5)]
    return pd.DataFrame({"source": source, "day": kept, "rows": rows})


def test_a_source_that_stopped_is_silent_until_the_end():
    assert silences(series(days=60), last_day=68) == (Silence("ga4", 60, 9, 10.0, is_open=True),)


def test_a_gap_in_the_middle_is_told_by_its_days():
    found = silences(series(without=range(40, 43)), last_day=69)
    assert found == (Silence("ga4", 40, 3, 10.0, is_open=False),)


def test_a_rest_at_weekends_is_no_silence():
    assert silences(series(weekends=False), last_day=69) == ()


def test_a_missing_workday_is_one_even_if_weekends_are_quiet():
    found = silences(series(weekends=False, without=(48,)), last_day=69)
    assert [(s.first_day, s.days) for s in found] == [(48, 1)]


def test_a_newsletter_once_a_month_is_not_silent_between_its_days():
    days = pd.DataFrame({"source": "news", "day": [0, 30, 60], "rows": 5000})
    assert silences(days, last_day=89) == ()


def test_a_rare_source_needs_a_longer_silence():
    few = series(days=60, rows=1)
    assert silences(few, last_day=65) == ()
    assert [s.days for s in silences(few, last_day=66)] == [7]


def test_a_source_younger_than_four_weeks_is_not_judged():
    assert silences(series(days=27), last_day=40) == ()
    assert len(silences(series(days=28), last_day=40)) == 1


def test_days_after_the_data_end_are_not_looked_at_and_open_ones_come_first():
    days = pd.concat([series("a", without=range(40, 60)), series("b", days=68)])
    found = silences(days, last_day=68)
    assert [(s.source, s.is_open) for s in found] == [("b", True), ("a", False)]
    assert silences(days, last_day=67) == found[1:]
