from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.monitoring.inputs import input_shifts
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.timeline import MICROS_PER_WEEK

Simulate = Callable[..., ScoredHistory]
SETTINGS = MonitoringSettings()


def with_column(history: ScoredHistory, name: str, values: object) -> ScoredHistory:
    return replace(history, matrix=history.matrix.assign(**{name: values}))


def late(history: ScoredHistory, weeks: int) -> np.ndarray:
    return history.as_of >= history.data_end - weeks * MICROS_PER_WEEK


def test_a_column_that_went_missing_is_a_broken_input(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate()
    gone = np.where(late(history, 5), np.nan, history.matrix["company_size"])
    table, changes, warnings = input_shifts(
        with_column(history, "company_size", gone), reference, SETTINGS
    )
    assert [c.kind for c in changes] == ["instrumentation"]
    assert changes[0].columns == ("company_size",)
    assert changes[0].since == 29 * MICROS_PER_WEEK
    assert "share missing of company size: 0.0333 before, 1 now" in changes[0].evidence
    assert table.iloc[0]["column"] == "company_size"
    assert warnings == ()


def test_other_leads_are_a_shift_of_inputs(simulate: Simulate, reference: Reference) -> None:
    history = simulate()
    larger = history.matrix["company_size"] * np.where(late(history, 4), 5.0, 1.0)
    south = history.matrix["region"].where(~late(history, 4), "south").astype("str")
    shifted = with_column(with_column(history, "company_size", larger), "region", south)
    _, changes, _ = input_shifts(shifted, reference, SETTINGS)
    kinds = {c.kind: c for c in changes}
    assert kinds["covariate"].columns == ("region", "company_size") or kinds[
        "covariate"
    ].columns == ("company_size", "region")
    assert kinds["covariate"].since == 30 * MICROS_PER_WEEK
    assert "more figures" in kinds["covariate"].evidence
    # No lead of the north at all any more: that looks like a broken field, too.
    assert kinds["instrumentation"].columns == ("region",)


def test_a_shift_of_one_week_only_is_not_yet_a_change(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate()
    larger = history.matrix["company_size"] * np.where(late(history, 1), 3.0, 1.0)
    table, changes, _ = input_shifts(
        with_column(history, "company_size", larger), reference, SETTINGS
    )
    assert changes == ()
    assert not table["shifted"].any()


def test_a_steady_trend_is_usual(simulate: Simulate, reference: Reference) -> None:
    history = simulate()
    week = history.as_of // MICROS_PER_WEEK
    growing = history.matrix["visit__count__ever"] + 0.2 * week
    _, changes, _ = input_shifts(
        with_column(history, "visit__count__ever", growing), reference, SETTINGS
    )
    assert changes == ()


def test_bins_and_levels_of_training_are_used_when_the_bundle_has_them(
    simulate: Simulate, reference: Reference
) -> None:
    columns = {
        "company_size": {"edges": [10.0, 50.0, 200.0]},
        "region": {"levels": ["north", "south"]},
    }
    facts = {**reference.facts, "reference": {"columns": columns}}
    table, _, _ = input_shifts(simulate(), Reference(reference.plan, facts), SETTINGS)
    assert set(table["statistic"]) == {"mean rank", "share of north", "share of south"}


def test_a_column_without_a_value_before_or_ever_is_not_judged(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate()
    new = np.where(late(history, 4), 1.0 + np.arange(len(history.scores)) % 3, np.nan)
    appeared = with_column(history, "visit__count__ever", new)
    empty = with_column(appeared, "company_size", np.nan)
    table, changes, _ = input_shifts(empty, reference, SETTINGS)
    rank = table[table["statistic"] == "mean rank"]
    assert list(rank["p_value"]) == [1.0]
    assert "company_size" not in set(table["column"])
    # That it is filled all of a sudden is seen in the share missing.
    assert [c.columns for c in changes] == [("visit__count__ever",)]


def test_too_few_weeks_to_compare_with_are_said(simulate: Simulate, reference: Reference) -> None:
    table, changes, warnings = input_shifts(simulate(weeks=14), reference, SETTINGS)
    assert isinstance(table, pd.DataFrame)
    assert table.empty
    assert changes == ()
    assert "10 weeks of at least 50 leads" in warnings[0]
