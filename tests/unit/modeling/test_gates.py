from dataclasses import replace

import numpy as np
import pytest
from tests.modeling_company import Company, make_company, split_company, tournament

from mqlml.modeling.gates import check_gates, constant_log_loss
from mqlml.modeling.settings import GateSettings, ModelSettings
from mqlml.modeling.tournament import run_tournament

LAX = GateSettings(min_leads=10, min_conversions=5, min_test_conversions=2)


def failed(company: Company, settings: GateSettings, **changes: object) -> list[str]:
    _, split, result = tournament("logistic", "lightgbm")
    gates = check_gates(company.points, split, replace(result, **changes), settings)
    return [gate.name for gate in gates if not gate.passed]


def test_a_sound_model_passes_every_gate() -> None:
    company, _, _ = tournament("logistic", "lightgbm")
    assert failed(company, GateSettings()) == []


def test_each_count_that_falls_short_is_named_with_what_is_needed() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    strict = GateSettings(min_leads=901, min_conversions=9_000, min_test_conversions=500)
    gates = {gate.name: gate for gate in check_gates(company.points, split, result, strict)}
    assert (gates["leads"].found, gates["leads"].needed) == (900.0, 901.0)
    assert not gates["leads"].passed
    assert not gates["conversions"].passed
    assert not gates["test_conversions"].passed


def test_conversions_of_one_month_only_are_no_ground_to_publish_on() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    hour = 3_600_000_000
    # Nine hundred leads an hour apart from the first of January: January and a week of February.
    hourly = company.points.assign(as_of=np.arange(len(company.points)) * hour)
    gates = {gate.name: gate for gate in check_gates(hourly, split, result, LAX)}
    assert (gates["months"].found, gates["months"].passed) == (2.0, True)
    one_month = hourly.assign(label=hourly["label"].where(hourly["as_of"] < 700 * hour, 0.0))
    gates = {gate.name: gate for gate in check_gates(one_month, split, result, LAX)}
    assert (gates["months"].found, gates["months"].passed) == (1.0, False)
    assert "longer history" in gates["months"].mend


def test_months_are_not_asked_of_a_table_without_dates() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    names = [g.name for g in check_gates(company.points, split, result, LAX, is_dated=False)]
    assert "months" not in names


def test_leads_are_counted_not_points() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    one_lead = company.points.assign(lead_id="always the same")
    gates = {gate.name: gate for gate in check_gates(one_lead, split, result, LAX)}
    assert gates["leads"].found == 1.0
    assert gates["conversions"].found == 1.0


def test_an_uncertain_ranking_does_not_pass() -> None:
    company, _, result = tournament("logistic", "lightgbm")
    assert failed(company, LAX, test=replace(result.test, roc_auc_low=0.5)) == ["roc_auc_low"]
    assert failed(company, LAX, test=replace(result.test, roc_auc_low=np.nan)) == ["roc_auc_low"]


def test_a_model_worse_than_a_constant_does_not_pass() -> None:
    company, _, result = tournament("logistic", "lightgbm")
    worse = replace(result.test, log_loss=constant_log_loss(result))
    assert failed(company, LAX, test=worse) == ["test_log_loss"]


def test_the_better_of_two_constants_must_be_beaten() -> None:
    _, _, result = tournament("logistic", "lightgbm")
    recent = replace(result.test_by_contestant["base_rate"], log_loss=0.01)
    better = {**result.test_by_contestant, "base_rate": recent}
    assert constant_log_loss(replace(result, test_by_contestant=better)) == 0.01
    assert constant_log_loss(replace(result, constant_log_loss=0.001)) == 0.001


def test_a_model_that_loses_to_the_base_rate_on_folds_does_not_pass() -> None:
    company, _, result = tournament("logistic", "lightgbm")
    base_rate, *others = result.contestants
    strong = (replace(base_rate, log_loss=0.0), *others)
    assert failed(company, LAX, contestants=strong) == ["forward_log_loss"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_table_without_signal_is_not_published(seed: int) -> None:
    company = make_company(600, strength=0.0, seed=seed)
    split = split_company(company)
    result = run_tournament(company, split, ModelSettings(), seed=0)
    assert not all(g.passed for g in check_gates(company.points, split, result, LAX))
