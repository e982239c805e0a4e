import numpy as np
import pytest

from mqlml.monitoring.odds import beyond, cohort_windows, log_evidence, running_odds, windows


def test_evidence_is_an_e_value_its_mean_is_one_while_nothing_changes() -> None:
    gap = np.random.default_rng(1).normal(0, 0.7, 200_000)
    found = np.exp(log_evidence(gap, np.full(len(gap), 0.49), sizes=(0.25, 1.0)))
    assert found.mean() == pytest.approx(1.0, abs=0.02)


def test_student_tails_believe_an_outlier_less_than_normal_ones() -> None:
    gap, one = np.array([6.0]), np.array([1.0])
    normal = log_evidence(gap, one, sizes=(2.0,))
    student = log_evidence(gap, one, sizes=(2.0,), freedom=20.0)
    # Normal: -ln(5)/2 + 18 (1 - 1/5) = 13.595.
    assert normal[0] == pytest.approx(13.595, abs=0.001)
    assert 0 < student[0] < normal[0]


def test_what_is_tolerated_is_no_gap() -> None:
    assert list(beyond(np.array([0.05, -0.05, 0.3]), 0.1)) == pytest.approx([0, 0, 0.2])


def test_the_running_odds_add_up_the_changes_that_may_have_begun() -> None:
    factors = np.log(np.array([[1.0, 2.0], [np.exp(-np.inf), 3.0]]) + 1e-300)
    assert np.exp(running_odds(factors)) == pytest.approx([1.0, 5.0])


def test_windows_equal_sums_written_out() -> None:
    rng = np.random.default_rng(2)
    table = rng.normal(size=(5, 5, 2))
    weekly = table.sum(axis=0)
    by_week, by_cohort = windows(weekly), cohort_windows(table)
    for k in range(5):
        for t in range(k, 5):
            assert by_week[k, t] == pytest.approx(weekly[k : t + 1].sum(axis=0))
            assert by_cohort[k, t] == pytest.approx(table[k:, : t + 1].sum(axis=(0, 1)))
