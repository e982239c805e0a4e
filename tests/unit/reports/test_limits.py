import math

import pandas as pd
from tests.report_facts import training_facts

from mqlml.reports.limits import limits_of
from mqlml.reports.training import training_page

NAMES = ["kind", "group", "rows", "expected", "observed", "ratio", "low", "high"]


def test_limits_name_the_groups_in_which_the_promise_was_broken_or_not_checked() -> None:
    rows = [
        ("band", "Cold", 100, 20.0, 10, 0.5, 0.2, 0.8),
        ("origin", "mail", 100, 20.0, 30, 1.5, 1.1, 1.9),
        ("origin", "fair", 9, 2.0, 4, 2.0, math.nan, math.nan),
        ("month", "2026-01", 100, 20.0, 21, 1.05, 0.8, 1.3),
    ]
    facts = training_facts(reliability=pd.DataFrame(rows, columns=NAMES))
    said = limits_of(facts)
    assert "On the test fewer converted than promised: Cold (band)." in said
    assert "On the test more converted than promised: mail (origin)." in said
    assert "Too few conversions to check the promise: fair (origin)." in said
    assert not any("2026-01" in sentence for sentence in said)


def test_a_persona_that_is_ranked_by_chance_is_named() -> None:
    personas = pd.DataFrame({"persona": ["student", "manager"], "roc_auc": [0.52, 0.7]})
    full = (
        training_facts()
        .personas.head(2)
        .assign(persona=personas["persona"].to_numpy(), roc_auc=personas["roc_auc"].to_numpy())
    )
    said = [s for s in limits_of(training_facts(personas=full)) if "the persona" in s]
    assert said == [
        (
            "Within the persona student it ranks hardly better than chance (ROC-AUC 0.520): "
            "treat its leads alike."
        )
    ]


def test_the_page_says_what_a_model_is_not_for() -> None:
    page = training_page(training_facts())
    assert "no price, credit, insurance" in page
    assert "within 90 days, and nothing of later" in page


def test_without_dates_and_groups_only_the_uses_it_is_not_for_are_left() -> None:
    facts = training_facts()
    target = facts.target.__class__(stage="outcome", points="once")
    none = {"reliability": pd.DataFrame(), "personas": pd.DataFrame(), "sensitive": None}
    bare = training_facts(target=target, **none)
    assert limits_of(bare) == ()
