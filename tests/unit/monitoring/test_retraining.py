import numpy as np
import pytest

from mqlml.monitoring.evidence import Change, Kind
from mqlml.monitoring.retraining import Reason, Request, challenger_gate, retrain_request
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.timeline import MICROS_PER_DAY

SETTINGS = MonitoringSettings(retrain_after_days=90, promote_z=1.28)


def change(kind: Kind, *, is_alarm: bool = True) -> Change:
    return Change(kind, 0, ("x",), None, "it moved", "act", 5.0, is_alarm=is_alarm)


def asked(reason: Reason, *changes: Change, days: float = 10) -> Request:
    now = int(days * MICROS_PER_DAY)
    return retrain_request(reason, changes, trained_at=0, as_of=now, settings=SETTINGS)


def test_nothing_to_do_is_an_answer() -> None:
    found = asked("auto")
    assert not found.is_needed
    assert found.why == "nothing to do: no change found and the champion is young"


@pytest.mark.parametrize(
    ("changes", "days", "reason"),
    [
        ((change("concept"),), 10, "drift"),
        ((change("prior"), change("definition", is_alarm=False)), 10, "drift"),
        ((change("definition", is_alarm=False),), 10, "criteria"),
        ((), 90, "schedule"),
    ],
)
def test_auto_names_the_strongest_reason(
    changes: tuple[Change, ...], days: float, reason: str
) -> None:
    found = asked("auto", *changes, days=days)
    assert found.is_needed
    assert found.reason == reason


def test_broken_inputs_are_mended_before_anything_is_learnt_from_them() -> None:
    for reason in ("auto", "drift"):
        found = asked(reason, change("instrumentation"), change("concept"), days=200)
        assert not found.is_needed
        assert "mended: x" in found.why


def test_a_named_reason_needs_a_cause_unless_somebody_asks() -> None:
    assert not asked("drift").is_needed
    assert not asked("schedule", days=89).is_needed
    assert asked("schedule", days=91).is_needed
    assert asked("criteria", change("definition")).is_needed
    assert (
        asked("drift", change("definition")).why
        == "nothing to do: there is no drift to retrain for"
    )
    assert asked("manual").is_needed
    assert asked("data").reason == "data"


def drawn(noise: float, *, seed: int = 0, rows: int = 2000) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-2, 1, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    worse = 1 / (1 + np.exp(-(log_odds + rng.normal(0, noise, rows))))
    return np.arange(rows) // 4, labels, 1 / (1 + np.exp(-log_odds)), worse


def test_a_better_challenger_is_promoted_and_a_worse_one_is_not() -> None:
    leads, labels, right, noisy = drawn(1.0)
    promoted = challenger_gate(leads, labels, champion=noisy, challenger=right, settings=SETTINGS)
    assert promoted.promote
    assert promoted.figures["z"] > 1.28
    assert promoted.figures["leads"] == 500
    assert promoted.why.startswith("promoted the challenger, as its log loss is 0.0578 lower")
    kept = challenger_gate(leads, labels, champion=right, challenger=noisy, settings=SETTINGS)
    assert not kept.promote
    assert kept.figures["z"] == pytest.approx(-promoted.figures["z"])


def test_equal_models_change_nothing() -> None:
    leads, labels, right, _ = drawn(0.0)
    kept = challenger_gate(leads, labels, champion=right, challenger=right, settings=SETTINGS)
    assert not kept.promote
    assert kept.figures["z"] == 0.0


def test_copies_of_the_same_lead_are_not_more_evidence() -> None:
    leads, labels, right, noisy = drawn(0.5, rows=400)
    once = challenger_gate(
        np.arange(400), labels, champion=noisy, challenger=right, settings=SETTINGS
    )
    copied = challenger_gate(
        np.tile(np.arange(400), 9),
        np.tile(labels, 9),
        champion=np.tile(noisy, 9),
        challenger=np.tile(right, 9),
        settings=SETTINGS,
    )
    assert len(leads) == 400
    assert copied.figures["z"] == pytest.approx(once.figures["z"])


def test_a_challenger_that_ranks_better_but_is_badly_calibrated_stays_out() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(3000) < 0.1).astype(float)
    champion = np.full(3000, 0.1)
    # Knows the answer, and says a third too much of everything.
    knows = np.where(labels == 1, 0.75, 0.15)
    kept = challenger_gate(
        np.arange(3000), labels, champion=champion, challenger=knows, settings=SETTINGS
    )
    assert kept.figures["z"] > 1.28
    assert not kept.promote
    assert "worse calibrated" in kept.why


def test_too_few_conversions_keep_the_champion() -> None:
    labels = np.r_[np.ones(19), np.zeros(500)]
    kept = challenger_gate(
        np.arange(519),
        labels,
        champion=np.full(519, 0.5),
        challenger=np.full(519, 0.04),
        settings=SETTINGS,
    )
    assert not kept.promote
    assert "19 conversions to compare on, 20 needed" in kept.why
