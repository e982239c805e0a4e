"""A challenger against the champion: better beyond luck, and safe."""

import numpy as np
import pytest

from mqlml.modeling.young_labels import YoungOutcomes, mature_outcomes
from mqlml.monitoring.promotion import (
    Compared,
    Sides,
    judge,
    shared_reasons,
)
from mqlml.monitoring.settings import MonitoringSettings

SETTINGS = MonitoringSettings(promote_z=1.28)


def judged(leads, labels, *, champion, challenger):
    return judge(Compared(leads, mature_outcomes(labels), champion, challenger), SETTINGS)


def drawn(noise: float, *, seed: int = 0, rows: int = 2000) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-2, 1, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    worse = 1 / (1 + np.exp(-(log_odds + rng.normal(0, noise, rows))))
    return np.arange(rows) // 4, labels, 1 / (1 + np.exp(-log_odds)), worse


def test_a_better_challenger_is_promoted_and_a_worse_one_is_not() -> None:
    leads, labels, right, noisy = drawn(1.0)
    promoted = judged(leads, labels, champion=noisy, challenger=right)
    assert promoted.promote
    assert promoted.figures["z"] > 1.28
    assert promoted.figures["leads"] == 500
    assert promoted.why.startswith("promoted the challenger, as its log loss is 0.0578 lower")
    kept = judged(leads, labels, champion=right, challenger=noisy)
    assert not kept.promote
    assert kept.figures["z"] == pytest.approx(-promoted.figures["z"])


def test_equal_models_change_nothing() -> None:
    leads, labels, right, _ = drawn(0.0)
    kept = judged(leads, labels, champion=right, challenger=right)
    assert not kept.promote
    assert kept.figures["z"] == 0.0


def test_copies_of_the_same_lead_are_not_more_evidence() -> None:
    leads, labels, right, noisy = drawn(0.5, rows=400)
    once = judged(np.arange(400), labels, champion=noisy, challenger=right)
    copied = judged(
        np.tile(np.arange(400), 9),
        np.tile(labels, 9),
        champion=np.tile(noisy, 9),
        challenger=np.tile(right, 9),
    )
    assert len(leads) == 400
    assert copied.figures["z"] == pytest.approx(once.figures["z"])


def test_a_challenger_that_ranks_better_but_is_badly_calibrated_stays_out() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(3000) < 0.1).astype(float)
    champion = np.full(3000, 0.1)
    # Knows the answer, and says a third too much of everything.
    knows = np.where(labels == 1, 0.75, 0.15)
    kept = judged(np.arange(3000), labels, champion=champion, challenger=knows)
    assert kept.figures["z"] > 1.28
    assert not kept.promote
    assert "worse calibrated" in kept.why


def test_too_few_conversions_keep_the_champion() -> None:
    labels = np.r_[np.ones(19), np.zeros(500)]
    kept = judged(
        np.arange(519),
        labels,
        champion=np.full(519, 0.5),
        challenger=np.full(519, 0.04),
    )
    assert not kept.promote
    assert "19 conversions to compare on, 20 needed" in kept.why


def better() -> tuple[np.ndarray, ...]:
    """Return leads, labels, a champion's and a better challenger's probabilities."""
    leads, labels, right, noisy = drawn(1.0)
    return leads, labels, noisy, right


def test_young_outcomes_count_as_far_as_they_are_known() -> None:
    leads, labels, champion, challenger = better()
    known = np.full(len(labels), 0.5)
    came = labels * (np.arange(len(labels)) % 2)
    found = judge(Compared(leads, YoungOutcomes(came, known), champion, challenger), SETTINGS)
    whole = judge(Compared(leads, mature_outcomes(labels), champion, challenger), SETTINGS)
    assert 0 < found.figures["z"] < whole.figures["z"]


def test_a_challenger_that_serves_a_persona_worse_stays_out() -> None:
    leads, labels, right, noisy = drawn(2.0)
    theirs = leads % 6 == 0
    champion, challenger = np.where(theirs, right, noisy), np.where(theirs, noisy, right)
    outcomes = mature_outcomes(labels)
    unseen = judge(Compared(leads, outcomes, champion, challenger), SETTINGS)
    found = judge(Compared(leads, outcomes, champion, challenger, {"chiefs": theirs}), SETTINGS)
    assert unseen.promote
    assert not found.promote
    assert "worse for the persona 'chiefs'" in found.why


def sides(**changes: object) -> Sides:
    recent = np.linspace(0.0, 1.0, 101)
    given = {
        "champion_threshold": 0.9,
        "challenger_threshold": 0.9,
        "champion_recent": recent,
        "challenger_recent": recent,
    }
    return Sides(**(given | changes))


def with_sides(given: Sides, *, is_change_expected: bool = False):
    leads, labels, champion, challenger = better()
    outcomes = mature_outcomes(labels)
    compared = Compared(leads, outcomes, champion, challenger, {}, given, is_change_expected)
    return judge(compared, SETTINGS)


def test_another_volume_of_mqls_needs_a_person() -> None:
    assert with_sides(sides()).promote
    doubled = with_sides(sides(challenger_threshold=0.7))
    assert (doubled.promote, doubled.asks) == (False, True)
    assert "it would call 30.7% of the latest leads MQL instead of 10.9%" in doubled.why


def test_other_reasons_need_a_person_unless_a_change_explains_them() -> None:
    given = sides(champion_weights={"a": 1.0, "b": 1.0}, challenger_weights={"c": 1.0, "d": 1.0})
    asked = with_sides(given)
    assert (asked.promote, asked.asks) == (False, True)
    assert with_sides(given, is_change_expected=True).promote


def test_reasons_that_weigh_nothing_are_none() -> None:
    assert shared_reasons({"a": 1.0, "b": 0.0}, {"a": 2.0, "c": 0.0}) == 1.0
    assert shared_reasons({}, {}) == 1.0


def test_a_follow_up_need_only_do_no_worse_than_its_champion() -> None:
    leads, labels, right, noisy = drawn(0.1)
    outcomes = mature_outcomes(labels)
    better, worse = Compared(leads, outcomes, noisy, right), Compared(leads, outcomes, right, noisy)
    z = judge(better, SETTINGS).figures["z"]
    assert 0 < z < 1.28
    assert not judge(better, SETTINGS).promote
    assert judge(better, SETTINGS, is_follow_up=True).promote
    assert not judge(worse, SETTINGS, is_follow_up=True).promote
