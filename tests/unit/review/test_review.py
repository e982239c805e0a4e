from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.review.findings import conditional_findings
from mqlml.review.logistic import fit_null, score_tests
from mqlml.review.review import Review, review_verdicts
from mqlml.review.verdicts import Judged, acceptance_by, judged_leads, reasons_given

FEATURES = ("webinar", "pages", "size", "noise")
STRICT = {"rep a": -0.8, "rep b": 0.0, "rep c": 0.8}


def importance() -> pd.DataFrame:
    names = [*FEATURES, "country"]
    return pd.DataFrame(
        {
            "column": names,
            "sentence": [f"{name} of the lead" for name in names],
            "importance": [0.4, 0.3, 0.2, 0.06, 0.04],
            "direction": [1, 1, 1, -1, 0],
        }
    )


def judged(rows: int = 1200, *, seed: int = 0, **effects: float) -> Judged:
    """Return verdicts that follow the score and the rep, and `effects` beside them."""
    rng = np.random.default_rng(seed)
    webinar = (rng.random(rows) < 0.3) * rng.integers(1, 4, rows).astype(float)
    pages, size = rng.exponential(5.0, rows), rng.normal(size=rows)
    country = rng.choice(["de", "fr", "us"], rows)
    score = -1.0 + 0.5 * (webinar > 0) + 0.3 * np.log1p(pages) + 0.6 * size
    who = rng.choice(list(STRICT), rows)
    view = 0.3 + 0.8 * score + pd.Series(who).map(STRICT).to_numpy()
    view += effects.get("webinar", 0.0) * (webinar > 0)
    view += effects.get("pages", 0.0) * (pd.Series(pages).rank(pct=True) - 0.5) * np.sqrt(12)
    view += effects.get("us", 0.0) * (country == "us")
    accepted = (rng.random(rows) < 1 / (1 + np.exp(-view))).astype(float)
    matrix = pd.DataFrame(
        {
            "webinar": webinar,
            "pages": np.where(rng.random(rows) < 0.05, np.nan, pages),
            "size": size,
            "noise": rng.normal(size=rows),
            "country": pd.Series(country, dtype="str"),
        }
    )
    frame = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in range(rows)],
            "accepted": accepted,
            "reason": np.where(accepted == 1, None, "no_need"),
            "who": who,
            "probability": 1 / (1 + np.exp(-score)),
            "grade": np.where(score > 0, "A1", "C3"),
        }
    )
    return Judged(frame, matrix, pd.DataFrame(columns=["verdict", "reason"]), 0)


def found(review: Review) -> dict[str, str]:
    told = review.findings[review.findings["tier"] != "none"]
    return dict(zip(told["feature"], told["class"], strict=True))


def test_what_sales_likes_less_than_the_score_says_is_over_rated() -> None:
    review = review_verdicts(judged(webinar=-1.0), importance())
    assert found(review) == {"webinar": "model over-rates"}
    row = review.findings.iloc[0]
    assert row["low"] < -1.0 < row["high"]
    assert row["tier"] == "confirmed"
    assert (row["direction"], row["share"]) == ("up", pytest.approx(0.4))
    assert review.sentences[0].startswith(
        "webinar of the lead: at equal score sales accepts fewer of the leads with it (effect −"
    )


def test_what_sales_likes_more_is_under_rated_and_a_level_is_named() -> None:
    review = review_verdicts(judged(us=1.2, pages=0.5), importance())
    assert found(review) == {
        "country = us": "model under-rates",
        "pages": "model under-rates",
    }
    assert review.sentences[0].startswith(
        "country of the lead = us: at equal score sales accepts more"
    )
    assert list(review.findings["direction"].iloc[:1]) == ["mixed"]


@pytest.mark.parametrize(
    ("family", "asked"), [("demographic", "flag"), ("behavioural", "presence")]
)
def test_a_column_of_nought_and_one_is_a_flag_of_leads_and_no_count_of_what_they_did(
    family: str, asked: str
) -> None:
    base = judged(webinar=-1.0)
    once = replace(base, matrix=base.matrix.assign(webinar=base.matrix["webinar"].clip(upper=1.0)))
    table = conditional_findings(once, importance().assign(family=family)).set_index("feature")
    assert table.loc["webinar", "asked"] == asked


def test_sales_that_follow_the_score_give_no_finding_though_reps_differ() -> None:
    flagged = [found(review_verdicts(judged(seed=seed), importance())) for seed in range(20)]
    assert sum(bool(flags) for flags in flagged) <= 4


def test_many_verdicts_without_disagreement_are_agreement_and_few_are_not_enough() -> None:
    many = review_verdicts(judged(6000), importance()).findings.set_index("feature")
    assert set(many.loc[["webinar", "size", "noise"], "class"]) == {"agree"}
    few = review_verdicts(judged(130), importance()).findings
    assert set(few["class"]) <= {"agree", "too few verdicts"}
    assert "too few verdicts" in set(few["class"])


def test_below_fifty_of_a_kind_no_feature_is_asked_about() -> None:
    review = review_verdicts(judged(60), importance())
    assert set(review.findings["class"]) == {"too few verdicts"}
    assert review.findings["effect"].isna().all()
    assert "fifty of each kind" in review.warnings[0]
    assert review.sentences == ()


def test_features_that_say_nothing_cannot_be_asked_about() -> None:
    base = judged(600)
    flat = replace(base, matrix=base.matrix.assign(noise=1.0, size=np.nan, webinar=0.0))
    rare = np.r_[np.ones(5), np.zeros(595)]
    flat = replace(flat, matrix=flat.matrix.assign(pages=rare))
    features = set(conditional_findings(flat, importance())["feature"])
    assert all(name.startswith("country") for name in features)
    nothing = replace(flat, matrix=flat.matrix.assign(country=pd.Series([None] * 600, dtype="str")))
    assert set(conditional_findings(nothing, importance())["class"]) == {"too few verdicts"}


def test_two_columns_that_say_the_same_are_found_once() -> None:
    base = judged(1500, webinar=-1.0)
    twin = replace(base, matrix=base.matrix.assign(noise=base.matrix["webinar"] * 2))
    flags = found(review_verdicts(twin, importance()))
    assert len({"webinar", "noise"} & set(flags)) == 1


def test_when_every_column_is_found_there_is_nothing_left_to_ask() -> None:
    base = judged(1500, webinar=-1.0)
    table = importance().head(1)
    assert list(found(review_verdicts(base, table))) == ["webinar"]


def test_findings_stop_at_twenty() -> None:
    rng = np.random.default_rng(0)
    signs = rng.normal(size=(4000, 25))
    accepted = (rng.random(4000) < 1 / (1 + np.exp(-0.5 * signs.sum(axis=1)))).astype(float)
    names = [f"f{i:02d}" for i in range(25)]
    rows = pd.DataFrame({"accepted": accepted, "who": "r", "probability": 0.5, "grade": "A1"})
    rows = rows.assign(reason=None, lead_id="x")
    table = pd.DataFrame({"column": names, "sentence": names, "importance": 1.0, "direction": 0})
    everything = Judged(rows, pd.DataFrame(signs, columns=names), pd.DataFrame(), 0)
    assert (conditional_findings(everything, table)["tier"] != "none").sum() == 20


def test_acceptance_has_wilson_intervals() -> None:
    table = acceptance_by(pd.Series(["B", "A", "A", "A", "A"]), np.array([1.0, 1, 1, 0, 0]))
    assert list(table["group"]) == ["A", "B"]
    assert list(table["conversions"]) == [2, 1]
    # Wilson, 2 of 4: (.5 + z²/8 ± z √(.25/4 + z²/64)) / (1 + z²/4).
    assert table["low"].iloc[0] == pytest.approx(0.150, abs=0.001)
    assert table["high"].iloc[0] == pytest.approx(0.850, abs=0.001)


def times(*weeks: int) -> pd.Series:
    return pd.Series(pd.to_datetime(np.array(weeks) * 604_800, unit="s", utc=True))


def test_a_verdict_is_held_against_the_last_score_strictly_before_it() -> None:
    scores = pd.DataFrame(
        {
            "lead_id": ["a", "a", "b"],
            "as_of": times(1, 2, 2),
            "probability": [0.1, 0.2, 0.3],
            "grade": ["C3", "B2", "A1"],
        }
    )
    verdicts = pd.DataFrame(
        {
            "lead_id": ["a", "a", "b", "b", "c"],
            "given_at": times(2, 3, 3, 4, 4),
            "verdict": ["accepted", "rejected", "rejected", "rejected", "accepted"],
            "reason": [None, "no_need", "duplicate", None, None],
            "who": ["r", None, "r", "r", "r"],
        }
    )
    matrix = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    base = judged_leads(verdicts, scores, matrix)
    assert list(base.rows["grade"]) == ["C3", "B2", "A1"]
    assert list(base.matrix["x"]) == [1.0, 2.0, 3.0]
    assert list(base.rows["accepted"]) == [1.0, 0.0, 0.0]
    assert list(base.rows["who"]) == ["r", "unknown", "r"]
    assert base.unscored == 1
    assert list(reasons_given(base)["reason"]) == ["duplicate", "no_need", "none given"]
    table = importance().assign(column="x").head(1)
    review = review_verdicts(base, table)
    assert (review.accepted, review.rejected) == (1, 2)
    assert "1 verdicts are on leads that were never scored" in review.warnings[0]
    assert "left out" in review.warnings[1]
    numbered = judged_leads(
        verdicts, scores.assign(as_of=scores["as_of"].dt.as_unit("us").astype("int64")), matrix
    )
    pd.testing.assert_frame_equal(numbered.rows, base.rows)


def test_no_verdicts_at_all_are_an_empty_review() -> None:
    base = judged(200)
    nobody = Judged(base.rows.iloc[:0], base.matrix.iloc[:0], base.procedural, 0)
    review = review_verdicts(nobody, importance())
    assert (review.accepted, review.rejected) == (0, 0)
    assert review.by_grade.empty
    assert set(review.findings["class"]) == {"too few verdicts"}


def test_a_score_test_agrees_with_the_fit_for_small_effects() -> None:
    rng = np.random.default_rng(2)
    ones, x = np.ones((3000, 1)), rng.normal(size=3000)
    labels = (rng.random(3000) < 1 / (1 + np.exp(-(0.2 * x)))).astype(float)
    null = fit_null(ones, labels, np.zeros(1))
    effect, error = score_tests(null, np.column_stack([x, np.ones(3000)]))
    full = fit_null(np.column_stack([ones, x]), labels, np.zeros(2))
    assert effect[0] == pytest.approx(full.coefficients[1], rel=0.02)
    assert error[0] == pytest.approx(2 / np.sqrt(3000), rel=0.1)
    # The second column is the intercept again: nothing new to say.
    assert (effect[1], error[1]) == (0.0, np.inf)


def test_a_fit_that_runs_away_stops_after_fifty_steps() -> None:
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    model = fit_null(design, np.array([0.0, 1.0]), np.full(2, 1e-12))
    assert np.isfinite(model.coefficients).all()


def test_separated_classes_do_not_break_the_fit() -> None:
    x = np.linspace(-1, 1, 200)
    design = np.column_stack([np.ones(200), 50 * x])
    model = fit_null(design, (x > 0).astype(float), np.array([1e-3, 1e-3]))
    assert np.isfinite(model.coefficients).all()
    assert np.abs(model.residual).max() < 0.5
