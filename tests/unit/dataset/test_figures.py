import numpy as np
import pandas as pd
import pytest

from mqlml.dataset.evidence.buckets import Counts, count, make_buckets
from mqlml.dataset.evidence.exclusive import only_for_one_outcome
from mqlml.dataset.evidence.figures import (
    bucket_odds,
    decided_share,
    forward_discrimination,
    ranking,
    wilson,
)
from mqlml.dataset.evidence.leaks import Column
from mqlml.dataset.evidence.names import later_name
from mqlml.dataset.evidence.sample import sample_leads, sample_points
from mqlml.dataset.evidence.time import clock_column


def test_numbers_fall_into_twentieths_and_frequent_numbers_stand_alone():
    values = pd.Series([0.0] * 50 + list(range(1, 101)) + [np.nan, np.inf])
    buckets = make_buckets(values)
    # 0 is shared by a third of the rows; 1 to 100 are cut at 5.95, 10.9, … into twenty.
    assert len(buckets.names) == 20 + 1 + 1
    assert buckets.names[0] == "below 5.95"
    assert buckets.names[19] == "from 95.05"
    assert buckets.names[-2:] == ("0", "missing")
    assert np.bincount(buckets.codes).tolist() == [5] * 20 + [50, 2]


def test_a_column_of_few_numbers_has_one_bucket_each():
    buckets = make_buckets(pd.Series([1.0, 2.0, 2.0]))
    assert buckets.names == ("other values", "1", "2", "missing")
    assert buckets.codes.tolist() == [1, 2, 2]
    assert not buckets.is_missing.any()


def test_categories_are_their_own_buckets_and_missing_is_the_last():
    buckets = make_buckets(pd.Series(["b", None, "a"], dtype="str"))
    assert buckets.names == ("'a'", "'b'", "missing")
    assert buckets.codes.tolist() == [1, 2, 0]
    assert buckets.is_missing.tolist() == [False, True, False]


def weekly_points():
    return pd.DataFrame({
        "lead_id": ["a", "b", "a", "c", "a"], "as_of": [1, 2, 3, 4, 5],
        "label": [0.0, 0.0, 0.0, 1.0, 1.0],
    })  # fmt: skip


def test_an_undated_column_is_judged_once_per_lead_by_what_became_of_it():
    sample = sample_leads(weekly_points(), np.arange(5))
    assert sample.rows.tolist() == [0, 1, 3]
    assert sample.label.tolist() == [1, 0, 1]
    assert sample.weight.tolist() == [1, 1, 1]
    assert sample.block.tolist() == [0, 2, 4]


def test_a_changing_column_is_judged_at_every_point_with_one_vote_per_lead():
    sample = sample_points(weekly_points(), np.arange(5))
    assert sample.rows.tolist() == [0, 1, 2, 3, 4]
    assert sample.weight.tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1, 1 / 3])


def test_rows_of_one_time_share_a_block():
    points = pd.DataFrame({"lead_id": list("abcdef"), "as_of": [1, 1, 1, 2, 2, 2], "label": 0.0})
    assert sample_leads(points, np.arange(6)).block.tolist() == [0, 0, 0, 3, 3, 3]


def test_leads_are_counted_by_block_and_bucket():
    points = pd.DataFrame({
        "lead_id": list("abcdef"), "as_of": range(6), "label": [1.0, 0, 1, 0, 1, 1],
    })  # fmt: skip
    buckets = make_buckets(pd.Series(["x", "x", "y", None, "y", "y"], dtype="str"))
    counts = count(buckets, sample_leads(points, np.arange(6)))
    assert counts.leads[:, 0].tolist() == [1, 1, 0, 0, 0, 0]
    assert counts.converted.sum(axis=0).tolist() == [1, 3, 0]
    assert counts.by_fill().leads.sum(axis=0).tolist() == [5, 1]
    assert counts.filled().names == ("'x'", "'y'")


def test_ranking_counts_pairs_in_the_right_order_and_ties_as_one_half():
    scores = np.array([0.1, 0.5, 0.5])
    # Positives: one in bucket 2, one in bucket 3; negatives: one in bucket 1, one in bucket 2.
    auc = ranking(scores, np.array([0.0, 1, 1]), np.array([1.0, 1, 0]))
    assert auc == pytest.approx((1 + 0.5 + 1 + 0.5) / 4)


def blocks(leads, converted):
    """The same counts in each of six blocks of time."""
    return Counts(np.tile(leads, (6, 1)), np.tile(converted, (6, 1)), ("'a'", "'b'", "missing"))


def test_forward_discrimination_judges_later_blocks_by_earlier_rates():
    counts = blocks([50.0, 50, 0], [40.0, 10, 0])
    found = forward_discrimination(counts)
    # 40 and 10 converted, 10 and 40 others: (40 · 40 + (40 · 10 + 10 · 40) / 2) / 2500.
    assert found.auc == pytest.approx(0.8)
    assert found.low < 0.8 < found.high


def test_a_block_with_one_outcome_only_is_not_judged():
    found = forward_discrimination(blocks([50.0, 50, 0], [0.0, 0, 0]))
    assert (found.auc, found.low, found.high) == (0.5, 0.5, 0.5)


def test_a_bucket_of_a_good_season_is_compared_with_its_season():
    leads = np.array([[100.0, 100, 0, 0]] * 3 + [[0.0, 0, 100, 100]] * 3)
    converted = leads * np.array([0.1, 0.1, 0.6, 0.6])
    odds = bucket_odds(Counts(leads, converted, ("a", "b", "c", "d")))
    assert (odds.ratio_low < 1).all()
    assert (odds.ratio_high > 1).all()


def test_the_decided_share_averages_both_outcomes():
    # Bucket a: 600 converted of 600; b: 600 of 5,400; the rest did not: 4,800 others undecided.
    odds = bucket_odds(blocks([100.0, 900, 0], [100.0, 100, 0]))
    assert decided_share(odds, 10) == pytest.approx((0.5 + 0) / 2)


def test_wilson_bounds_are_wide_for_few_and_empty_for_none():
    low, high = wilson(np.array([0.0, 10, 0]), np.array([0.0, 10, 10]))
    assert (low[0], high[0]) == pytest.approx((0, 1))
    # All of ten: n / (n + z²) with z = 2.6.
    assert low[1] == pytest.approx(10 / 16.76)
    assert high[2] == pytest.approx(6.76 / 16.76)


def test_a_small_group_that_never_converts_is_only_shown():
    # 900 of 12,000 leads never convert, a twelfth of the others: a country that is not served.
    column = Column("country", blocks([150.0, 1_850, 0], [0.0, 500, 0]), "stop")
    (found,) = only_for_one_outcome(column)
    assert found.action == "warn"
    assert found.evidence == "of 900 leads with 'a', 0.0% converted; they are 10.0% of the others"


def test_a_large_group_that_never_converts_stops():
    column = Column("state", blocks([400.0, 1_600, 0], [0.0, 500, 0]), "stop")
    (found,) = only_for_one_outcome(column)
    assert found.action == "stop"


def test_a_clock_needs_rows_on_both_sides():
    points = pd.DataFrame({"lead_id": list("abc"), "as_of": [1, 1, 1], "label": [0.0, 1, 0]})
    buckets = make_buckets(pd.Series([1.0, 2, 3]))
    assert list(clock_column("x", buckets, sample_leads(points, np.arange(3)))) == []


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("close_date", "'close' names the end of a lead"),
        ("LastModifiedDate", "'last' names a state that is written over"),
        ("LEAD_STATUS", "'status' names a state that is written over"),
        ("Lead Quality", "'quality' names somebody's later judgement"),
    ],
)
def test_names_that_speak_of_later(column, says):
    assert later_name(column).says == says


@pytest.mark.parametrize("column", ["industry", "blast_radius", "closet", "job title", ""])
def test_names_that_say_nothing(column):
    assert later_name(column) is None
