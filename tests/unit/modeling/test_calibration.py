import numpy as np
import pytest

from mqlml.modeling.calibration import IDENTITY, Calibration, fit_calibration, probability_of


def outcomes(log_odds: np.ndarray, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.random(len(log_odds)) < probability_of(log_odds)).astype(float)


LOG_ODDS = np.random.default_rng(7).normal(-1.0, 1.5, 20_000)


def test_log_odds_of_zero_are_even_and_extremes_do_not_overflow() -> None:
    assert probability_of(np.array([0.0, -1e4, 1e4])).tolist() == [0.5, 0.0, 1.0]


def test_no_calibration_changes_nothing() -> None:
    labels = outcomes(LOG_ODDS + 1)
    assert fit_calibration(LOG_ODDS, LOG_ODDS, labels, "none") == IDENTITY
    np.testing.assert_array_equal(IDENTITY.apply(LOG_ODDS), LOG_ODDS)


def test_a_shift_finds_the_base_rate_of_the_block() -> None:
    labels = outcomes(LOG_ODDS + 1)
    found = fit_calibration(LOG_ODDS, LOG_ODDS, labels, "shift")
    assert found.slope == 1.0
    assert found.shift == pytest.approx(1.0, abs=0.05)
    assert probability_of(found.apply(LOG_ODDS)).mean() == pytest.approx(labels.mean(), abs=1e-3)


def test_platt_takes_the_slope_from_unseen_rows_and_the_shift_from_the_model_itself() -> None:
    labels = outcomes(LOG_ODDS)
    overconfident = 2 * LOG_ODDS
    found = fit_calibration(overconfident + 3, overconfident, labels, "platt")
    assert found.slope == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(found.apply(overconfident + 3), LOG_ODDS, atol=0.3)


def test_the_shift_is_not_counted_twice() -> None:
    # The older model missed a rise of the base rate; the model itself has learnt it.
    labels = outcomes(LOG_ODDS + 2)
    found = fit_calibration(LOG_ODDS + 2, LOG_ODDS, labels, "shift")
    assert found.shift == pytest.approx(0.0, abs=0.05)


def test_fewer_than_twenty_conversions_leave_the_log_odds_alone() -> None:
    labels = np.zeros(1_000)
    labels[:19] = 1
    log_odds = np.zeros(1_000)
    assert fit_calibration(log_odds, log_odds, labels, "platt") == IDENTITY
    labels[19] = 1
    assert fit_calibration(log_odds, log_odds, labels, "platt") != IDENTITY


def test_an_empty_block_leaves_the_log_odds_alone() -> None:
    nothing = np.zeros(0)
    assert fit_calibration(nothing, nothing, nothing, "platt") == IDENTITY


def test_a_small_block_moves_the_slope_less_than_a_large_one() -> None:
    overconfident = 2 * LOG_ODDS
    labels = outcomes(LOG_ODDS)
    small = fit_calibration(overconfident[:150], overconfident[:150], labels[:150], "platt")
    large = fit_calibration(overconfident, overconfident, labels, "platt")
    assert large.slope < small.slope < 1.0


def test_calibration_keeps_the_order_of_leads() -> None:
    calibrated = Calibration(0.3, 0.7).apply(np.array([-1.0, 0.0, 2.0]))
    assert calibrated.tolist() == pytest.approx([-0.4, 0.3, 1.7])
