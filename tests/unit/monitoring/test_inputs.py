from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from mqlml.monitoring.diagnosis import diagnose
from mqlml.monitoring.evidence import Change, Reference, ScoredHistory
from mqlml.monitoring.inputs import input_table
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.watch import watch
from mqlml.timeline import MICROS_PER_WEEK

Simulate = Callable[..., ScoredHistory]
SETTINGS = MonitoringSettings()


def input_shifts(
    history: ScoredHistory, reference: Reference, settings: MonitoringSettings
) -> tuple[pd.DataFrame, tuple[Change, ...], tuple[str, ...]]:
    """Return the table, the changes of inputs, and what could not be judged."""
    watched = watch(history, reference, settings)
    kinds = ("covariate", "instrumentation", "bots")
    changes = tuple(c for c in diagnose(watched) if c.kind in kinds)
    table, warnings = input_table(watched, changes, settings)
    return table, changes, warnings


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
    assert "share missing of company size: 0 before, 1 now" in changes[0].evidence
    assert table.iloc[0]["column"] == "company_size"
    assert warnings == ()


def test_other_leads_are_a_shift_of_inputs(simulate: Simulate, reference: Reference) -> None:
    history = simulate()
    larger = history.matrix["company_size"] * np.where(late(history, 4), 2.5, 1.0)
    _, changes, _ = input_shifts(with_column(history, "company_size", larger), reference, SETTINGS)
    assert [(c.kind, c.columns, c.since) for c in changes] == [
        ("covariate", ("company_size",), 30 * MICROS_PER_WEEK)
    ]


def test_a_category_that_holds_one_value_all_of_a_sudden_is_broken(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate()
    south = history.matrix["region"].where(~late(history, 4), "south").astype("str")
    _, changes, _ = input_shifts(with_column(history, "region", south), reference, SETTINGS)
    assert [(c.kind, c.columns) for c in changes] == [("instrumentation", ("region",))]


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
    assert "mean rank" not in set(table["statistic"])
    assert "company_size" not in set(table["column"])
    # That it is filled all of a sudden is seen in the share missing.
    assert [c.columns for c in changes] == [("visit__count__ever",)]


def test_too_few_weeks_to_compare_with_are_said(simulate: Simulate, reference: Reference) -> None:
    table, changes, warnings = input_shifts(simulate(weeks=12), reference, SETTINGS)
    assert isinstance(table, pd.DataFrame)
    assert table.empty
    assert changes == ()
    assert "12 weeks of at least 50 leads" in warnings[0]
