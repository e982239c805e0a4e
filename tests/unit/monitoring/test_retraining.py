import pytest

from mqlml.monitoring.evidence import Change, Kind
from mqlml.monitoring.retraining import (
    Attempt,
    Reason,
    Request,
    retrain_request,
    treatment_of,
)
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.timeline import MICROS_PER_DAY

SETTINGS = MonitoringSettings(retrain_after_days=90, promote_z=1.28)


def change(kind: Kind, *, is_alarm: bool = True) -> Change:
    return Change(kind, 0, ("x",), None, "it moved", "act", 5.0, is_alarm=is_alarm)


def asked(
    reason: Reason, *changes: Change, days: float = 10, attempts: tuple[Attempt, ...] = ()
) -> Request:
    now = int(days * MICROS_PER_DAY)
    return retrain_request(
        reason, changes, trained_at=0, as_of=now, settings=SETTINGS, attempts=attempts
    )


def tried(reason: str, day: int) -> Attempt:
    return Attempt(reason, day * MICROS_PER_DAY, "kept the champion")


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
    assert asked("review").why == "asked for by reason 'review'"
    assert asked("data").reason == "data"


def test_auto_waits_before_it_tries_again_what_did_not_help() -> None:
    found = asked("auto", change("concept"), days=47, attempts=(tried("drift", 20),))
    assert not found.is_needed
    assert found.why == (
        "nothing to do: tried on 1970-01-21 (kept the champion); again from 1970-02-18 on"
    )
    assert asked("auto", change("concept"), days=48, attempts=(tried("drift", 20),)).is_needed


def test_what_was_tried_for_one_reason_does_not_hold_up_another() -> None:
    found = asked("auto", change("concept"), days=100, attempts=(tried("drift", 95),))
    assert (found.is_needed, found.reason) == (True, "schedule")
    found = asked("auto", change("definition"), change("concept"), attempts=(tried("drift", 5),))
    assert (found.is_needed, found.reason) == (True, "criteria")


def test_the_calendar_counts_from_the_last_attempt_too() -> None:
    assert not asked("auto", days=120, attempts=(tried("schedule", 91),)).is_needed
    assert asked("auto", days=181, attempts=(tried("schedule", 91),)).is_needed


def test_who_asks_for_drift_by_name_is_not_told_to_wait() -> None:
    assert asked("drift", change("concept"), attempts=(tried("drift", 9),)).is_needed


@pytest.mark.parametrize(
    ("kind", "conversions", "approach", "has_since"),
    [
        ("prior", 1000, "recalibration", True),
        ("concept", 299, "correction", True),
        ("concept", 300, "tournament", True),
        ("covariate", 50, "tournament", False),
    ],
)
def test_the_diagnosis_chooses_the_way_to_learn(
    kind: Kind, conversions: int, approach: str, has_since: bool
) -> None:
    request = Request(True, "drift", "it moved", change(kind))
    found = treatment_of(
        request, is_same_target=True, conversions_since=conversions, has_horizon=True
    )
    assert found.approach == approach
    assert (found.since is not None) == has_since


def test_new_criteria_keep_the_model_unless_the_target_is_new() -> None:
    request = Request(True, "criteria", "edited", change("definition"))
    same = treatment_of(request, is_same_target=True, conversions_since=0, has_horizon=True)
    other = treatment_of(request, is_same_target=False, conversions_since=0, has_horizon=True)
    assert (same.approach, other.approach) == ("new criteria", "tournament")


def test_without_dates_of_outcomes_nothing_young_can_be_learnt_from() -> None:
    request = Request(True, "drift", "it moved", change("concept"))
    found = treatment_of(request, is_same_target=True, conversions_since=5, has_horizon=False)
    assert found.approach == "tournament"


def corrected(day: int, since: int) -> Attempt:
    return Attempt("drift", day * MICROS_PER_DAY, "promoted", corrects=since * MICROS_PER_DAY)


def test_a_correction_is_followed_up_when_two_weeks_or_a_third_of_the_time_since_have_passed() -> (
    None
):
    # 12 days after the change a third is 4 days: two weeks it is. 60 days after it, 20 days.
    assert not asked("auto", days=33, attempts=(corrected(20, 8),)).is_needed
    found = asked("auto", days=34, attempts=(corrected(20, 8),))
    assert (found.is_needed, found.is_follow_up) == (True, True)
    assert found.change is not None
    assert (found.change.kind, found.change.since) == ("concept", 8 * MICROS_PER_DAY)
    assert not asked("auto", days=87, attempts=(corrected(68, 8),)).is_needed
    assert asked("auto", days=88, attempts=(corrected(68, 8),)).is_needed


def test_what_is_found_of_a_corrected_champion_is_the_change_it_was_corrected_for() -> None:
    found = asked("auto", change("concept"), days=60, attempts=(corrected(20, 8),))
    assert (found.is_follow_up, found.change and found.change.columns) == (True, ("x",))
    other = asked("auto", change("sales_cycle"), days=60, attempts=(corrected(20, 8),))
    assert (other.is_needed, other.is_follow_up) == (True, False)
    broken = asked("auto", change("bots"), days=60, attempts=(corrected(20, 8),))
    assert not broken.is_needed


def test_while_a_correction_is_followed_up_the_calendar_keeps_still() -> None:
    found = asked("auto", days=100, attempts=(corrected(95, 8),))
    assert (found.is_needed, found.reason) == (False, "drift")
    assert asked("schedule", days=100, attempts=(corrected(95, 8),)).is_needed


def test_too_short_a_time_is_corrected_however_many_have_converted() -> None:
    request = Request(True, "drift", "it moved", change("concept"))
    found = treatment_of(
        request, is_same_target=True, conversions_since=900, has_horizon=True, is_long=False
    )
    assert found.approach == "correction"
    assert "came in too short a time" in found.why
