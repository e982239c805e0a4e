"""What the settings say of stages, accounts, rates, ratios, shares and caps."""

from pathlib import Path
from typing import Any

import pytest
from tests.builders import make_points, make_tables

from mqlml.engines.local import LocalEngine
from mqlml.errors import ConfigError
from mqlml.features.plan import Plan, make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import PlanSettings
from mqlml.features.table_features import Outcome
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType, Known
from mqlml.timeline import MICROS_PER_DAY

OUTCOME = Outcome("sql", 30 * MICROS_PER_DAY, MICROS_PER_DAY)
ATTRIBUTES = (
    Attribute("source", ColumnType.TEXT),
    Attribute("newsletter", ColumnType.FLAG),
    Attribute("visits", ColumnType.NUMBER),
    Attribute("segment", ColumnType.TEXT, Known.DATED),
    Attribute("deal", ColumnType.TEXT, Known.OUTCOME),
)
SIGNALS = {"ad": {"where": "channel = 'ads'", "says": "ad clicks"}, "price": {"where": "true"}}


def plan_of(settings: dict[str, Any], outcome: Outcome | None = OUTCOME, **more: Any) -> Plan:
    return make_plan(
        PlanSettings.model_validate({"signals": SIGNALS} | settings),
        ATTRIBUTES,
        event_columns=EVENTS.columns,
        outcome=outcome,
        **more,
    )


def faults_of(settings: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        plan_of(settings, **more)
    return [(fault.where, fault.what) for fault in caught.value.faults]


WHOLE = {
    "features": [
        {"kinds": ["share"], "signals": ["ad"], "windows_days": [30]},
        {"kinds": ["share"], "signals": ["ad"], "windows_days": [30], "among": "price"},
        {"kinds": ["time_spent"], "signals": ["price"], "windows_days": [30], "cap_minutes": 10},
        {"kinds": ["account_count"], "signals": ["ad"], "windows_days": [7]},
    ],
    "stages": ["mql", "change"],
    "account_leads": {"windows_days": [90]},
    "rates": {"of": ["source", "newsletter"], "strength": 12.5, "windows_days": [365]},
    "ratios": [
        {"of": "ad__account_count__7d", "to": "account__leads__90d", "name": "per_head"},
        {"of": "source__rate_12.5__365d", "to": "newsletter__rate_12.5__365d"},
    ],
}


def test_every_feature_of_tables_has_a_name_and_a_sentence() -> None:
    plan = plan_of(WHOLE)
    attributes = {a.column for a in plan.attributes}
    assert {i.column: i.sentence for i in plan.infos if i.column not in attributes} == {
        "ad__share_among_any__30d": "share of ad clicks among activities in the last 30 days",
        "ad__share_among_price__30d": "share of ad clicks among price in the last 30 days",
        "price__time_spent_10m__30d": "minutes on price in the last 30 days "
        "(at most 10 minutes each)",
        "stage__days_since_mql": "days since it became mql",
        "stage__days_since_change": "days since its stage last changed",
        "account__leads__90d": "other leads of the same account created in the last 90 days",
        "ad__account_count__7d": "ad clicks by others of the same account in the last 7 days",
        "source__rate_12.5__365d": "share of other leads with the same source that reached sql, "
        "as known in the last 365 days",
        "newsletter__rate_12.5__365d": "share of other leads with the same newsletter that "
        "reached sql, as known in the last 365 days",
        "per_head": "ad clicks by others of the same account in the last 7 days, divided by: "
        "other leads of the same account created in the last 90 days",
        "source__rate_12.5__365d__per__newsletter__rate_12.5__365d": "share of other leads with "
        "the same source that reached sql, as known in the last 365 days, divided by: share of "
        "other leads with the same newsletter that reached sql, as known in the last 365 days",
    }


def test_rates_tell_who_a_lead_is_and_the_rest_what_happens() -> None:
    plan = plan_of(WHOLE)
    assert {i.axis for i in plan.infos if "rate" in i.column} == {"fit"}
    others = [*plan.features, *plan.stages, *plan.account_leads, *plan.accounts, plan.ratios[0]]
    assert {plan.describe(part.column).axis for part in others} == {"engagement"}
    moved = plan_of(WHOLE, engagement_attributes=["source", "newsletter"])
    assert {moved.describe(rate.column).axis for rate in moved.rates} == {"engagement"}


def test_a_plan_with_everything_survives_json() -> None:
    plan = plan_of(WHOLE)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_signal_that_only_a_share_or_an_account_reads_is_in_the_plan() -> None:
    assert [s.name for s in plan_of(WHOLE).signals] == ["any", "ad", "price"]


def test_what_is_dropped_cannot_be_divided() -> None:
    ratios = {"ratios": [{"of": "stage__days_since_mql", "to": "stage__days_since_change"}]}
    settings = {"stages": ["mql", "change"]} | ratios
    drop = ["stage__days_since_mql"]
    assert faults_of(settings, drop=drop) == [("ratios[0].of", "no such column to divide")]


def test_dropping_an_attribute_drops_its_rates() -> None:
    plan = plan_of({"rates": {"of": ["source"]}}, drop=["source"])
    assert "source" not in "".join(plan.columns)
    dropped = ["stage__days_since_mql", "account__leads__90d", "ad__account_count__7d"]
    kept = plan_of({k: v for k, v in WHOLE.items() if k != "ratios"}, drop=dropped)
    assert not set(dropped) & set(kept.columns)


def test_every_fault_is_told_at_once() -> None:
    settings = {
        "features": [
            {"kinds": ["share"], "signals": ["ad"], "among": "prise"},
            {"kinds": ["share"], "signals": ["ad"], "among": "ad"},
            {"kinds": ["share"]},
            {"kinds": ["count"], "among": "price", "cap_minutes": 5},
            {"kinds": ["time_spent"], "cap_minutes": 0.1},
            {"kinds": ["account_count"], "of": "page"},
        ],
        "stages": ["sqll", "customer"],
        "account_leads": {"windows_days": [0]},
        "rates": {
            "of": ["sourze", "visits", "segment", "deal", "source"],
            "windows_days": [1e9],
        },
        "ratios": [
            {"of": "any__count__ever", "to": "source"},
            {"of": "visits", "to": "source__rate_20__ever", "name": "7 of 9"},
        ],
    }
    assert faults_of(settings) == [
        ("features[0].among", "unknown signal"),
        ("features[1].among", "a signal's share of itself is always 1"),
        ("features[2].among", "a signal's share of itself is always 1"),
        ("features[3].among", "these kinds are no share of a signal"),
        ("features[3].cap_minutes", "these kinds have no cap"),
        ("features[4].cap_minutes", "not a span of time"),
        ("features[5].of", "these kinds read no column of the event"),
        ("stages", "unknown stage"),
        ("stages", "a lead that is open has not entered this stage"),
        ("account_leads.windows_days", "not a span of time"),
        ("rates.windows_days", "not a span of time"),
        ("rates.of", "unknown attribute"),
        ("rates.of", "this attribute makes no groups"),
        ("rates.of", "this attribute makes no groups"),
        ("rates.of", "this attribute makes no groups"),
        ("ratios[0].of", "no such column to divide"),
        ("ratios[0].to", "a category cannot be divided"),
        ("ratios[1].to", "no such column to divide"),
        ("ratios[1].name", "not a name for a column"),
    ]


def test_fit_is_not_divided_by_engagement() -> None:
    settings = {
        "features": [{"kinds": ["count"]}],
        "ratios": [{"of": "any__count__ever", "to": "visits"}],
    }
    assert faults_of(settings) == [("ratios[0]", "the two columns lie on different axes")]


def test_two_ratios_of_one_name_are_one_column_only_if_they_are_equal() -> None:
    settings = {
        "features": [{"kinds": ["count"], "windows_days": [7, 30]}],
        "ratios": [{"of": "any__count__7d", "to": "any__count__30d", "name": "visits"}],
    }
    assert faults_of(settings) == [("", "two columns have this name")]


@pytest.mark.parametrize("outcome", [None, Outcome("outcome"), Outcome("customer")])
def test_a_rate_needs_a_horizon(outcome: Outcome | None) -> None:
    what = "a rate needs a horizon: without one nobody knows when an outcome was known"
    assert faults_of({"rates": {"of": ["source"]}}, outcome=outcome) == [("rates.of", what)]


VERDICTS = {"rates": {"verdicts": ["source"], "strength": 5, "windows_days": [90, "ever"]}}


@pytest.mark.parametrize("outcome", [None, Outcome("outcome"), OUTCOME])
def test_a_rate_of_verdicts_needs_no_horizon_and_says_whose_verdict(
    outcome: Outcome | None,
) -> None:
    plan = plan_of(VERDICTS, outcome=outcome)
    words = "share that sales accepted of other leads with the same source, as judged"
    assert {i.column: i.sentence for i in plan.infos[-2:]} == {
        "source__accepted_5__90d": f"{words} in the last 90 days",
        "source__accepted_5__ever": f"{words} so far",
    }
    assert {(i.family, i.axis) for i in plan.infos[-2:]} == {("demographic", "fit")}
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.topics["attribute source"][-2:] == plan.columns[-2:]


def test_rates_of_verdicts_and_of_conversions_are_other_columns_with_other_fingerprints() -> None:
    both = plan_of({"rates": {"of": ["source"], "verdicts": ["source"]}})
    assert both.columns[-2:] == ("source__rate_20__ever", "source__accepted_20__ever")
    one = plan_of({"rates": {"of": ["source"]}})
    other = plan_of({"rates": {"verdicts": ["source"]}})
    assert len({both.fingerprint, one.fingerprint, other.fingerprint}) == 3
    moved = plan_of(VERDICTS, engagement_attributes=["source"])
    assert {i.axis for i in moved.infos[-2:]} == {"engagement"}
    assert "source" not in "".join(plan_of(VERDICTS, drop=["source"]).columns)


def test_groups_of_verdicts_are_checked_like_others() -> None:
    assert faults_of(
        {"rates": {"verdicts": ["sourze", "visits", "deal"], "windows_days": [0]}}
    ) == [
        ("rates.windows_days", "not a span of time"),
        ("rates.verdicts", "unknown attribute"),
        ("rates.verdicts", "this attribute makes no groups"),
        ("rates.verdicts", "this attribute makes no groups"),
    ]


def test_plans_without_the_later_kinds_keep_their_text() -> None:
    plan = plan_of({"features": [{"kinds": ["count", "decayed_count"], "half_life_days": 7}]})
    assert set(Plan.from_json(plan.to_json()).columns) == set(plan.columns)
    for name in ("cap", "among", "stages", "rates", "ratios", "accounts", "account_leads"):
        assert f'"{name}"' not in plan.to_json()


ODD = {
    "no events": [],
    "points before the first event": [{"lead_id": "a", "occurred_at": "2026-05-01"}],
    "equal times": [
        {"lead_id": "a", "occurred_at": "2026-01-05", "value": float(v)} for v in "312"
    ],
    "events of strangers only": [{"lead_id": "x", "occurred_at": "2026-01-05"}],
}


@pytest.mark.parametrize("events", ODD.values(), ids=ODD)
def test_odd_tables_give_what_the_reference_gives(tmp_path: Path, events: Any) -> None:
    leads = [
        {"lead_id": lead, "created_at": "2026-01-01", "account_id": account, "source": "ads"}
        for lead, account in (("a", "acme"), ("b", "acme"), ("c", None))
    ]
    leads = [lead | {"newsletter": True, "visits": 1.0} for lead in leads]
    tables = make_tables(tmp_path, leads=leads, events=events, attribute_specs=ATTRIBUTES[:3])
    lines = [
        {"kinds": ["count", "max_gap_days", "mean_session_minutes"], "windows_days": [36_500]},
        {"kinds": ["last_value"], "of": "value", "windows_days": ["ever"]},
        {"kinds": ["account_count"], "windows_days": [0.0007]},
    ]
    settings = {**WHOLE, "features": [*WHOLE["features"], *lines]}
    plan = make_plan(
        PlanSettings.model_validate({"signals": SIGNALS} | settings),
        tables.attribute_specs,
        event_columns=EVENTS.columns,
        outcome=OUTCOME,
    )
    points = make_points(("a", "2026-02-01"), ("b", "2026-02-01"), ("c", 0), ("x", "2026-03-01"))
    found = LocalEngine().compute(tables, points, plan)
    assert tuple(found.columns) == plan.columns
    assert found.equals(reference_features(tables, points, plan))


def test_a_plan_of_nothing_makes_a_matrix_without_columns(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=[{"lead_id": "a", "occurred_at": "2026-01-05"}])
    found = LocalEngine().compute(tables, make_points(("a", "2026-02-01")), Plan())
    assert found.shape == (1, 0)


def test_no_points_make_a_matrix_without_rows(tmp_path: Path) -> None:
    leads = [{"lead_id": "a", "created_at": "2026-01-01", "source": "ads", "newsletter": True}]
    tables = make_tables(tmp_path, leads=leads, attribute_specs=ATTRIBUTES[:2])
    plan = make_plan(
        PlanSettings.model_validate({"signals": SIGNALS} | WHOLE),
        tables.attribute_specs,
        event_columns=EVENTS.columns,
        outcome=OUTCOME,
    )
    found = LocalEngine().compute(tables, make_points(), plan)
    assert found.shape == (0, len(plan.columns))
