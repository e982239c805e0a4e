import math

import numpy as np
import pytest

from mqlml.modeling.calibration import probability_of
from mqlml.modeling.reliability import expected_and_observed


def test_ten_expected_and_eight_seen_are_a_ratio_of_eight_tenths() -> None:
    labels = np.concatenate([np.ones(8), np.zeros(12)])
    found = expected_and_observed(labels, np.full(20, 0.5), ["a"] * 20, np.arange(20))
    (row,) = found.to_dict("records")
    assert (row["group"], row["rows"], row["expected"], row["observed"]) == ("a", 20, 10.0, 8.0)
    # Each lead's surplus is ±.5: spread √(20 × .25), of ten expected.
    half = 1.959963984540054 * math.sqrt(5) / 10
    assert (row["low"], row["ratio"], row["high"]) == pytest.approx((0.8 - half, 0.8, 0.8 + half))


def test_four_looks_at_each_lead_are_no_more_evidence_than_one() -> None:
    labels = np.concatenate([np.ones(8), np.zeros(12)])
    once = expected_and_observed(labels, np.full(20, 0.5), ["a"] * 20, np.arange(20))
    often = expected_and_observed(
        np.tile(labels, 4), np.full(80, 0.5), ["a"] * 80, np.tile(np.arange(20), 4)
    )
    assert (often["high"] - often["low"])[0] == pytest.approx((once["high"] - once["low"])[0])


def test_groups_come_sorted_the_missing_among_them() -> None:
    found = expected_and_observed(np.zeros(4), np.full(4, 0.5), ["b", None, "a", "b"], np.arange(4))
    assert list(found["group"]) == ["(missing)", "a", "b"]
    assert list(found["rows"]) == [1, 1, 2]


def test_with_fewer_than_five_expected_nothing_is_said_of_the_range() -> None:
    found = expected_and_observed(np.ones(4), np.full(4, 0.5), ["a"] * 4, np.arange(4))
    assert math.isnan(found["low"][0])
    assert math.isnan(found["high"][0])
    assert found["ratio"][0] == 2.0


def test_a_true_model_is_inside_its_interval_about_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(400):
        own = rng.normal(-1.5, 1, 300)
        leads = np.repeat(np.arange(300), 3)
        labels = np.repeat((rng.random(300) < probability_of(own)).astype(np.float64), 3)
        found = expected_and_observed(labels, np.repeat(probability_of(own), 3), ["a"] * 900, leads)
        inside.append(bool(found["low"][0] <= 1 <= found["high"][0]))
    assert 0.92 <= np.mean(inside) <= 0.98
