import numpy as np
import pandas as pd
import pytest

from mqlml.demo.company import DemoCompany, simulate
from mqlml.demo.settings import DemoSettings
from mqlml.tables.contracts import REASON_NAMES, STAGE_NAMES, STAGE_ORDER, VERDICT_NAMES
from mqlml.timeline import MICROS_PER_DAY, NEVER


def clean(company: DemoCompany, name: str) -> pd.DataFrame:
    table = company.tables[name]
    return table[table["blemish"] == ""]


def test_the_same_seed_gives_the_same_company(small_company: DemoCompany) -> None:
    again = simulate(small_company.settings, seed=11)
    for name, table in small_company.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    pd.testing.assert_frame_equal(again.truth.leads, small_company.truth.leads)


def test_another_seed_gives_another_company(small_company: DemoCompany) -> None:
    other = simulate(small_company.settings, seed=12)
    assert not other.truth.leads["created"].equals(small_company.truth.leads["created"])


def test_there_are_as_many_leads_as_asked_for(small_company: DemoCompany) -> None:
    leads = clean(small_company, "crm_leads")
    assert len(leads) == leads["lead_id"].nunique() == 1_500


def test_one_lead_and_one_month_are_a_company_too() -> None:
    company = simulate(DemoSettings(n_leads=1, months=1, icp_change_month=None), seed=1)
    assert company.tables["crm_leads"]["lead_id"].tolist() == ["L000001"]
    assert company.truth.hazard.shape == (1, 27)


def test_nothing_arrives_after_the_end(small_company: DemoCompany) -> None:
    for table in small_company.tables.values():
        assert table["arrives"].max() < small_company.settings.end_at
        assert table["arrives"].is_monotonic_increasing


def test_no_event_happens_before_its_lead_exists(small_company: DemoCompany) -> None:
    created = small_company.truth.leads.set_index("lead_id")["created"]
    for name, column in (
        ("web_events", "lead"),
        ("email_events", "contact"),
        ("marketing_events", "lead_id"),
    ):
        events = clean(small_company, name)
        assert (events["at"] > events[column].map(created)).all()
        assert (events["arrives"] > events["at"]).all()


def test_webinar_attendance_arrives_days_after_the_webinar(small_company: DemoCompany) -> None:
    events = clean(small_company, "marketing_events")
    attended = events[events["type"] == "webinar_attended"]
    late = (attended["arrived_at"] - attended["occurred_at"]) / MICROS_PER_DAY
    assert late.between(0.5, 7).all()


def test_stages_verdicts_and_reasons_are_those_of_the_contracts(
    small_company: DemoCompany,
) -> None:
    assert set(clean(small_company, "stage_history")["stage"]) == set(STAGE_NAMES)
    verdicts = clean(small_company, "verdicts")
    assert set(verdicts["verdict"]) == set(VERDICT_NAMES)
    rejected = verdicts["verdict"] == "rejected"
    assert set(verdicts.loc[rejected, "reason"]) <= set(REASON_NAMES)
    assert (verdicts.loc[~rejected, "reason"] == "").all()


def test_each_lead_goes_through_its_stages_in_order(small_company: DemoCompany) -> None:
    stages = clean(small_company, "stage_history")
    ordered = stages[stages["stage"].isin(STAGE_ORDER)]
    ordered = ordered.assign(rank=ordered["stage"].map(STAGE_ORDER.index))
    ordered = ordered.sort_values(["lead_id", "arrives"], kind="stable")
    ranks = ordered.groupby("lead_id")["rank"]
    assert (ranks.diff().dropna() > 0).all()
    assert not stages.duplicated(["lead_id", "arrives"]).any()


def test_a_disqualified_lead_never_becomes_a_customer(small_company: DemoCompany) -> None:
    stages = clean(small_company, "stage_history")
    closed = set(stages.loc[stages["stage"] == "disqualified", "lead_id"])
    won = set(stages.loc[stages["stage"] == "customer", "lead_id"])
    assert closed
    assert not closed & won


def test_only_handed_over_leads_get_a_verdict_and_afterwards(small_company: DemoCompany) -> None:
    handed = clean(small_company, "handovers").set_index("lead_id")["arrives"]
    verdicts = clean(small_company, "verdicts")
    assert (verdicts["arrives"] > verdicts["lead_id"].map(handed)).all()


def test_reps_work_on_weekdays_only(small_company: DemoCompany) -> None:
    given = pd.to_datetime(clean(small_company, "verdicts")["arrives"], unit="us")
    assert set(given.dt.day_of_week) <= {0, 1, 2, 3, 4}


def test_hand_raisers_go_to_sales_within_days(small_company: DemoCompany) -> None:
    events = clean(small_company, "marketing_events")
    asked = events[events["type"] == "demo_request"].groupby("lead_id")["at"].min()
    handed = clean(small_company, "handovers")
    raised = handed[handed["route"] == "hand_raiser"]
    wait = (raised["arrives"] - raised["lead_id"].map(asked)) / MICROS_PER_DAY
    assert wait.between(0, 5).all()


def test_a_few_leads_are_handed_over_by_chance(small_company: DemoCompany) -> None:
    routes = clean(small_company, "handovers")["route"].value_counts(normalize=True)
    assert 0.005 < routes["explored"] < 0.1


def test_the_truth_is_calibrated(small_company: DemoCompany) -> None:
    leads = small_company.truth.leads
    expected = leads["probability"].sum()
    found = (leads["decided_at"] < NEVER).sum()
    # Independent draws: three standard deviations around the expected number.
    spread = np.sqrt((leads["probability"] * (1 - leads["probability"])).sum())
    assert abs(found - expected) < 3 * spread


def test_the_probability_is_that_of_the_weekly_chances(small_company: DemoCompany) -> None:
    truth = small_company.truth
    by_hand = 1.0
    for chance in truth.hazard[7]:
        by_hand *= 1.0 - chance
    assert truth.leads["probability"][7] == pytest.approx(1.0 - by_hand)


def test_worked_leads_buy_more_often_than_others_like_them(small_company: DemoCompany) -> None:
    leads = small_company.truth.leads
    strength = leads["fit_old"] + leads["engagement"]
    alike = leads[strength.between(3, 5)]
    bought = (alike["decided_at"] < NEVER).groupby(alike["is_worked"]).mean()
    assert bought[True] > 2 * bought[False]


def test_after_the_icp_change_larger_companies_buy(small_company: DemoCompany) -> None:
    leads = small_company.truth.leads
    (change,) = small_company.truth.changes
    bought = leads[leads["decided_at"] < NEVER]
    is_after = bought["decided_at"] >= change.at
    is_large = bought["size"] >= 500
    assert is_large[is_after].mean() > 1.5 * is_large[~is_after].mean()


def test_sales_rejects_students_and_competitors(small_company: DemoCompany) -> None:
    leads = small_company.truth.leads.set_index("lead_id")
    verdicts = clean(small_company, "verdicts").set_index("lead_id")
    unwanted = (leads["seniority"] == "student") | leads["is_competitor"]
    accepted = (verdicts["verdict"] == "accepted").groupby(unwanted.reindex(verdicts.index)).mean()
    assert accepted[True] < 0.1
    assert accepted[False] > 0.4


def test_twins_are_rejected_as_duplicates(small_company: DemoCompany) -> None:
    leads = small_company.truth.leads.set_index("lead_id")
    verdicts = clean(small_company, "verdicts").set_index("lead_id")
    is_twin = leads["is_twin"].reindex(verdicts.index) & (verdicts["verdict"] == "rejected")
    assert set(verdicts.loc[is_twin, "reason"]) == {"duplicate"}


def test_scanners_click_and_only_some_are_marked(small_company: DemoCompany) -> None:
    mail = clean(small_company, "email_events")
    sent = mail.loc[mail["event"] == "email_sent", ["contact", "mailing", "at"]]
    clicks = mail.loc[mail["event"] == "email_clicked"]
    both = clicks.merge(sent, on=["contact", "mailing"], suffixes=("", "_sent"))
    scanned = both[both["at"] - both["at_sent"] == 4_000_000]
    assert len(scanned) > 100
    assert 0.5 < (scanned["is_bot"] == "true").mean() < 0.7
    assert (both.drop(scanned.index)["is_bot"] == "").all()


def test_free_webinars_are_overrated_by_the_points_and_worth_nothing(
    small_company: DemoCompany,
) -> None:
    from mqlml.demo.buyers import ENGAGEMENT
    from mqlml.demo.sales import SIGNAL_POINTS

    name = small_company.truth.overrated
    assert ENGAGEMENT[name] == 0.0
    assert SIGNAL_POINTS[name] == 20.0
