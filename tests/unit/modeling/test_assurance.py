import math

import numpy as np
import pytest

from mqlml.modeling.assurance import (
    Assurance,
    assurance_from_json,
    log_odds_of,
    measure_assurance,
    precision_bounds,
)
from mqlml.modeling.calibration import probability_of


def test_labels_that_come_as_often_as_said_leave_the_line_alone() -> None:
    probability = np.repeat([0.2, 0.8], 100)
    labels = np.concatenate([np.ones(20), np.zeros(80), np.ones(80), np.zeros(20)])
    found = measure_assurance(probability, labels, np.arange(200))
    assert (found.shift, found.slope) == pytest.approx((0.0, 1.0), abs=1e-3)
    assert found.conversions == 100
    # Two groups of 100: each log-odds has variance 1 / (100 × .16) = .0625; the shift
    # is their mean, the slope their difference over 2 log 4.
    assert found.shift_variance == pytest.approx(0.0625 / 2, rel=0.01)
    assert found.slope_variance == pytest.approx(2 * 0.0625 / (2 * math.log(4)) ** 2, rel=0.01)
    assert found.covariance == pytest.approx(0.0, abs=1e-3)


def test_a_model_too_low_by_half_is_shifted_by_log_two() -> None:
    rng = np.random.default_rng(5)
    log_odds = rng.normal(-2, 1, 200_000)
    labels = (rng.random(200_000) < probability_of(log_odds + math.log(2))).astype(np.float64)
    found = measure_assurance(probability_of(log_odds), labels, np.arange(200_000))
    assert found.shift == pytest.approx(math.log(2), abs=0.04)
    assert found.slope == pytest.approx(1.0, abs=0.02)


def test_looking_at_each_lead_four_times_makes_nothing_surer() -> None:
    rng = np.random.default_rng(6)
    probability = rng.uniform(0.05, 0.6, 500)
    labels = (rng.random(500) < probability).astype(np.float64)
    once = measure_assurance(probability, labels, np.arange(500))
    often = measure_assurance(np.tile(probability, 4), np.tile(labels, 4), np.tile(range(500), 4))
    assert often.shift_variance == pytest.approx(once.shift_variance, rel=0.05)
    assert often.slope_variance == pytest.approx(once.slope_variance, rel=0.05)
    assert often.conversions == once.conversions == int(labels.sum())


def test_labels_that_the_scores_part_perfectly_still_give_finite_figures() -> None:
    found = measure_assurance(np.repeat([0.1, 0.9], 30), np.repeat([0.0, 1.0], 30), np.arange(60))
    assert np.isfinite(list(found.to_json().values())).all()


def test_the_bound_of_a_sure_model_is_the_mean_probability_of_each_group() -> None:
    sure = Assurance(0.0, 1.0, 0.0, 0.0, 0.0, conversions=50)
    probability = np.array([0.2, 0.4, 0.9])
    # Groups from .2, .4 and .9 up.
    bounds = precision_bounds(sure, probability, np.zeros(3, np.int64), np.array([1, 2, 3]))
    assert bounds == pytest.approx([0.5, 0.65, 0.9])


def test_the_bound_falls_by_one_and_a_quarter_standard_errors() -> None:
    unsure = Assurance(0.0, 1.0, 0.04, 0.01, -0.005, conversions=50)
    odds = math.log(4)
    bounds = precision_bounds(unsure, np.array([0.8]), np.array([0]), np.array([1]))
    variance = 0.16**2 * (0.04 - 2 * odds * 0.005 + odds**2 * 0.01)
    assert bounds == pytest.approx([0.8 - 1.2815515655 * math.sqrt(variance)])


def test_a_group_without_rows_has_no_bound() -> None:
    sure = Assurance(0.0, 1.0, 0.0, 0.0, 0.0, conversions=50)
    bounds = precision_bounds(sure, np.array([0.5]), np.array([1]), np.array([2]))
    assert np.isnan(bounds[0])
    assert bounds[1] == 0.5


def test_certain_probabilities_have_finite_log_odds() -> None:
    assert list(log_odds_of(np.array([0.0, 0.5, 1.0]))) == [-35.0, 0.0, 35.0]


def test_what_is_written_is_read_again() -> None:
    one = Assurance(0.1, 0.9, 0.01, 0.02, -0.003, conversions=42)
    assert assurance_from_json(one.to_json()) == one
