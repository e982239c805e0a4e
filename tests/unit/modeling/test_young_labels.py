"""Outcomes that are still open, learnt from as far as they are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqlml.modeling.calibration import probability_of
from mqlml.modeling.young_labels import Prior, YoungOutcomes, fit_young, mature_outcomes

FREE = Prior(np.zeros(0))


def test_a_soft_label_is_the_chance_that_a_conversion_comes_later() -> None:
    outcomes = YoungOutcomes(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.3, 0.0, 0.5, 1.0]))
    soft = outcomes.soft_labels(np.full(4, 0.5))
    # Open at half the delay: .5 · .5 / (1 − .5 · .5) = 1/3; mature and none: 0.
    assert soft == pytest.approx([1.0, 0.5, 1 / 3, 0.0])


def test_the_loss_of_a_mature_row_is_its_log_loss() -> None:
    losses = mature_outcomes(np.array([1.0, 0.0])).losses(np.array([0.25, 0.25]))
    assert losses == pytest.approx([np.log(4), -np.log(0.75)])
    half_known = YoungOutcomes(np.zeros(1), np.array([0.5])).losses(np.array([0.5]))
    assert half_known == pytest.approx([-np.log(0.75)])


def test_the_rate_of_young_leads_is_conversions_over_what_is_known_of_them() -> None:
    # One mature conversion in 2; 1 of 4 young ones where half of the conversions have come.
    came = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    known = np.array([1.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    fit = fit_young(np.zeros((6, 0)), YoungOutcomes(came, known), prior=FREE)
    p = float(probability_of(np.array([fit.intercept]))[0])
    # The summit: 2 / p = 1 / (1 − p) + 3 · .5 / (1 − .5 p).
    assert 2 / p == pytest.approx(1 / (1 - p) + 1.5 / (1 - 0.5 * p), abs=1e-5)


def test_it_ends_where_em_does() -> None:
    rng = np.random.default_rng(3)
    design = rng.normal(size=(400, 2))
    truth = probability_of(-1.0 + design @ np.array([1.0, -0.5]))
    known = rng.uniform(0.1, 1.0, 400)
    came = ((rng.random(400) < truth) & (rng.random(400) < known)).astype(float)
    outcomes, prior = YoungOutcomes(came, known), Prior(np.full(2, 1.0))
    found = fit_young(design, outcomes, prior=prior)
    soft = outcomes.soft_labels(probability_of(found.log_odds(design)))
    # Learning once more from the soft labels changes nothing.
    again = probability_of(found.log_odds(design))
    assert design.T @ (soft - again) == pytest.approx(prior.coefficients * found.coefficients)
    assert (soft - again).sum() == pytest.approx(0.0, abs=1e-5)


def test_without_conversions_the_rate_is_half_a_conversion() -> None:
    fit = fit_young(np.zeros((99, 0)), mature_outcomes(np.zeros(99)), prior=FREE)
    assert probability_of(np.array([fit.intercept])) == pytest.approx([0.5 / 99])


@given(p=st.floats(0.01, 0.99), known=st.floats(0.0, 1.0), came=st.sampled_from([0.0, 1.0]))
def test_a_soft_label_minus_the_probability_is_the_slope_of_the_loss(
    p: float, known: float, came: float
) -> None:
    outcomes = YoungOutcomes(np.array([came]), np.array([known]))
    step, log_odds = 1e-5, np.log(p / (1 - p))
    around = [outcomes.losses(probability_of(np.array([log_odds + d])))[0] for d in (step, -step)]
    slope = -(around[0] - around[1]) / (2 * step)
    assert outcomes.soft_labels(np.array([p]))[0] - p == pytest.approx(slope, abs=1e-5)
