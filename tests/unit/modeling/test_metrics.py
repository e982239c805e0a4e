import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mqlml.modeling.metrics import (
    brier,
    calibration_curve,
    calibration_error,
    figures_by_group,
    gains,
    lift_at,
    log_loss,
    measure,
    pr_auc,
    roc_auc,
    roc_auc_interval,
    wilson_interval,
)


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_roc_auc_counts_pairs_and_ties_half() -> None:
    # Pairs (positive, negative): (.8,.5) won, (.8,.2) won, (.5,.5) tied, (.5,.2) won.
    assert roc_auc(array(1, 1, 0, 0), array(0.8, 0.5, 0.5, 0.2)) == pytest.approx(3.5 / 4)


def test_roc_auc_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.3).astype(float)
    probabilities = np.round(random.random(300), 1)
    assert roc_auc(labels, probabilities) == pytest.approx(roc_auc_score(labels, probabilities))


@pytest.mark.parametrize("labels", [array(), array(0, 0), array(1, 1)])
def test_ranking_of_one_class_is_not_a_number(labels: np.ndarray) -> None:
    probabilities = np.full(len(labels), 0.5)
    assert np.isnan(roc_auc(labels, probabilities))
    assert np.isnan(roc_auc_interval(labels, probabilities)).all()


def test_figures_that_need_conversions_are_not_numbers_without_one() -> None:
    labels, probabilities = array(0, 0), array(0.1, 0.2)
    assert np.isnan(pr_auc(labels, probabilities))
    assert np.isnan(lift_at(labels, probabilities, share=0.5))
    assert np.isnan(gains(labels, probabilities, steps=2)["found"]).all()


def test_figures_of_no_rows_are_not_numbers() -> None:
    metrics = measure(array(), array())
    assert metrics.rows == 0
    assert np.isnan([metrics.base_rate, metrics.log_loss, metrics.brier]).all()
    assert np.isnan(metrics.calibration_error)


def test_the_interval_of_roc_auc_holds_the_figure_and_repeats_by_seed() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(200) < 0.4).astype(float)
    probabilities = 0.3 * labels + random.random(200)
    low, high = roc_auc_interval(labels, probabilities, seed=5)
    assert low < roc_auc(labels, probabilities) < high
    assert (low, high) == roc_auc_interval(labels, probabilities, seed=5)
    assert (low, high) != roc_auc_interval(labels, probabilities, seed=6)


def test_rows_of_one_lead_are_resampled_together() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat((random.random(40) < 0.5).astype(float), 10)
    probabilities = np.repeat(random.random(40), 10)
    apart = roc_auc_interval(labels, probabilities)
    together = roc_auc_interval(labels, probabilities, leads=np.repeat(np.arange(40), 10))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_log_loss_and_brier_by_hand() -> None:
    labels, probabilities = array(1, 0), array(0.8, 0.4)
    assert log_loss(labels, probabilities) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert brier(labels, probabilities) == pytest.approx((0.04 + 0.16) / 2)


def test_a_certain_mistake_costs_a_finite_log_loss() -> None:
    assert np.isfinite(log_loss(array(1), array(0.0)))


def test_pr_auc_of_a_perfect_ranking_is_one() -> None:
    assert pr_auc(array(0, 1), array(0.1, 0.9)) == 1.0


def test_calibration_bins_hold_equal_numbers_of_rows() -> None:
    labels = array(0, 0, 0, 1, 1, 1)
    curve = calibration_curve(labels, array(0.1, 0.2, 0.3, 0.7, 0.8, 0.9), bins=2)
    assert curve["rows"].tolist() == [3, 3]
    assert curve["predicted"].tolist() == pytest.approx([0.2, 0.8])
    assert curve["observed"].tolist() == [0.0, 1.0]
    assert (curve["low"] <= curve["observed"] + 1e-12).all()
    assert (curve["observed"] <= curve["high"] + 1e-12).all()


def test_equal_probabilities_share_a_calibration_bin() -> None:
    curve = calibration_curve(array(0, 1, 0, 1), np.full(4, 0.5), bins=4)
    assert curve["rows"].tolist() == [4]


def test_calibration_error_weighs_bins_by_rows() -> None:
    # Bins: predicted .2 observed 0, predicted .8 observed 1: both .2 apart.
    labels = array(0, 0, 0, 1, 1, 1)
    probabilities = array(0.1, 0.2, 0.3, 0.7, 0.8, 0.9)
    assert calibration_error(labels, probabilities, bins=2) == pytest.approx(0.2)


def test_lift_is_the_rate_of_the_top_over_the_rate_of_all() -> None:
    labels = array(1, 1, 0, 0)
    probabilities = array(0.9, 0.8, 0.3, 0.1)
    assert lift_at(labels, probabilities, share=0.5) == pytest.approx(2.0)
    assert lift_at(labels, probabilities, share=1.0) == pytest.approx(1.0)


def test_lift_of_equal_probabilities_is_one_whatever_the_row_order() -> None:
    assert lift_at(array(1, 0, 0, 0), np.full(4, 0.5), share=0.25) == pytest.approx(1.0)


def test_gains_reach_all_conversions_at_all_rows() -> None:
    found = gains(array(1, 0, 1, 0), array(0.9, 0.7, 0.6, 0.1), steps=4)
    assert found["share"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["found"].tolist() == pytest.approx([0.5, 0.5, 1.0, 1.0])
    assert found["lift"].tolist() == pytest.approx([2.0, 1.0, 4 / 3, 1.0])


def test_the_wilson_interval_of_half_in_a_hundred() -> None:
    low, high = wilson_interval(array(0.5), array(100))
    assert (low[0], high[0]) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_figures_by_group_are_sorted_by_size_and_name_the_missing() -> None:
    groups = pd.Series(["b", "a", "a", None, "b"])
    found = figures_by_group(array(1, 0, 1, 1, 0), array(0.5, 0.2, 0.8, 0.5, 0.3), groups)
    assert found["group"].tolist() == ["a", "b", "(missing)"]
    assert found["rows"].tolist() == [2, 2, 1]
    assert found["observed"].tolist() == [0.5, 0.5, 1.0]
    assert found["roc_auc"].tolist()[:2] == [1.0, 1.0]
    assert np.isnan(found["roc_auc"].iloc[2])
