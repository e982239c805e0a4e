from typing import Any

import pytest

from mqlml.features.plan import Plan, make_plan
from mqlml.features.plan_settings import settings_of
from mqlml.features.proposal import Seen, propose_plan
from mqlml.features.settings import PlanSettings
from mqlml.features.table_features import Outcome
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType
from mqlml.timeline import MICROS_PER_DAY

OUTCOME = Outcome("customer", 30 * MICROS_PER_DAY)
ATTRIBUTES = (Attribute("source", ColumnType.TEXT),)
RICH = Seen(
    days=400.0,
    types=("page_view", "Démo Request", "any"),
    texts=frozenset({"page"}),
    numbers=frozenset({"duration_s", "value"}),
    stages=("mql",),
    groups=("source",),
    has_accounts=True,
)


def plan_of(settings: PlanSettings) -> Plan:
    return make_plan(settings, ATTRIBUTES, event_columns=EVENTS.columns, outcome=OUTCOME)


def test_without_signals_each_event_type_becomes_one() -> None:
    signals = propose_plan(PlanSettings(), RICH).signals
    assert {name: s.where for name, s in signals.items()} == {
        "page_view": "type = 'page_view'",
        "d_mo_request": "type = 'Démo Request'",
        "type_2_any": "type = 'any'",
    }


def test_what_the_data_hold_decides_which_kinds_are_tried() -> None:
    columns = set(plan_of(propose_plan(PlanSettings(), RICH)).columns)
    assert {
        "any__count__ever",
        "page_view__count__90d",
        "page_view__share_among_any__90d",
        "page_view__time_spent_30m__30d",
        "any__distinct_page__30d",
        "any__last_value_value__ever",
        "page_view__account_count__90d",
        "account__leads__90d",
        "stage__days_since_mql",
        "stage__days_since_change",
        "source__rate_20__ever",
        "any__count__7d__per__any__count__30d",
    } <= columns
    poor = plan_of(propose_plan(PlanSettings(), Seen(days=5.0, types=("visit",))))
    assert {c.split("__")[-1] for c in poor.columns if c != "source"} == {"ever"}
    joined = " ".join(poor.columns)
    for word in ("account", "stage", "rate", "time_spent", "distinct", "per", "slope"):
        assert f"_{word}" not in joined


def test_no_events_are_nothing_to_propose() -> None:
    assert plan_of(propose_plan(PlanSettings(), Seen(days=0.0))).columns == ("source",)


def test_what_the_settings_hold_comes_first_and_stays() -> None:
    own = PlanSettings.model_validate(
        {
            "signals": {"visit": {"where": "type = 'page_view'", "says": "visits"}},
            "features": [{"kinds": ["max"], "of": "value", "windows_days": [3]}],
            "stages": ["sql"],
            "ratios": [{"of": "any__count__7d", "to": "any__count__30d", "name": "pace"}],
        }
    )
    proposed = propose_plan(own, RICH)
    assert set(proposed.signals) == {"visit"}
    plan = plan_of(proposed)
    assert plan.columns[0] == "any__max_value__3d"
    assert [ratio.column for ratio in plan.ratios] == ["pace"]
    assert [stage.stage for stage in plan.stages] == ["sql", "mql", None]


RATED = {"icp": {"country": "source"}, "rates": {"verdicts": ["source"]}}


@pytest.mark.parametrize("keep_every", [1, 2, 3, 7])
def test_a_plan_written_as_settings_makes_its_features_again(keep_every: int) -> None:
    proposed = propose_plan(PlanSettings.model_validate(RATED), RICH)
    whole = plan_of(proposed)
    assert "source__accepted_20__ever" in whole.columns
    ratio_parts = {part for r in whole.ratios for part in (r.of, r.to)}
    drop = [
        name
        for number, name in enumerate(whole.columns)
        if number % keep_every and name not in ratio_parts and name != "source"
    ]
    plan = whole.without(drop)
    written: dict[str, Any] = settings_of(plan, proposed)
    again = plan_of(PlanSettings.model_validate(written))
    assert sorted(again.columns) == sorted(plan.columns)
    assert {s.name for s in again.signals} == {s.name for s in plan.signals}


def test_an_empty_plan_is_empty_settings() -> None:
    assert settings_of(Plan(), PlanSettings()) == {}
