import pandas as pd
import pytest
from tests.builders import at, make_tables

from mqlml import timeline
from mqlml.dataset.points import POINT_COLUMNS, open_points, training_points
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.errors import ConfigError

TARGET = TargetSettings(stage="opportunity", horizon_days=10)
WEEKLY = PointSettings(rule="weekly", until_days=21)


def days(points):
    """Points as (lead, day of January 2026, label)."""
    since = (points["as_of"] - at("2026-01-01")) / timeline.MICROS_PER_DAY + 1
    labels = points["label"] if "label" in points else [None] * len(points)
    return [
        (lead, day, None if pd.isna(label) else label)
        for lead, day, label in zip(points["lead_id"], since, labels, strict=True)
    ]


@pytest.fixture
def tables(tmp_path):
    def make(*stages, leads=(("a", "2026-01-01"),), data_end="2026-03-01", order=False):
        made = make_tables(
            tmp_path,
            leads=[{"lead_id": lead, "created_at": created, **dict(rest)}
                   for lead, created, *rest in leads],
            stages=[{"lead_id": lead, "stage": stage, "entered_at": when}
                    for lead, stage, when in stages],
            data_end=data_end,
        )  # fmt: skip
        return made if not order else type(made)(**{**made.__dict__, "is_order_time": True})

    return make


def flat(lead, created, outcome):
    return lead, created, ("outcome", outcome)


def test_a_lead_looked_at_once_has_its_point_after_days_from_creation(tables):
    points = training_points(tables(), TARGET, PointSettings(after_days=2.5))
    assert tuple(points.columns) == POINT_COLUMNS
    assert days(points) == [("a", 3.5, 0)]


def test_weekly_points_run_from_creation_to_the_last_allowed_day_inclusive(tables):
    points = training_points(tables(), TARGET, WEEKLY)
    assert days(points) == [("a", 1, 0), ("a", 8, 0), ("a", 15, 0), ("a", 22, 0)]
    assert (points["cohort"] == at("2026-01-01")).all()


def test_weekly_points_stop_at_the_end_of_the_data(tables):
    points = training_points(tables(data_end="2026-01-09"), TARGET, PointSettings(rule="weekly"))
    assert days(points) == [("a", 1, None), ("a", 8, None)]


def test_a_conversion_inside_the_horizon_is_positive_and_at_its_end_negative(tables):
    stages = ("a", "opportunity", "2026-01-11")
    points = training_points(tables(stages), TARGET, WEEKLY)
    # Day 1 looks at [1, 11), which excludes the conversion on day 11; later points are closed.
    assert days(points) == [("a", 1, 0), ("a", 8, 1)]
    assert points["converted_at"].tolist() == [at("2026-01-11")] * 2


def test_a_conversion_at_the_very_moment_of_the_point_belongs_to_its_future(tables):
    points = training_points(tables(("a", "opportunity", "2026-01-08")), TARGET, WEEKLY)
    assert days(points) == [("a", 1, 1), ("a", 8, 1)]


def test_skipping_the_target_for_a_later_stage_counts_as_having_passed_it(tables):
    points = training_points(tables(("a", "customer", "2026-01-09")), TARGET, WEEKLY)
    assert days(points) == [("a", 1, 1), ("a", 8, 1)]


def test_earlier_stages_neither_label_nor_close_a_lead(tables):
    stages = [("a", "mql", "2026-01-02"), ("a", "sql", "2026-01-03")]
    assert len(training_points(tables(*stages), TARGET, WEEKLY)) == 4


def test_a_disqualified_lead_has_no_points_until_it_is_recycled(tables):
    stages = [
        ("a", "recycled", "2026-01-16"),
        ("a", "disqualified", "2026-01-08"),
        ("a", "disqualified", "2026-01-10"),
        ("a", "opportunity", "2026-01-23"),
    ]
    points = training_points(tables(*stages), TARGET, WEEKLY)
    # On day 8 itself the lead is not yet seen as disqualified; day 15 is closed.
    assert days(points) == [("a", 1, 0), ("a", 8, 0), ("a", 22, 1)]


def test_a_lead_may_be_closed_and_reopened_several_times(tables):
    stages = [
        ("a", "disqualified", "2026-01-02"), ("a", "recycled", "2026-01-10"),
        ("a", "disqualified", "2026-01-16"), ("a", "recycled", "2026-01-16"),
        ("a", "disqualified", "2026-01-20"), ("b", "recycled", "2026-01-01"),
    ]  # fmt: skip
    points = training_points(tables(*stages), TARGET, WEEKLY)
    assert days(points) == [("a", 1, 0), ("a", 15, 0)]


def test_a_point_whose_horizon_is_still_running_has_no_label_even_if_converted(tables):
    stages = ("b", "opportunity", "2026-01-06")
    leads = [("a", "2026-01-05"), ("b", "2026-01-05"), ("c", "2026-01-01")]
    made = tables(stages, leads=leads, data_end="2026-01-11")
    points = training_points(made, TARGET, PointSettings())
    assert days(points) == [("c", 1, 0), ("a", 5, None), ("b", 5, None)]


def test_the_reporting_lag_delays_maturity(tables):
    target = TargetSettings(stage="opportunity", horizon_days=10, reporting_lag_days=1)
    made = tables(data_end="2026-01-11")
    assert days(training_points(made, TARGET, PointSettings())) == [("a", 1, 0)]
    assert days(training_points(made, target, PointSettings())) == [("a", 1, None)]


def test_a_flat_outcome_is_the_label_and_null_is_unknown(tables):
    leads = [
        flat("a", "2026-01-01", True),
        flat("b", "2026-01-02", False),
        flat("c", "2026-01-03", None),
    ]
    points = training_points(tables(leads=leads), TargetSettings(stage="outcome"), PointSettings())
    assert days(points) == [("a", 1, 1), ("b", 2, 0), ("c", 3, None)]
    assert (points["converted_at"] == timeline.NEVER).all()


def test_a_flat_outcome_with_a_horizon_is_unknown_until_it_is_mature(tables):
    leads = [flat("a", "2026-01-01", True), flat("b", "2026-01-02", False)]
    target = TargetSettings(stage="outcome", horizon_days=10)
    made = tables(leads=leads, data_end="2026-01-11")
    assert days(training_points(made, target, PointSettings())) == [("a", 1, 1), ("b", 2, None)]


def test_tables_without_an_outcome_column_have_no_flat_labels(tables):
    made = tables()
    made = type(made)(**{**made.__dict__, "leads": made.leads.drop(columns="outcome")})
    points = training_points(made, TargetSettings(stage="outcome"), PointSettings())
    assert days(points) == [("a", 1, None)]


def test_no_leads_give_no_points(tables):
    made = tables(leads=())
    assert len(training_points(made, TARGET, WEEKLY)) == 0
    assert len(open_points(made, TARGET, WEEKLY, as_of=0)) == 0


def test_stages_of_unknown_leads_are_ignored(tables):
    assert len(training_points(tables(("z", "customer", "2026-01-01")), TARGET, WEEKLY)) == 4


def test_open_points_are_the_leads_known_and_open_at_the_time(tables):
    leads = [("new", "2026-02-01"), ("old", "2026-01-01"), ("gone", "2026-01-01"),
             ("won", "2026-01-01"), ("later", "2026-02-01 00:00:01")]  # fmt: skip
    stages = [("gone", "disqualified", "2026-01-31"), ("won", "customer", "2026-01-31")]
    made = tables(*stages, leads=leads)
    rule = PointSettings(after_days=1)
    points = open_points(made, TARGET, rule, as_of=at("2026-02-01"))
    assert points["lead_id"].tolist() == ["new", "old"]
    assert points["as_of"].tolist() == [at("2026-02-01")] * 2
    assert points["cohort"].tolist() == [at("2026-02-02"), at("2026-01-02")]


def test_open_points_of_a_flat_table_stand_at_their_own_time(tables):
    leads = [flat("b", "2026-01-01", True), flat("a", "2026-01-02", None),
             flat("c", "2026-01-03", False)]  # fmt: skip
    target = TargetSettings(stage="outcome")
    dated = open_points(tables(leads=leads), target, PointSettings(), as_of=at("2026-01-02"))
    assert days(dated) == [("b", 1, None), ("a", 2, None)]
    ordered = open_points(tables(leads=leads, order=True), target, PointSettings(), as_of=0)
    assert ordered["lead_id"].tolist() == ["b", "a", "c"]


def test_an_order_column_takes_no_days_and_all_that_ask_for_them_are_named(tables):
    target = TargetSettings(stage="sql", horizon_days=3, reporting_lag_days=1)
    rule = PointSettings(rule="weekly", after_days=1)
    with pytest.raises(ConfigError) as error:
        training_points(tables(order=True), target, rule)
    assert [fault.where for fault in error.value.faults] == [
        "target.horizon_days",
        "target.reporting_lag_days",
        "points.rule",
        "points.after_days",
        "target.stage",
    ]


def test_points_on_an_order_column_lie_where_the_order_says(tables):
    leads = [flat("a", "1970-01-02", True), flat("b", "1970-01-01", False)]
    made = tables(leads=leads, order=True, data_end="1970-01-01")
    points = training_points(made, TargetSettings(stage="outcome"), PointSettings())
    assert points["lead_id"].tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("target", "rule", "where"),
    [
        (TargetSettings(stage="sqll", horizon_days=3), PointSettings(), "target.stage"),
        (TargetSettings(stage="lead", horizon_days=3), PointSettings(), "target.stage"),
        (TargetSettings(stage="sql"), PointSettings(), "target.horizon_days"),
        (TargetSettings(stage="outcome"), WEEKLY, "points.rule"),
        (TARGET, PointSettings(rule="weekly", after_days=9, until_days=7), "points.until_days"),
    ],
)
def test_a_target_or_rule_that_cannot_be_is_refused(tables, target, rule, where):
    with pytest.raises(ConfigError) as error:
        training_points(tables(), target, rule)
    assert [fault.where for fault in error.value.faults] == [where]
