import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.features.table_features import (
    AccountLeads,
    Outcome,
    RateFeature,
    RatioFeature,
    StageFeature,
)
from mqlml.scoring.reasons import group_contributions, reason_groups, reasons_of
from mqlml.scoring.wording import usual_in_words, value_in_words
from mqlml.timeline import EVER, MICROS_PER_DAY

VISIT = Signal("visit", "true", "page views; any")
MONTH = 30 * MICROS_PER_DAY
ICP = (
    AttributeFeature("icp__size", "size", "icp_size", "size fits the ideal customer"),
    AttributeFeature("icp__match_share", "icp", "icp_match_share", "share of the profile"),
    AttributeFeature("opted_in", "opted_in", "flag", "opted in"),
    AttributeFeature("title__seniority", "title", "seniority", "seniority by title"),
)


def said(value: object, *, kind: str = "count", of: str | None = None) -> str:
    feature = Feature(kind, VISIT, MONTH, of)
    return value_in_words(Plan((VISIT,), (feature,)), feature.column, value)


def said_of(attribute: AttributeFeature, value: object) -> str:
    return value_in_words(Plan(attributes=ICP), attribute.column, value)


def test_numbers_of_events_are_told_in_words() -> None:
    assert said(3.0) == "3 page views, any in the last 30 days"
    assert said(12_000.0) == "12,000 page views, any in the last 30 days"
    assert said(0.0) == "no page views, any in the last 30 days"
    assert said(4.0, kind="active_days") == "4 days with page views, any in the last 30 days"
    assert said(math.nan, kind="days_since_last") == "no page views, any in the last 30 days"
    told = said(6.9, kind="days_since_last")
    assert told == "page views, any in the last 30 days: the last 6 days ago"
    told = said(1.2, kind="days_since_first")
    assert told == "page views, any in the last 30 days: the first 1 day ago"
    assert said(0.4, kind="days_since_last").endswith("the last less than a day ago")
    told = said(2.46, kind="decayed_count")
    assert told == "page views, any in the last 30 days: 2.5 when older ones count less"
    assert said(0.0, kind="decayed_count") == "no page views, any in the last 30 days"
    assert said(7.6, kind="weekly_slope").endswith("last 30 days: growing by 7.6 a week")
    assert said(-0.5, kind="weekly_slope").endswith("last 30 days: falling by 0.5 a week")
    told = said(7.25, kind="mean", of="duration_s")
    assert told == "average duration in seconds of page views, any in the last 30 days: 7.2"


def test_figures_from_ten_on_are_whole_and_never_in_powers_of_ten() -> None:
    assert said(125.5, kind="max", of="value").endswith(": 126")
    assert said(99.7, kind="max", of="value").endswith(": 100")
    assert said(9.96, kind="max", of="value").endswith(": 10")
    assert said(0.25, kind="max", of="value").endswith(": 0.25")


def test_a_figure_that_one_event_cannot_give_is_not_silence() -> None:
    told = said(math.nan, kind="max_gap_days")
    assert told == "longest break in days between page views, any in the last 30 days: not known"
    assert said(math.nan, kind="account_count").endswith("in the last 30 days: not known")


RATE = RateFeature("source", EVER, 20, Outcome("customer", MONTH))
STAGE = StageFeature("mql")
BESIDE = Plan(stages=(STAGE,), account_leads=(AccountLeads(MONTH),), rates=(RATE,))


def test_features_of_tables_are_told_in_words() -> None:
    told = [value_in_words(BESIDE, name, 0.25) for name in BESIDE.columns]
    assert told == [
        "days since it became mql: 0.25",
        "other leads of the same account created in the last 30 days: 0.25",
        "share of other leads with the same source that reached customer, as known so far: 0.25",
    ]
    assert value_in_words(BESIDE, STAGE.column, math.nan) == "days since it became mql: not known"


def test_a_rate_belongs_to_the_reason_of_its_attribute_and_a_ratio_to_that_of_its_part() -> None:
    count = Feature("count", VISIT, MONTH)
    source = AttributeFeature("source", "source", "category", "source")
    ratio = RatioFeature(count.column, count.column, replace(count.info, column="ratio"))
    crowd = Feature("account_count", VISIT, MONTH)
    plan = Plan((VISIT,), (count,), (source,), accounts=(crowd,), rates=(RATE,), ratios=(ratio,))
    groups = {group.name: group.columns for group in reason_groups(plan)}
    assert groups == {
        "signal visit": (count.column, "ratio"),
        "attribute source": ("source", RATE.column),
        "of the account: signal visit": (crowd.column,),
    }


def test_a_count_that_is_not_known_says_so() -> None:
    assert said(math.nan).startswith("unknown number of page views")


@pytest.mark.parametrize(
    ("number", "value", "words"),
    [
        (0, 1.0, "size fits the ideal customer"),
        (0, 0.0, "size does not fit the ideal customer"),
        (0, math.nan, "size fits the ideal customer: not known"),
        (1, 0.75, "meets 75 % of the ideal customer profile"),
        (2, 1.0, "opted in: yes"),
        (2, 0.0, "opted in: no"),
        (3, "c_level", "seniority by title: c level"),
        (3, "none", "no seniority by title"),
        (3, None, "seniority by title: not known"),
    ],
)
def test_attributes_are_told_in_words(number: int, value: object, words: str) -> None:
    assert said_of(ICP[number], value) == words


def test_a_long_value_with_line_breaks_and_semicolons_stays_one_short_line() -> None:
    told = said_of(ICP[3], "a;\nb" * 3000)
    assert len(told) <= 120
    assert ";" not in told
    assert "\n" not in told


def test_all_columns_of_a_signal_or_attribute_are_one_reason(plan: Plan) -> None:
    groups = {group.name: group.columns for group in reason_groups(plan)}
    assert groups == {
        "signal webinar": ("webinar__count__30d", "webinar__days_since_last__ever"),
        "signal visit": ("visit__count__7d",),
        "attribute company_size": ("company_size",),
        "attribute country": ("country",),
    }


def weighed(plan: Plan, *weights: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    matrix = pd.DataFrame(
        {name: [5.0] for name in plan.columns if name not in plan.categories}
        | {"country": pd.Series(["de"], dtype="str")}
    )[list(plan.columns)]
    return pd.DataFrame([weights], columns=list(plan.columns)), matrix


def test_a_reason_weighs_what_its_columns_sum_to_and_is_told_by_the_heaviest(plan: Plan) -> None:
    contributions, matrix = weighed(plan, 0.6, -0.1, 0.4, 0.0, 0.0)
    sums = group_contributions(contributions, plan)
    assert sums["signal webinar"].iloc[0] == pytest.approx(0.5)
    reasons = reasons_of(contributions, matrix, plan, limit=3)
    assert reasons["reasons_up"].iloc[0] == (
        "5 webinars attended in the last 30 days; 5 page views in the last 7 days"
    )
    assert reasons["reasons_down"].iloc[0] == ""


def test_columns_that_cancel_out_are_no_reason_and_tiny_ones_neither(plan: Plan) -> None:
    contributions, matrix = weighed(plan, 0.5, -0.5, 0.009, -0.009, 0.0)
    reasons = reasons_of(contributions, matrix, plan, limit=3)
    assert list(reasons.iloc[0]) == ["", ""]


def test_no_more_reasons_are_told_than_asked_for(plan: Plan) -> None:
    contributions, matrix = weighed(plan, 0.1, 0.0, 0.2, 0.3, 0.4)
    reasons = reasons_of(contributions, matrix, plan, limit=2)
    assert reasons["reasons_up"].iloc[0] == "country: de; company size: 5"


def test_a_missing_value_is_worded_once_for_many_leads() -> None:
    plan = Plan((VISIT,), (Feature("days_since_last", VISIT, EVER),))
    column = plan.columns[0]
    matrix = pd.DataFrame({column: [np.nan, np.nan]})
    contributions = pd.DataFrame({column: [-1.0, -2.0]})
    reasons = reasons_of(contributions, matrix, plan, limit=1)
    assert set(reasons["reasons_down"]) == {"no page views, any so far"}


def test_one_of_a_thing_is_told_after_its_plural_words():
    assert said(1.0) == "page views, any in the last 30 days: 1"


def compared(value: object, typical: float, *, kind: str = "count") -> str:
    feature = Feature(kind, VISIT, MONTH)
    return usual_in_words(Plan((VISIT,), (feature,)), feature.column, value, typical)


def test_a_number_is_told_beside_the_usual_one_unless_both_look_alike() -> None:
    assert compared(3.0, 0.0) == ", usually 0"
    assert compared(3.0, 3.0) == ""
    assert compared(0.301, 0.299, kind="decayed_count") == ""
    assert compared(2.5, 40.2, kind="days_since_last") == ", usually 40 days ago"
    assert compared(math.nan, 40.2, kind="days_since_last") == ""


def test_categories_and_yes_or_no_have_no_usual_value() -> None:
    size = AttributeFeature("size", "size", "size", "company size")
    country = AttributeFeature("country", "country", "tidy", "country")
    plan = Plan(attributes=(size, country, *ICP))
    assert usual_in_words(plan, "size", 300.0, 80.0) == ", usually 80"
    assert usual_in_words(plan, "country", "chile", 80.0) == ""
    assert usual_in_words(plan, "opted_in", 1.0, 0.0) == ""


def test_a_reason_says_what_is_usual() -> None:
    feature = Feature("count", VISIT, MONTH)
    plan = Plan((VISIT,), (feature,))
    matrix = pd.DataFrame({feature.column: [3.0, 0.0]})
    contributions = pd.DataFrame({feature.column: [0.5, -0.2]})
    typical = {feature.column: 0.0}
    reasons = reasons_of(contributions, matrix, plan, limit=1, typical=typical)
    assert list(reasons["reasons_up"]) == ["3 page views, any in the last 30 days, usually 0", ""]
    assert list(reasons["reasons_down"]) == ["", "no page views, any in the last 30 days"]
