import pandas as pd

from mqlml.criteria.settings import Criteria, Rule, SignOff, Thresholds
from mqlml.review.drafts import drafts_of, next_criteria
from mqlml.review.review import Review

EMPTY = pd.DataFrame()


def review_of(*rows: tuple[str, str, float, str], unseen: pd.DataFrame = EMPTY) -> Review:
    names = ["feature", "direction", "effect", "tier"]
    findings = pd.DataFrame(rows, columns=names).assign(sentence="webinars attended")
    is_level = findings["feature"].str.contains(" = ")
    findings["asked"] = is_level.map({True: "level", False: "presence"})
    findings.loc[findings["feature"] == "is_competitor", "asked"] = "flag"
    return Review(0, 0, (), findings, EMPTY, EMPTY, EMPTY, (), unseen=unseen)


def test_a_level_that_sales_dislikes_becomes_a_rule_to_preview() -> None:
    (draft,) = drafts_of(review_of(("country = Côte d'Ivoire", "mixed", -0.9, "confirmed")))
    assert (draft.kind, draft.owner) == ("criteria", "marketing and sales")
    assert draft.rule is not None
    assert draft.rule.name == "sales_rejects_country_c_te_d_ivoire"
    assert draft.rule.when == "\"country\" = 'Côte d''Ivoire'"


def test_a_rule_names_the_values_as_people_wrote_them() -> None:
    found = review_of(("industry = software", "mixed", -0.9, "confirmed"))
    (draft,) = drafts_of(found, {"industry = software": ("SOFTWARE", "Software ")})
    assert draft.rule is not None
    assert draft.rule.name == "sales_rejects_industry_software"
    assert draft.rule.when == "\"industry\" IN ('SOFTWARE', 'Software ')"


def test_a_flag_that_sales_dislikes_becomes_a_rule_too() -> None:
    (draft,) = drafts_of(review_of(("is_competitor", "down", -1.6, "confirmed")))
    assert draft.rule is not None
    assert (draft.rule.name, draft.rule.when) == (
        "sales_rejects_is_competitor",
        '"is_competitor" = 1',
    )


def test_a_number_that_raises_scores_against_sales_view_is_dropped_in_the_draft() -> None:
    up, down = drafts_of(
        review_of(("webinar", "up", -0.9, "confirmed"), ("visits", "down", -0.9, "confirmed"))
    )
    assert (up.kind, up.setting, up.rule) == ("training", "drop: [webinar]", None)
    assert down.setting == "monotone: {visits: -1}"


def test_what_sales_likes_more_is_learnt_and_indicated_findings_wait() -> None:
    (draft,) = drafts_of(
        review_of(("country = us", "mixed", 0.9, "confirmed"), ("x", "up", -0.4, "indicated"))
    )
    assert draft.feature == "country = us"
    assert draft.says.startswith("train again (mqlml retrain --reason review)")


def test_a_reason_that_no_column_tells_asks_for_a_column() -> None:
    unseen = pd.DataFrame(
        {"reason": ["no_budget", "not_icp"], "class": ["no column tells", "columns tell"]}
    )
    (draft,) = drafts_of(review_of(unseen=unseen))
    assert (draft.kind, draft.feature, draft.owner) == ("data", "no_budget", "marketing")


def test_the_next_criteria_hold_the_rule_once_and_no_signature() -> None:
    old = Criteria(
        version=3,
        valid_from="2026-01-01",
        signed=(SignOff(team="sales", who="S", on="2026-01-01"),),
        disqualifiers=(Rule(name="a", when="false"), Rule(name="b", when="false")),
        thresholds=Thresholds(capacity_per_week=20),
    )
    new = next_criteria(old, Rule(name="a", when="true", says="why"))
    assert (new.version, new.valid_from, new.signed, new.note) == (4, None, (), "why")
    assert [(rule.name, rule.when) for rule in new.disqualifiers] == [("b", "false"), ("a", "true")]
    assert new.thresholds == old.thresholds
