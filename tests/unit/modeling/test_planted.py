"""The planted companies that intervals are measured on."""

import numpy as np
import pytest
from benchmarks.intervals import Measured
from benchmarks.planted import Case, plant

CASE = Case(3_000, 0.1)


def test_a_planted_company_converts_as_often_as_asked_and_by_its_true_chances():
    past, future = plant(CASE, seed=3, future=1_000)
    assert (len(past.matrix), len(future.matrix)) == (3_000, 1_000)
    chance = np.concatenate([past.chance, future.chance])
    assert chance.mean() == pytest.approx(0.1, abs=1e-6)
    labels = past.points["label"].to_numpy()
    spread = np.sqrt((past.chance * (1 - past.chance)).sum())
    assert abs(labels.sum() - past.chance.sum()) < 4 * spread


def test_the_parts_of_the_truth_add_up_to_its_log_odds_but_for_a_level():
    past, _ = plant(CASE, seed=3)
    level = np.log(past.chance / (1 - past.chance)) - past.parts.sum(axis=1).to_numpy()
    assert np.ptp(level) < 1e-9


def test_equal_seeds_give_equal_companies():
    one, two = (plant(CASE, seed=5)[0] for _ in range(2))
    np.testing.assert_array_equal(one.chance, two.chance)
    assert one.points.equals(two.points)


def test_coverage_counts_the_leads_whose_truth_lies_within():
    said, truth = np.zeros(4), np.array([-0.5, 0.5, 1.5, -2.5])
    found = Measured(said, said - 1, said + 1, truth, "logistic", 1.0, 2.0)
    assert found.covered == 0.5
    assert found.covered_if_widened[1.6] == 0.75
