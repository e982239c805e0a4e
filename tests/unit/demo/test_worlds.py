"""Each switch changes its world after the date, for real, and not a row before it."""

from collections.abc import Callable, Iterator
from datetime import date

import pandas as pd
import pytest

from mqlml.demo.company import DemoCompany, simulate
from mqlml.demo.drift import EFFECTS, SEGMENT_COUNTRIES
from mqlml.demo.settings import DemoSettings, Drift, DriftKind
from mqlml.timeline import MICROS_PER_DAY, NEVER

ON = date(2024, 9, 2)
AT = Drift("prior", ON).at
SIZE = {"n_leads": 2_000, "months": 14, "icp_change_month": None}

Measure = Callable[[DemoCompany], float]


@pytest.fixture(scope="module")
def still() -> DemoCompany:
    return simulate(DemoSettings(**SIZE), seed=5)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def worlds() -> Iterator[Callable[[DriftKind], DemoCompany]]:
    made: dict[DriftKind, DemoCompany] = {}

    def world(kind: DriftKind) -> DemoCompany:
        if kind not in made:
            settings = DemoSettings(**SIZE, drifts=(Drift(kind, ON),))  # type: ignore[arg-type]
            made[kind] = simulate(settings, seed=5)
        return made[kind]

    yield world
    made.clear()


def clean(company: DemoCompany, name: str, *, since: bool = True) -> pd.DataFrame:
    table = company.tables[name]
    chosen = (table["arrives"] >= AT) == since
    return table[chosen & (table["blemish"] == "")]


@pytest.mark.parametrize("kind", EFFECTS)
def test_nothing_that_arrives_before_the_change_is_touched(
    kind: DriftKind, still: DemoCompany, worlds: Callable[[DriftKind], DemoCompany]
) -> None:
    world = worlds(kind)
    for name, expected in still.tables.items():
        columns = [c for c in expected.columns if c != "contract_known"]
        before = expected.loc[expected["arrives"] < AT, columns]
        found = world.tables[name]
        found = found.loc[found["arrives"] < AT, columns]
        assert len(before) > 20
        pd.testing.assert_frame_equal(found, before)


def decided(company: DemoCompany) -> pd.DataFrame:
    leads = company.truth.leads
    return leads[leads["decided_at"].between(AT, NEVER - 1)]


def large(company: DemoCompany) -> float:
    return float((decided(company)["size"] >= 500).mean())


def large_in_segment(company: DemoCompany) -> float:
    buyers = decided(company)
    return float((buyers.loc[buyers["country"].isin(SEGMENT_COUNTRIES), "size"] >= 500).mean())


def signing_days(company: DemoCompany) -> float:
    buyers = decided(company)
    return float(((buyers["customer_at"] - buyers["decided_at"]) / MICROS_PER_DAY).median())


def small_customers(company: DemoCompany) -> float:
    stages = clean(company, "stage_history")
    won = stages.loc[stages["stage"] == "customer", "lead_id"]
    leads = company.truth.leads.set_index("lead_id")
    return float((leads.loc[won, "size"] < 200).sum())


def opens_per_mail(company: DemoCompany) -> float:
    events = clean(company, "email_events")["event"].value_counts()
    return float(events["email_opened"] / events["email_sent"])


def pricing_views(company: DemoCompany) -> float:
    return float((clean(company, "web_events")["page"] == "/pricing").sum())


def unnamed_pages(company: DemoCompany) -> float:
    return float(clean(company, "web_events")["page"].isna().mean())


def giveaway_share(company: DemoCompany) -> float:
    return float((clean(company, "crm_leads")["campaign"] == "spring_giveaway").mean())


def handed_by_points(company: DemoCompany) -> float:
    return float((clean(company, "handovers")["route"] == "scored").sum())


def median_duration(company: DemoCompany) -> float:
    return float(clean(company, "web_events")["duration"].median())


# kind, what is measured after the change, least and greatest ratio to the still world
RATIOS: tuple[tuple[DriftKind, Measure, float, float], ...] = (
    ("prior", lambda company: float(len(decided(company))), 0.2, 0.75),
    ("concept_abrupt", large, 1.8, 10.0),
    ("concept_gradual", large, 1.2, 10.0),
    ("concept_segment", large_in_segment, 1.8, 10.0),
    ("sales_cycle", signing_days, 1.6, 2.4),
    ("definition", small_customers, 0.0, 0.0),
    ("selection", handed_by_points, 0.4, 0.6),
    ("tag_lost", pricing_views, 0.0, 0.0),
    ("unit_changed", median_duration, 999.0, 1_001.0),
    ("bot_opens", opens_per_mail, 1.5, 5.0),
)


@pytest.mark.parametrize(
    ("kind", "measure", "low", "high"), RATIOS, ids=[ratio[0] for ratio in RATIOS]
)
def test_the_change_shows_after_its_date(
    kind: DriftKind,
    measure: Measure,
    low: float,
    high: float,
    *,
    still: DemoCompany,
    worlds: Callable[[DriftKind], DemoCompany],
) -> None:
    assert measure(still) > 0
    ratio = measure(worlds(kind)) / measure(still)
    assert low <= ratio <= high, ratio


def test_a_new_campaign_brings_a_quarter_of_the_leads(
    still: DemoCompany, worlds: Callable[[DriftKind], DemoCompany]
) -> None:
    assert giveaway_share(still) == 0.0
    assert 0.2 < giveaway_share(worlds("covariate")) < 0.3


def test_a_renamed_field_empties_the_old_one_and_fills_the_new(
    still: DemoCompany, worlds: Callable[[DriftKind], DemoCompany]
) -> None:
    world = worlds("field_renamed")
    assert unnamed_pages(still) == 0.0
    assert "page_path" not in still.tables["web_events"]
    web = world.tables["web_events"]
    is_late = web["at"] >= AT
    assert web.loc[is_late, "page"].isna().all()
    assert web.loc[is_late, "page_path"].notna().all()
    assert web.loc[~is_late, "page"].notna().all()
    assert web.loc[~is_late, "page_path"].isna().all()


def test_a_change_of_one_segment_leaves_other_countries_as_they_were(
    still: DemoCompany, worlds: Callable[[DriftKind], DemoCompany]
) -> None:
    def elsewhere(company: DemoCompany) -> float:
        buyers = decided(company)
        return float((buyers.loc[~buyers["country"].isin(SEGMENT_COUNTRIES), "size"] >= 500).mean())

    assert elsewhere(worlds("concept_segment")) == pytest.approx(elsewhere(still), abs=0.08)


def test_lost_tags_change_the_records_and_not_what_buyers_do(
    still: DemoCompany, worlds: Callable[[DriftKind], DemoCompany]
) -> None:
    kinds: tuple[DriftKind, ...] = ("tag_lost", "field_renamed", "unit_changed", "bot_opens")
    for kind in (*kinds, "definition"):
        pd.testing.assert_frame_equal(worlds(kind).truth.leads, still.truth.leads)


def test_the_truth_knows_kind_and_date(worlds: Callable[[DriftKind], DemoCompany]) -> None:
    (change,) = worlds("selection").truth.changes
    assert (change.kind, change.named, change.at) == ("selection", "selection", AT)
