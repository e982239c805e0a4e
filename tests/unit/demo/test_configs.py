"""The demo's config reads what the company writes, and every expression in it holds."""

from pathlib import Path

import pytest

from mqlml.config import load_criteria, load_settings
from mqlml.criteria.agreement import Agreement, agreement_of
from mqlml.criteria.file import criteria_faults
from mqlml.demo.company import DemoCompany
from mqlml.features.plan import Plan, make_plan
from mqlml.sources.generic import read_sources
from mqlml.tables.contracts import EVENTS, Known
from mqlml.tables.expressions import check_expressions
from mqlml.tables.ingested import Ingested

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture(scope="module")
def ingested(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    settings = load_settings(CONFIGS / "demo.yaml")
    return read_sources(
        settings.sources,
        exported,
        timezone=settings.timezone,
        workdir=tmp_path_factory.mktemp("ingest"),
    )


@pytest.fixture(scope="module")
def plan(ingested: Ingested) -> Plan:
    settings = load_settings(CONFIGS / "demo.yaml")
    return make_plan(
        settings.plan,
        ingested.attribute_specs,
        event_columns=(*EVENTS.columns, *ingested.properties),
    )


def test_every_row_of_the_exports_is_kept_repeated_or_in_quarantine(ingested: Ingested) -> None:
    assert len(ingested.counts) == 8
    assert all(count.is_balanced for count in ingested.counts)
    assert all(count.kept > 0.98 * count.rows for count in ingested.counts)


def test_all_clean_leads_are_kept(ingested: Ingested) -> None:
    (leads,) = [count for count in ingested.counts if count.table == "leads"]
    # A contradicting pair may be kept once or not at all; everything else clean stays.
    assert 1_490 <= leads.kept <= 1_500
    assert leads.quarantined > 0


def test_planted_rows_end_as_duplicates_or_in_quarantine(
    ingested: Ingested, small_company: DemoCompany
) -> None:
    planted = small_company.truth.blemishes.set_index(["table", "blemish"])["rows"]
    counts = {count.file: count for count in ingested.counts}
    web = counts["web_events.ndjson"]
    assert web.duplicates == planted["web_events", "repeated"]
    mail = counts["email_events.csv.gz"]
    assert mail.duplicates == planted["email_events", "repeated"]


def test_the_contract_value_is_declared_as_outcome_side(ingested: Ingested) -> None:
    known = {spec.name: spec.known for spec in ingested.attribute_specs}
    assert known["contract_value"] is Known.OUTCOME
    assert known["employees"] is known["tool"] is Known.DATED


def test_the_plan_has_sixty_to_eighty_columns(plan: Plan) -> None:
    assert 60 <= len(plan.columns) <= 80
    assert {"title__seniority", "icp__match_share", "demo_request__count__14d"} <= set(plan.columns)
    assert "contract_value" not in plan.columns


def test_the_points_rules_read_columns_of_the_plan(plan: Plan) -> None:
    rules = load_settings(CONFIGS / "demo.yaml").model.points_rules
    check_expressions({f"rule {n}": rule.when for n, rule in enumerate(rules)}, plan.columns)


def test_personas_and_criteria_read_features_and_attributes(plan: Plan, ingested: Ingested) -> None:
    settings = load_settings(CONFIGS / "demo.yaml")
    names = [*plan.columns, *(spec.name for spec in ingested.attribute_specs)]
    check_expressions({p.name: p.when for p in settings.personas}, names)
    for file in ("demo_criteria.yaml", "demo_criteria_v2.yaml"):
        assert criteria_faults(load_criteria(CONFIGS / file), names) == []


def test_both_criteria_are_signed_by_both_teams() -> None:
    for version, file in enumerate(("demo_criteria.yaml", "demo_criteria_v2.yaml"), start=1):
        criteria = load_criteria(CONFIGS / file)
        assert criteria.version == version
        assert agreement_of(criteria) is Agreement.SIGNED
