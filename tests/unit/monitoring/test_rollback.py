"""Going back to the champion before: only beyond luck, however often it is looked at."""

import numpy as np
import pytest

from mqlml.modeling.young_labels import mature_outcomes
from mqlml.monitoring.rollback import mixture_bound, propose_rollback


def test_few_conversions_decide_nothing() -> None:
    labels = np.r_[np.ones(19), np.zeros(100)]
    found = propose_rollback(
        np.arange(119),
        mature_outcomes(labels),
        champion=np.full(119, 0.9),
        previous=np.full(119, 0.16),
    )
    assert not found.is_proposed
    assert found.why == "too early to tell: 19 leads converted since its promotion, 20 needed"


def test_a_champion_that_is_much_worse_is_to_go() -> None:
    labels = np.tile([1.0, 0, 0, 0, 0], 200)
    found = propose_rollback(
        np.arange(1000),
        mature_outcomes(labels),
        champion=np.full(1000, 0.5),
        previous=np.full(1000, 0.2),
    )
    # Per lead −ln .5 against .2 · −ln .2 + .8 · −ln .8 = .5004: 38.5 % worse.
    assert found.is_proposed
    assert found.loss == pytest.approx(np.log(2) / 0.5004024235 - 1)
    assert found.why.startswith("its log loss is 38.5% worse than the previous champion's")


def test_a_better_champion_stays() -> None:
    labels = np.tile([1.0, 0, 0, 0, 0], 200)
    found = propose_rollback(
        np.arange(1000),
        mature_outcomes(labels),
        champion=np.full(1000, 0.2),
        previous=np.full(1000, 0.5),
    )
    assert not found.is_proposed
    assert found.loss < 0


def test_looks_at_one_lead_are_one_piece_of_evidence() -> None:
    labels = np.tile([1.0, 0, 0, 0, 0], 40)
    sides = {"champion": np.full(200, 0.3), "previous": np.full(200, 0.2)}
    once = propose_rollback(np.arange(200), mature_outcomes(labels), **sides)
    copied = propose_rollback(
        np.tile(np.arange(200), 9),
        mature_outcomes(np.tile(labels, 9)),
        champion=np.full(1800, 0.3),
        previous=np.full(1800, 0.2),
    )
    assert copied.evidence == pytest.approx(once.evidence)


def test_a_random_walk_rarely_crosses_the_bound_ever() -> None:
    rng = np.random.default_rng(1)
    crossed = 0
    for _ in range(300):
        walk = np.cumsum(rng.normal(size=2000))
        bounds = [mixture_bound(float(n), 250.0, alpha=0.05) for n in range(1, 2001, 20)]
        crossed += bool((walk[::20] > np.array(bounds)).any())
    assert crossed / 300 <= 0.05


def test_two_that_say_the_same_are_no_choice() -> None:
    labels = np.tile([1.0, 0, 0, 0, 0], 40)
    same = np.full(200, 0.2)
    found = propose_rollback(
        np.arange(200), mature_outcomes(labels), champion=same, previous=same.copy()
    )
    assert (found.is_proposed, found.why) == (False, "it says what the previous champion says")
