from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.settings import Criteria, Rule
from mqlml.monitoring.evidence import Monitoring, Reference, ScoredHistory
from mqlml.monitoring.monitor import criteria_change, monitor
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.timeline import MICROS_PER_WEEK, NEVER

Simulate = Callable[..., ScoredHistory]
CRITERIA = Criteria(version=1)


def looked_at(history: ScoredHistory, reference: Reference) -> Monitoring:
    settings = MonitoringSettings()
    return monitor(history, reference, settings, criteria_then=CRITERIA, criteria_now=CRITERIA)


def test_where_nothing_changed_at_most_one_firm_in_eight_has_an_alarm_standing(
    simulate: Simulate, reference: Reference
) -> None:
    # An alarm stands eight weeks and a third of one a year is allowed: one in some twenty.
    found = [looked_at(simulate(seed=seed, verdict_share=0.3), reference) for seed in range(8)]
    quiet = [one for one in found if not one.alarm]
    assert len(quiet) >= 7
    assert all(one.changes == () and one.warnings == () for one in quiet)


def test_a_change_of_concept_is_named_with_its_date_and_column(
    simulate: Simulate, reference: Reference
) -> None:
    found = looked_at(simulate(change=22, size_effect=-0.5), reference)
    assert found.alarm
    change = found.changes[0]
    assert change.kind == "concept"
    assert change.columns == ("company_size",)
    assert change.since is not None
    assert abs(change.since / MICROS_PER_WEEK - 22) <= 2
    assert change.earliest is not None
    assert change.latest is not None
    assert change.earliest <= change.since <= change.latest
    assert "'company size' counts less than it did" in change.evidence


def test_a_concept_that_only_verdicts_show_yet_is_named_early(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate(change=29, size_effect=-1.0, verdict_share=0.6)
    quiet = looked_at(replace(history, verdicts=history.verdicts.iloc[:0]), reference)
    assert not [c for c in quiet.changes if "sales accepts" in c.evidence]
    found = looked_at(history, reference)
    assert found.alarm
    assert found.changes[0].kind == "concept"
    assert "company_size" in found.changes[0].columns
    assert "sales accepts other leads than before" in found.changes[0].evidence


def test_two_signs_of_one_change_of_concept_are_one_change(
    simulate: Simulate, reference: Reference
) -> None:
    found = looked_at(simulate(change=20, size_effect=-1.0, verdict_share=0.6), reference)
    assert [c.kind for c in found.changes] == ["concept"]
    assert "sales accepts" in found.changes[0].evidence
    assert "conversions no longer follow" in found.changes[0].evidence


@pytest.mark.parametrize(("level", "words"), [(-1.2, "fewer"), (1.0, "more")])
def test_a_moved_base_rate_is_named_as_such(
    simulate: Simulate, reference: Reference, level: float, words: str
) -> None:
    found = looked_at(simulate(change=22, level=level, size_effect=1.0), reference)
    assert found.alarm
    change = found.changes[0]
    assert change.kind == "prior"
    assert change.evidence.startswith(words)
    assert change.columns == ()
    assert change.since is not None
    assert abs(change.since / MICROS_PER_WEEK - 22) <= 3


def test_a_change_in_the_future_is_not_seen(simulate: Simulate, reference: Reference) -> None:
    history = simulate(change=24, size_effect=-1.0)
    end = 24 * MICROS_PER_WEEK
    past = np.flatnonzero(history.as_of < end)
    converted_at = history.converted_at[past]
    before = replace(
        history,
        scores=history.scores.iloc[past].reset_index(drop=True),
        matrix=history.matrix.iloc[past].reset_index(drop=True),
        converted_at=np.where(converted_at < end, converted_at, NEVER),
        data_end=end,
    )
    assert not looked_at(before, reference).alarm


def test_too_few_outcomes_are_said_and_not_judged(simulate: Simulate, reference: Reference) -> None:
    history = simulate(weeks=12, leads=60)
    found = looked_at(replace(history, learnt_until=history.data_end), reference)
    assert not found.alarm
    assert found.calibration.empty
    text = " ".join(found.warnings)
    assert "too few to judge base rate" in text
    assert "too few to judge verdicts" in text
    assert "inputs not judged: 12 weeks" in text


def test_too_few_weeks_of_news_are_not_judged(simulate: Simulate, reference: Reference) -> None:
    history = simulate(verdict_share=1.0)
    late = replace(history, learnt_until=29 * MICROS_PER_WEEK)
    recent = history.verdicts.iloc[-400:].reset_index(drop=True)
    assert looked_at(replace(late, verdicts=recent), reference).changes == ()


def test_weekly_rates_have_no_outcome_before_they_are_mature(
    simulate: Simulate, reference: Reference
) -> None:
    found = looked_at(simulate(), reference)
    weekly = found.weekly
    assert len(weekly) == 34
    assert list(weekly["week"].diff().dropna().unique()) == [MICROS_PER_WEEK]
    # The horizon is six weeks: only the last six weeks are open.
    assert weekly["observed"].isna().sum() == 6
    assert weekly["observed"].iloc[-6:].isna().all()
    assert (weekly["low"].dropna() <= weekly["observed"].dropna()).all()
    assert found.volumes["leads"].sum() == 34 * 150


def test_calibration_looks_only_at_mature_news(simulate: Simulate, reference: Reference) -> None:
    curve = looked_at(simulate(), reference).calibration
    # Weeks 8 to 27 are news and mature: 20 weeks of 150 leads; week 28 begins too late.
    assert curve["rows"].sum() == 20 * 150
    predicted = (curve["predicted"] * curve["rows"]).sum()
    observed = (curve["observed"] * curve["rows"]).sum()
    assert 0.85 < predicted / observed < 1.15


def test_the_same_history_gives_the_same_answer_in_any_row_order(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate(change=22, size_effect=-0.5)
    order = np.random.default_rng(3).permutation(len(history.scores))
    shuffled = replace(
        history,
        scores=history.scores.iloc[order].reset_index(drop=True),
        matrix=history.matrix.iloc[order].reset_index(drop=True),
        converted_at=history.converted_at[order],
    )
    first, second = looked_at(history, reference), looked_at(shuffled, reference)
    assert [c.columns for c in first.changes] == [c.columns for c in second.changes]
    assert [c.since for c in first.changes] == [c.since for c in second.changes]


def test_equal_criteria_are_no_change() -> None:
    assert criteria_change(CRITERIA, CRITERIA.model_copy()) == ()


def test_criteria_under_a_new_version_are_a_change_without_alarm() -> None:
    gate = (Rule(name="size", when="company_size > 500"),)
    update = {"version": 2, "icp_gate": gate, "valid_from": "2026-03-01"}
    (change,) = criteria_change(CRITERIA, CRITERIA.model_copy(update=update))
    assert change.kind == "definition"
    assert not change.is_alarm
    assert change.since == pd.Timestamp("2026-03-01", tz="UTC").value // 1000
    assert "ICP gate 'size' was added" in change.evidence


def test_criteria_edited_under_the_same_version_raise_the_alarm(
    simulate: Simulate, reference: Reference
) -> None:
    edited = CRITERIA.model_copy(update={"note": "quietly changed"})
    found = monitor(
        simulate(),
        reference,
        MonitoringSettings(),
        criteria_then=CRITERIA,
        criteria_now=edited,
    )
    assert found.alarm
    assert found.changes[0].kind == "definition"
    assert found.changes[0].since is None
    assert "new version" in found.changes[0].act
