"""Groups by what leads are: found where they are planted, and told by rules that hold for them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.modeling.persona_rules import (
    MISSING,
    REST,
    Among,
    Between,
    named,
    roundest,
    sql_of,
    words_of,
)
from mqlml.modeling.persona_tree import learn_groups
from mqlml.tables.expressions import evaluate

LEADS = 1_200


def people(seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    size = np.round(draw.lognormal(4, 1, LEADS))
    return pd.DataFrame(
        {
            "industry": draw.choice(["Steel", "Software", "Retail", "O'Neill's"], LEADS),
            "Team size": np.where(draw.random(LEADS) < 0.1, np.nan, size),
            "region": pd.Series(draw.choice(["north", "south", None], LEADS), dtype="str"),
        }
    )


def halves() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return two folds that look forward."""
    rows = np.arange(LEADS)
    return [(rows[:400], rows[400:800]), (rows[:800], rows[800:])]


def habits(attributes: pd.DataFrame, seed: int) -> np.ndarray:
    """Return habits by which software, steel in large teams, and all others differ."""
    draw = np.random.default_rng(seed)
    is_soft = attributes["industry"] == "Software"
    is_large = (attributes["industry"] == "Steel") & (attributes["Team size"] > 60)
    means = np.column_stack([2.0 * is_soft, 2.0 * is_large, 0.0 * is_soft])
    return means + draw.normal(size=means.shape)


def test_planted_groups_are_found() -> None:
    attributes = people(1)
    groups = learn_groups(attributes, habits(attributes, 2), halves())
    rules = {sql_of(conditions) for conditions in groups.conditions}
    assert "industry = 'Software'" in rules
    assert any(rule.startswith("industry = 'Steel'") for rule in rules)
    assert [one.groups for one in groups.explained] == [2, 3, 4, 5, 6]
    assert max(one.share for one in groups.explained) > 0.2


def test_a_bound_between_numbers_is_one_that_people_say() -> None:
    attributes = people(1)[["Team size"]].fillna(10.0)
    is_large = (attributes["Team size"] > 60).to_numpy(np.float64)
    groups = learn_groups(attributes, is_large[:, None], halves(), groups=2)
    assert {sql_of(c) for c in groups.conditions} == {'"Team size" <= 60', '"Team size" > 60'}


def test_leads_that_do_the_same_whatever_they_are_have_no_groups() -> None:
    noise = np.random.default_rng(3).normal(size=(LEADS, 4))
    groups = learn_groups(people(1), noise, halves())
    assert groups.conditions == ()
    assert set(groups.group_of) == {0}


def test_a_number_of_groups_that_is_asked_for_is_given_all_the_same() -> None:
    noise = np.random.default_rng(3).normal(size=(LEADS, 4))
    assert len(learn_groups(people(1), noise, halves(), groups=3).conditions) == 3


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), groups=st.integers(2, 6))
def test_each_lead_is_of_the_one_group_whose_rule_holds_for_it(seed: int, groups: int) -> None:
    attributes = people(seed)
    behaviour = np.random.default_rng(seed).normal(size=(LEADS, 3))
    behaviour[:, 0] += attributes["region"].isna() + (attributes["Team size"].fillna(0) > 90)
    found = learn_groups(attributes, behaviour, halves(), groups=groups)
    rules = {str(number): sql_of(c) for number, c in enumerate(found.conditions)}
    held = evaluate(attributes, rules).to_numpy(bool)
    assert held.sum(axis=1).tolist() == [1] * LEADS
    assert held.argmax(axis=1).tolist() == found.group_of.tolist()


@pytest.mark.parametrize(
    ("condition", "sql", "words"),
    [
        (Between("size", low=50.0), "size > 50", "size above 50"),
        (Between("size", high=0.5, filled=3.0), "coalesce(size, 3) <= 0.5", "size up to 0.5"),
        (
            Between("size", 50.0, 500.0),
            "size > 50 AND size <= 500",
            "size above 50 and up to 500",
        ),
        (
            Among("industry", ("Steel", "O'Neill's"), (REST,)),
            "industry IN ('Steel', 'O''Neill''s')",
            "industry Steel or O'Neill's",
        ),
        (
            Among("industry", ("Steel", MISSING), (REST,)),
            "(industry = 'Steel' OR industry IS NULL)",
            "industry Steel or unknown",
        ),
        (
            Among("industry", (REST, MISSING), ("Steel",)),
            "(industry <> 'Steel' OR industry IS NULL)",
            "industry not Steel",
        ),
        (
            Among("industry", ("Steel", "Retail"), ("Software",)),
            "industry <> 'Software'",
            "industry not Software",
        ),
        (Among("industry", (MISSING,), (REST,)), "industry IS NULL", "industry unknown"),
        (Among("industry", (REST,), (MISSING,)), "industry IS NOT NULL", "industry not unknown"),
    ],
)
def test_a_condition_is_told_in_sql_and_in_words(condition, sql: str, words: str) -> None:
    assert sql_of([condition]) == sql
    assert words_of([condition]) == words


def test_a_column_of_any_name_can_be_asked_for() -> None:
    assert named('Team "size"') == '"Team ""size"""'


@given(low=st.floats(-1e9, 1e9), gap=st.floats(1e-6, 1e6))
def test_a_round_bound_splits_as_the_exact_one(low: float, gap: float) -> None:
    high = low + gap
    assert high <= low or low <= roundest(low, high) < high
