from typing import Any

import pytest

from mqlml.errors import ConfigError
from mqlml.features.attributes import attribute_features
from mqlml.features.columns import ColumnInfo
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import IcpSettings, PlanSettings
from mqlml.tables.contracts import EVENTS, Attribute, Column, ColumnType, Known

TEXT, NUMBER, FLAG, TIME = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.FLAG, ColumnType.TIME
SIGNALS = {
    "webinar": {"where": "type = 'webinar'", "says": "webinars attended", "family": "engagement"},
    "pricing_view": {"where": "page = '/pricing'"},
}
ATTRIBUTES = (
    Attribute("job_title", TEXT),
    Attribute("company_size", TEXT),
    Attribute("industry", TEXT),
    Attribute("country", TEXT),
    Attribute("visits", NUMBER),
    Attribute("opted_in", FLAG),
    Attribute("segment", TEXT, Known.DATED),
    Attribute("seen_on", TIME),
    Attribute("deal_value", NUMBER, Known.OUTCOME),
)


def plan_of(
    settings: dict[str, Any],
    attributes: tuple[Attribute, ...] = (),
    properties: tuple[Column, ...] = (),
    **more: Any,
) -> Plan:
    settings = {"signals": SIGNALS} | settings
    return make_plan(
        PlanSettings.model_validate(settings),
        attributes,
        event_columns=(*EVENTS.columns, *properties),
        **more,
    )


def faults_of(settings: dict[str, Any], *args: Any, **more: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        plan_of(settings, *args, **more)
    return [(fault.where, fault.what, fault.found) for fault in caught.value.faults]


def line(*kinds: str, **more: Any) -> dict[str, Any]:
    return {"features": [{"kinds": kinds} | more]}


def test_a_line_expands_to_signals_times_kinds_times_windows() -> None:
    plan = plan_of(
        line("count", "active_days", signals=["webinar", "any"], windows_days=[30, "ever"])
    )
    assert plan.columns == (
        "webinar__count__30d",
        "webinar__count__ever",
        "webinar__active_days__30d",
        "webinar__active_days__ever",
        "any__count__30d",
        "any__count__ever",
        "any__active_days__30d",
        "any__active_days__ever",
    )


@pytest.mark.parametrize(
    ("kind", "more", "column", "sentence"),
    [
        ("count", {}, "webinar__count__30d", "webinars attended in the last 30 days"),
        (
            "distinct",
            {"of": "page"},
            "webinar__distinct_page__30d",
            "different values of page among webinars attended in the last 30 days",
        ),
        (
            "sum",
            {"of": "duration_s"},
            "webinar__sum_duration_s__30d",
            "total duration in seconds of webinars attended in the last 30 days",
        ),
        (
            "decayed_count",
            {"half_life_days": 0.5},
            "webinar__decayed_count_12h__30d",
            "recent webinars attended in the last 30 days (weight halves every 12 hours)",
        ),
        (
            "days_since_last",
            {"windows_days": ["ever"]},
            "webinar__days_since_last__ever",
            "days since the last of the webinars attended so far",
        ),
    ],
)
def test_a_feature_is_described_in_words(
    kind: str, more: dict[str, Any], column: str, sentence: str
) -> None:
    plan = plan_of(line(kind, **({"signals": ["webinar"], "windows_days": [30]} | more)))
    assert plan.infos == (ColumnInfo(column, "engagement", "engagement", sentence, "number"),)


def test_a_signal_without_words_is_said_by_its_name() -> None:
    plan = plan_of(line("count", signals=["pricing_view"]))
    assert plan.infos[0].sentence == "pricing view so far"
    assert plan.infos[0].family == "behavioural"


def test_a_line_without_signals_measures_every_event() -> None:
    assert plan_of(line("count")).columns == ("any__count__ever",)


def test_a_feature_named_twice_is_one_column() -> None:
    settings = {"features": [{"kinds": ["count"]}, {"kinds": ["count", "active_days"]}]}
    assert plan_of(settings).columns == ("any__count__ever", "any__active_days__ever")


def test_a_line_may_mix_kinds_with_and_without_a_column() -> None:
    plan = plan_of(line("count", "mean", "decayed_count", of="value", half_life_days=7))
    assert plan.columns == (
        "any__count__ever",
        "any__mean_value__ever",
        "any__decayed_count_7d__ever",
    )


def test_extra_properties_of_events_serve_signals_and_features() -> None:
    plan = plan_of(
        {
            "signals": {"deep": {"where": "depth > 3 AND form = 'demo'"}},
            "features": [{"kinds": ["max"], "of": "depth", "signals": ["deep"]}],
        },
        properties=(Column("depth", NUMBER), Column("form", TEXT)),
    )
    assert plan.columns == ("deep__max_depth__ever",)


@pytest.mark.parametrize("name", ["Job Title", "jobtitle", "JOB-TITLE", "title"])
def test_a_job_title_is_known_by_its_usual_spellings(name: str) -> None:
    made = attribute_features((Attribute(name, TEXT),), IcpSettings())
    assert [feature.transform for feature in made] == ["seniority", "function", "buying_role"]


def test_attributes_become_columns_and_the_outcome_side_never_does() -> None:
    plan = plan_of({}, ATTRIBUTES)
    assert plan.columns == (
        "job_title__seniority",
        "job_title__function",
        "job_title__buying_role",
        "company_size",
        "industry",
        "country",
        "visits",
        "opted_in",
        "segment",
    )
    assert plan.categories == (
        "job_title__seniority",
        "job_title__function",
        "job_title__buying_role",
        "industry",
        "country",
        "segment",
    )
    assert plan.describe("company_size").dtype == "number"
    assert plan.describe("job_title__function").sentence == "function by job title"


def test_engagement_attributes_lie_on_the_engagement_axis() -> None:
    plan = plan_of({}, ATTRIBUTES, engagement_attributes=["visits"])
    visits, country = plan.describe("visits"), plan.describe("country")
    assert (visits.axis, visits.family) == ("engagement", "engagement")
    assert (country.axis, country.family) == ("fit", "demographic")


def test_the_icp_adds_a_column_for_each_stated_part_and_their_share() -> None:
    icp = {
        "size": "company_size",
        "size_min": 50,
        "industry": "industry",
        "industries": ["Steel"],
        "country": "country",
        "title": "job_title",
        "functions": ["it"],
    }
    columns = plan_of({"icp": icp}, ATTRIBUTES).columns
    # The country is named, but no countries are: that part is not stated.
    assert columns[-4:] == ("icp__size", "icp__industry", "icp__title", "icp__match_share")


def test_the_icp_names_titles_and_sizes_of_other_names() -> None:
    attributes = (Attribute("poste", TEXT), Attribute("effectif", TEXT))
    plan = plan_of({"icp": {"title": "poste", "size": "effectif"}}, attributes)
    assert plan.columns == (
        "poste__seniority",
        "poste__function",
        "poste__buying_role",
        "effectif",
    )
    assert plan.describe("effectif").dtype == "number"


def test_dropping_takes_out_columns_and_attributes_with_all_that_is_made_of_them() -> None:
    settings = line("count", "active_days", signals=["webinar"])
    plan = plan_of(settings, ATTRIBUTES[:3], drop=["job_title", "industry", "webinar__count__ever"])
    assert plan.columns == ("webinar__active_days__ever", "company_size")


def test_dropping_what_is_never_in_a_plan_is_no_fault() -> None:
    assert "deal_value" not in plan_of({}, ATTRIBUTES, drop=["deal_value"]).columns


def test_a_plan_survives_json() -> None:
    settings = line("count", "decayed_count", signals=["webinar"], half_life_days=3)
    plan = plan_of(settings | {"icp": {"size": "company_size", "size_min": 5}}, ATTRIBUTES)
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert len(plan.fingerprint) == 16


def test_the_fingerprint_changes_with_columns_and_with_what_signals_mean() -> None:
    plans = [
        plan_of(line("count", signals=["webinar"])),
        plan_of(line("count", signals=["pricing_view"])),
        plan_of(line("count", signals=["webinar"], windows_days=[30])),
        plan_of(
            line("count", signals=["webinar"]) | {"signals": {"webinar": {"where": "type = 'w'"}}}
        ),
    ]
    assert len({plan.fingerprint for plan in plans}) == 4


def test_a_signal_that_no_feature_uses_is_not_in_the_plan() -> None:
    assert [s.name for s in plan_of(line("count", signals=["webinar"])).signals] == ["webinar"]


def test_a_column_that_is_not_in_the_plan_cannot_be_described() -> None:
    with pytest.raises(KeyError):
        plan_of({}).describe("nothing")


def test_every_fault_of_signals_lines_icp_and_names_is_told_at_once() -> None:
    settings = {
        "signals": {
            "any": {"where": "true"},
            "my signal": {"where": "tipe = 'x'"},
            "sums": {"where": "page + 1 > 2"},
            "reads": {"where": "read_text('/etc/passwd') = ''"},
        },
        "features": [
            {"kinds": ["count", "sum"], "signals": ["webinr"], "of": "page"},
            {"kinds": ["decayed_count"], "windows_days": [0]},
            {"kinds": ["count"], "of": "value", "half_life_days": 7},
            {"kinds": ["weekly_slope"], "windows_days": ["ever", 13, 14]},
            {"kinds": [], "windows_days": []},
            {"kinds": ["distinct"]},
            {"kinds": ["decayed_count"], "half_life_days": 1e9},
        ],
        "icp": {
            "size": "compny_size",
            "title": "deal_value",
            "size_min": 9,
            "size_max": 3,
            "industries": ["x"],
            "seniorities": ["cxo"],
            "functions": ["IT"],
        },
    }
    faults = faults_of(settings, ATTRIBUTES, engagement_attributes=["visit"], drop=["vists"])
    assert [(where, what) for where, what, _ in faults] == [
        ("signals.any", "'any' is built in (every event)"),
        ("signals.my signal", "not a name for a signal"),
        ("signals.my signal.where", "unknown column"),
        ("signals.reads.where", "function is not allowed"),
        ("signals.sums.where", "condition cannot be evaluated"),
        ("features[0].signals", "unknown signal"),
        ("features[0].of", "sum needs a number column of the event"),
        ("features[1].half_life_days", "decayed_count needs a half-life"),
        ("features[1].windows_days", "not a span of time"),
        ("features[2].of", "these kinds read no column of the event"),
        ("features[2].half_life_days", "these kinds have no half-life"),
        (
            "features[3].windows_days",
            "weekly_slope needs a finite window of 2 weeks or longer",
        ),
        (
            "features[3].windows_days",
            "weekly_slope needs a finite window of 2 weeks or longer",
        ),
        ("features[4].kinds", "nothing to measure"),
        ("features[4].windows_days", "nothing to measure"),
        ("features[5].of", "distinct needs a text column of the event"),
        ("features[6].half_life_days", "not a span of time"),
        ("icp.industries", "no attribute is named for this"),
        ("icp.size_min", "the least size is above the greatest"),
        ("icp.seniorities", "unknown name"),
        ("icp.functions", "unknown name"),
        ("attributes.engagement", "unknown attribute"),
        ("icp.size", "unknown attribute"),
        ("icp.title", "this attribute is known only with the outcome"),
        ("drop", "no such column to drop"),
    ]
    found = {where: found for where, _, found in faults}
    assert found["icp.size"] == "'compny_size'; did you mean 'company_size'?"
    assert found["drop"] == "'vists'; did you mean 'visits'?"
    assert found["features[0].of"] == "'page'; valid: duration_s, value"


def test_a_condition_may_not_read_times_or_identifiers() -> None:
    for column in ("lead_id", "event_id", "occurred_at", "arrived_at"):
        settings = {"signals": {"s": {"where": f"{column} IS NOT NULL"}}}
        assert faults_of(settings)[0][:2] == ("signals.s.where", "unknown column")


def test_an_attribute_may_not_be_named_as_a_feature_is() -> None:
    attributes = (Attribute("any__count__ever", NUMBER),)
    assert faults_of(line("count"), attributes) == [
        ("", "two columns have this name", "any__count__ever")
    ]


def test_blanks_inside_a_condition_are_kept() -> None:
    settings = line("count", signals=["s"]) | {"signals": {"s": {"where": " page = 'a  b' "}}}
    assert plan_of(settings).signals[0].where == "page = 'a  b'"
