import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.decide import decide
from mqlml.criteria.settings import Criteria, Rule, Thresholds
from mqlml.criteria.threshold import (
    mql_threshold,
    threshold_for_capacity,
    threshold_for_precision,
    threshold_history,
)
from mqlml.errors import DataError
from mqlml.modeling.assurance import Assurance
from mqlml.timeline import MICROS_PER_WEEK


def history(*weeks: dict[str, float]) -> pd.DataFrame:
    rows = [
        (lead, number * MICROS_PER_WEEK, probability)
        for number, week in enumerate(weeks)
        for lead, probability in week.items()
    ]
    frame = pd.DataFrame(rows, columns=["lead_id", "as_of", "probability"])
    return frame.assign(is_hand_raiser=False)


def criteria(**thresholds: float) -> Criteria:
    return Criteria(version=1, thresholds=Thresholds(**thresholds))


def test_a_fixed_probability_needs_no_history() -> None:
    assert mql_threshold(criteria(mql_probability=0.3), history()) == 0.3


def test_capacity_takes_the_lowest_probability_that_overfills_no_week() -> None:
    weeks = history({"a": 0.9, "b": 0.5, "c": 0.2}, {"d": 0.8, "e": 0.7, "f": 0.6})
    # Two a week: in the second week .8 and .7 fill it; .6 would be the third.
    assert mql_threshold(criteria(capacity_per_week=2), weeks) == 0.7


def test_leads_with_equal_probability_are_taken_or_left_together() -> None:
    weeks = history({"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.5})
    assert threshold_for_capacity(weeks, 3) == 0.9


def test_when_even_the_best_are_too_many_nobody_is_an_mql_by_score() -> None:
    assert threshold_for_capacity(history({"a": 0.9, "b": 0.9}), 1) == 1.0


def test_with_room_to_spare_everyone_seen_passes_down_to_the_floor() -> None:
    weeks = history({"a": 0.9, "b": 0.04})
    assert mql_threshold(criteria(capacity_per_week=10), weeks) == 0.04
    assert mql_threshold(criteria(capacity_per_week=10, mql_probability=0.1), weeks) == 0.1


def test_a_lead_counts_only_in_the_week_it_first_reaches_the_threshold() -> None:
    weeks = history({"a": 0.9}, {"a": 0.95, "b": 0.8}, {"a": 0.9, "b": 0.7, "c": 0.6})
    assert threshold_for_capacity(weeks, 1) == 0.6


def test_weeks_before_the_latest_eight_only_tell_who_was_above_before() -> None:
    crowded = {f"old{i}": 0.9 for i in range(50)}
    weeks = history(crowded, *[{}] * 7, {**crowded, "new": 0.8})
    assert threshold_for_capacity(weeks, 1) == 0.8


def test_a_capacity_without_any_scored_week_is_refused() -> None:
    with pytest.raises(DataError, match="capacity"):
        mql_threshold(criteria(capacity_per_week=5), history())


def test_hand_raisers_use_capacity_first_and_gated_leads_none() -> None:
    rules = Criteria(
        version=1,
        icp_gate=(Rule(name="fits", when="fits"),),
        hand_raisers=(Rule(name="demo", when="demo"),),
        thresholds=Thresholds(capacity_per_week=2),
    )
    rows = pd.DataFrame({"fits": [True, True, True, False], "demo": [True, False, False, False]})
    points = pd.DataFrame({"lead_id": list("abcd"), "as_of": 0})
    probability = np.array([0.1, 0.6, 0.5, 0.9])
    ruled = decide(probability, rows, rules, 0.0)
    kept = threshold_history(points, probability, ruled)
    assert list(kept["lead_id"]) == ["a", "b", "c"]
    assert list(kept["probability"]) == [1.0, 0.6, 0.5]
    assert mql_threshold(rules, kept) == 0.6


def test_the_list_cut_at_the_threshold_never_exceeds_the_capacity() -> None:
    rng = np.random.default_rng(5)
    size = 600
    rows = pd.DataFrame(
        {
            "lead_id": rng.integers(0, 200, size).astype(str),
            "as_of": rng.integers(0, 12, size) * MICROS_PER_WEEK,
            "probability": np.round(rng.beta(1, 6, size), 2),
        }
    ).drop_duplicates(["lead_id", "as_of"])
    for capacity in (1, 4, 9):
        cut = threshold_for_capacity(rows, capacity)
        above = rows[rows["probability"] >= cut].sort_values("as_of").drop_duplicates("lead_id")
        latest = above[above["as_of"] > (rows["as_of"].max() - 8 * MICROS_PER_WEEK)]
        assert latest.groupby("as_of").size().max() <= capacity


SURE = Assurance(0.0, 1.0, 0.0, 0.0, 0.0, conversions=30)


def test_a_lead_that_costs_a_fifth_of_a_conversion_is_an_mql_from_a_fifth() -> None:
    worth = criteria(cost_per_lead=40, value_per_conversion=200)
    assert mql_threshold(worth, history()) == pytest.approx(0.2)


def test_of_several_conditions_the_strictest_decides() -> None:
    weeks = history({"a": 0.9, "b": 0.5, "c": 0.4, "d": 0.1})
    both = criteria(capacity_per_week=3, precision_floor=0.7)
    # Capacity would take .9, .5, .4; .9 and .5 together are .7 precise, with .4 only .6.
    assert mql_threshold(both, weeks, SURE) == 0.5
    fixed = criteria(capacity_per_week=3, precision_floor=0.7, mql_probability=0.6)
    assert mql_threshold(fixed, weeks, SURE) == 0.6


def test_precision_is_of_leads_when_they_first_reach_the_threshold() -> None:
    # At .5 a is first an MQL in the first week, with .5, not with the .9 of the second.
    weeks = history({"a": 0.5, "b": 0.6}, {"a": 0.9, "b": 0.6})
    assert threshold_for_precision(weeks, 0.55, SURE) == 0.5
    assert threshold_for_precision(weeks, 0.56, SURE) == 0.6


def test_an_unsure_model_must_aim_higher_to_keep_the_same_floor() -> None:
    weeks = history({"a": 0.9, "b": 0.5, "c": 0.4, "d": 0.1})
    unsure = Assurance(0.0, 1.0, 0.25, 0.0, 0.0, conversions=30)
    # Of .9 and .5: .7 − 1.2816 × .5 × (.09 + .25) / 2 = .591; of .9 alone .842.
    assert threshold_for_precision(weeks, 0.59, unsure) == 0.5
    assert threshold_for_precision(weeks, 0.6, unsure) == 0.9


def test_hand_raisers_neither_help_nor_harm_the_precision() -> None:
    weeks = history({"a": 0.9, "b": 0.5}).assign(is_hand_raiser=[True, False])
    assert mql_threshold(criteria(precision_floor=0.5), weeks, SURE) == 0.5
    with pytest.raises(DataError, match=r"asked for 60\.0%, .* is 50\.0%"):
        mql_threshold(criteria(precision_floor=0.6), weeks, SURE)


def test_a_floor_without_enough_conversions_or_measurement_is_refused() -> None:
    weeks = history({"a": 0.9})
    few = Assurance(0.0, 1.0, 0.0, 0.0, 0.0, conversions=29)
    with pytest.raises(DataError, match="29 leads converted in the test, 30 needed"):
        threshold_for_precision(weeks, 0.5, few)
    with pytest.raises(DataError, match="train again"):
        threshold_for_precision(weeks, 0.5, None)
    with pytest.raises(DataError, match="no week to measure capacity or precision"):
        mql_threshold(criteria(precision_floor=0.5), history(), SURE)
