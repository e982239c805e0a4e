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


def inside(chance: np.ndarray, looks: int, rng: np.random.Generator) -> float:
    """Return how often one is inside the range, of rows of chances: a group per row."""
    groups, leads = chance.shape
    labels = (rng.random(chance.shape) < chance).astype(np.float64)
    found = expected_and_observed(
        np.repeat(labels.ravel(), looks),
        np.repeat(chance.ravel(), looks),
        np.repeat([f"{i:03d}" for i in range(groups)], leads * looks),
        np.repeat(np.arange(chance.size), looks),
    )
    return float(np.mean((found["low"] <= 1) & (found["high"] >= 1)))


def test_a_true_model_is_inside_its_interval_about_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    chance = probability_of(rng.normal(-1.5, 1, (400, 300)))
    assert 0.92 <= inside(chance, 3, rng) <= 0.98


def test_without_a_conversion_the_range_still_says_how_many_there_might_have_been() -> None:
    found = expected_and_observed(np.zeros(600), np.full(600, 0.01), ["a"] * 600, np.arange(600))
    (row,) = found.to_dict("records")
    # Six expected. Wilson for none of 600: up to z² / (600 + z²), which is 3.8 conversions.
    z2 = 1.959963984540054**2
    assert (row["low"], row["ratio"]) == (pytest.approx(0.0, abs=1e-12), 0.0)
    assert row["high"] == pytest.approx(600 * z2 / (600 + z2) / 6)


def test_of_few_conversions_a_true_model_is_inside_its_interval_too() -> None:
    assert inside(np.full((400, 300), 0.02), 1, np.random.default_rng(4)) >= 0.92
