import numpy as np
import pandas as pd
import pytest

from mqlml import timeline
from mqlml.dataset.evidence.dates import days_after, days_of

DAY = timeline.MICROS_PER_DAY


@pytest.mark.parametrize(
    "texts",
    [
        ["1970-01-03", None, "1970-02-01"],
        ["1970-01-03T00:00:00Z", None, "1970-02-01"],
        ["03.01.1970", None, "01.02.1970"],
        ["01/03/1970", None, "02/01/1970"],
    ],
)
def test_dates_in_usual_spellings_are_days_since_1970(texts):
    found = days_of(pd.Series(texts, dtype="str"))
    assert np.array_equal(found, [2.0, np.nan, 31.0], equal_nan=True)


@pytest.mark.parametrize("texts", [["web", "fair"], ["1970", "1971"], [None, None], []])
def test_other_texts_are_no_dates(texts):
    assert days_of(pd.Series(texts, dtype="str")) is None


def test_a_date_that_cannot_be_is_missing():
    texts = ["1970-01-03"] * 30 + ["1970-13-41"]
    found = days_of(pd.Series(texts, dtype="str"))
    assert found[0] == 2.0
    assert np.isnan(found[-1])


def points_at(days):
    return pd.Series(np.asarray(days) * DAY)


def test_few_dates_say_nothing():
    assert days_after(np.arange(29.0), points_at(range(29))) is None


def test_dates_ten_days_ahead_of_daily_leads_run_three_days_past_a_week_after_the_last():
    found = days_after(np.arange(100.0) + 10, points_at(range(100)))
    assert (found.rows, found.after_share) == (100, 1.0)
    # The data end at day 99 + 7; of the dates up to day 109 three lie beyond.
    assert (found.beyond, found.expected) == (3, 3.0)
    assert not found.is_record


def test_dates_that_stop_with_the_data_are_records():
    days = np.minimum(np.arange(100.0) + 40, 100)
    found = days_after(days, points_at(range(100)))
    # Early leads' dates lie 40 days ahead; those of the last 33 leads would lie beyond day 106.
    assert (found.beyond, found.expected) == (0, 33.0)
    assert found.is_record
