from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.settings import Criteria, Rule, Thresholds
from mqlml.errors import BundleError, SchemaError
from mqlml.modeling.bundle import Bundle
from mqlml.scoring import figures
from mqlml.scoring.score import SCORE_COLUMNS, Policy, score_points
from mqlml.scoring.settings import PersonaSettings, ReasonsFrom, ScoreSettings

CRITERIA = Criteria(
    version=4,
    icp_gate=(Rule(name="size", when="company_size >= 50", says="company size"),),
    thresholds=Thresholds(mql_probability=0.5),
)
POLICY = Policy(
    CRITERIA,
    0.5,
    "7",
    personas=(PersonaSettings(name="enterprise", when="company_size > 1000"),),
    settings=ScoreSettings(reasons=2),
)
MATRIX = pd.DataFrame(
    {
        "webinar__count__30d": [0.0, 3.0, 2.0],
        "webinar__days_since_last__ever": [90.5, 2.0, 10.0],
        "visit__count__7d": [1.0, 4.0, 0.0],
        "company_size": [20.0, 5000.0, np.nan],
        "country": pd.Series(["antarctica", "germany", None], dtype="str"),
    }
)
POINTS = pd.DataFrame({"lead_id": ["a", "b", "c"], "as_of": [1_000_000] * 3, "cohort": 0})


def scored(bundle: Bundle, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    return score_points(bundle, POINTS, MATRIX, rows=MATRIX, policy=POLICY, previous=previous)


def test_scores_come_hottest_first_with_parts_that_add_up(bundle: Bundle) -> None:
    scores = scored(bundle)
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert list(scores["lead_id"]) == ["b", "c", "a"]
    # b: −2 + .1 × (10 + 4 + 20) = 1.4; c: −2 + .1 × 10 = −1; a: −2 + .1 × (−5 + 4 − 30) = −5.1.
    log_odds = scores[["base_part", "fit_part", "engagement_part"]].sum(axis=1)
    assert log_odds.to_numpy() == pytest.approx([1.4, -1.0, -5.1])
    assert scores["probability"].to_numpy() == pytest.approx(1 / (1 + np.exp([-1.4, 1.0, 5.1])))
    assert list(scores["score"]) == [80.2, 26.9, 0.6]


def test_each_score_has_grade_outcome_persona_and_versions(bundle: Bundle) -> None:
    scores = scored(bundle)
    assert list(scores["grade"]) == ["A1", "B1", "D4"]
    assert list(scores["outcome"]) == ["mql", "warm", "cold"]
    assert scores["because"].iloc[1] == "outside the ICP: company size"
    assert list(scores["persona"]) == ["enterprise", "other", "other"]
    assert set(scores["model_version"]) == {"7"}
    assert set(scores["criteria_version"]) == {4}
    assert scores["criteria_digest"].str.len().eq(16).all()
    assert str(scores["as_of"].dtype) == "datetime64[us, UTC]"
    assert scores["as_of"].iloc[0] == pd.Timestamp("1970-01-01 00:00:01", tz="UTC")


def test_reasons_tell_the_strongest_groups_with_the_leads_values(bundle: Bundle) -> None:
    scores = scored(bundle)
    assert scores["reasons_up"].iloc[0] == (
        "company size: 5,000; 3 webinars attended in the last 30 days"
    )
    assert scores["reasons_down"].iloc[0] == ""
    assert scores["reasons_up"].iloc[2] == "page views in the last 7 days: 1"
    assert scores["reasons_down"].iloc[2] == (
        "country: antarctica; webinars attended so far: the last 90 days ago"
    )


@pytest.mark.parametrize(
    ("reasons_from", "explained"),
    [("cold", ["a", "b", "c", "d"]), ("warm", ["b", "c"]), ("mql", ["b"])],
)
def test_only_leads_from_a_band_on_are_explained(
    bundle: Bundle, reasons_from: ReasonsFrom, explained: list[str]
) -> None:
    # b is an MQL, c warm, a cold; d would be an MQL, but is disqualified.
    matrix = MATRIX.iloc[[0, 1, 2, 1]].reset_index(drop=True)
    points = POINTS.iloc[[0, 1, 2, 1]].reset_index(drop=True).assign(lead_id=list("abcd"))
    no_more = Rule(name="no", when="lead = 'd'")
    policy = replace(
        POLICY,
        criteria=CRITERIA.model_copy(update={"disqualifiers": (no_more,)}),
        settings=ScoreSettings(reasons_from=reasons_from),
    )
    rows = matrix.assign(lead=list("abcd"))
    scores = score_points(bundle, points, matrix, rows=rows, policy=policy).set_index("lead_id")
    everything = score_points(
        bundle, points, matrix, rows=rows, policy=replace(policy, settings=ScoreSettings())
    ).set_index("lead_id")
    for column in ("reasons_up", "reasons_down"):
        assert everything[column].ne("").any()
        expected = everything[column].where(everything.index.isin(explained), "")
        pd.testing.assert_series_equal(scores[column], expected)


def test_a_hand_raiser_is_always_explained(bundle: Bundle) -> None:
    keen = Rule(name="keen", when="company_size = 20")
    policy = replace(
        POLICY,
        criteria=CRITERIA.model_copy(update={"hand_raisers": (keen,)}),
        settings=ScoreSettings(reasons_from="mql"),
    )
    scores = score_points(bundle, POINTS, MATRIX, rows=MATRIX, policy=policy)
    scores = scores.set_index("lead_id")
    assert scores.loc["a", "outcome"] == "hand_raiser"
    assert scores.loc["a", "reasons_down"] != ""
    assert scores.loc["c", ["reasons_up", "reasons_down"]].tolist() == ["", ""]


def test_leads_are_worked_on_in_parts_without_a_difference(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scored(bundle)
    monkeypatch.setattr(figures, "LEADS_AT_ONCE", 2)
    pd.testing.assert_frame_equal(scored(bundle), whole, check_exact=True)


def test_the_trend_is_the_change_since_the_last_score(bundle: Bundle) -> None:
    previous = pd.DataFrame({"lead_id": ["b", "x", "a"], "score": [70.0, 5.0, 0.6]})
    trend = scored(bundle, previous)["trend"]
    assert trend.iloc[0] == pytest.approx(10.2)
    assert np.isnan(trend.iloc[1])
    assert trend.iloc[2] == 0.0
    assert scored(bundle, previous.iloc[:0])["trend"].isna().all()


def test_equal_probabilities_are_ordered_by_lead_id(bundle: Bundle) -> None:
    points = POINTS.assign(lead_id=["z", "m", "a"])
    same = pd.concat([MATRIX.iloc[[1]]] * 3, ignore_index=True)
    scores = score_points(bundle, points, same, rows=same, policy=POLICY)
    assert list(scores["lead_id"]) == ["a", "m", "z"]


def test_no_points_give_an_empty_frame_of_the_same_columns(bundle: Bundle) -> None:
    nobody = MATRIX.iloc[:0]
    scores = score_points(bundle, POINTS.iloc[:0], nobody, rows=nobody, policy=POLICY)
    assert scores.empty
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert dict(scores.dtypes) == dict(scored(bundle).dtypes)


def test_a_model_without_grade_cuts_is_refused(bundle: Bundle) -> None:
    for facts in ({}, {"grade_cuts": None}):
        with pytest.raises(BundleError, match="grades begin"):
            scored(replace(bundle, facts=facts))


def test_a_matrix_of_another_plan_is_refused(bundle: Bundle) -> None:
    other = MATRIX.drop(columns="country")
    with pytest.raises(SchemaError, match="country"):
        score_points(bundle, POINTS, other, rows=MATRIX, policy=POLICY)
