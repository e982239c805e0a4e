import numpy as np
import pandas as pd
import pytest

from mqlml.review.reps import rep_agreement, rep_strictness
from mqlml.review.verdicts import Judged


def judged(rows: pd.DataFrame) -> Judged:
    filled = {"reason": None, "grade": "A1", "probability": 0.5, "given_at": 0} | dict(rows)
    return Judged(pd.DataFrame(filled), pd.DataFrame(index=rows.index), pd.DataFrame(), 0)


def test_a_rep_who_gets_the_worse_leads_is_not_strict() -> None:
    rng = np.random.default_rng(1)
    who = rng.choice(["bad leads", "good leads", "strict"], 3000)
    score = rng.normal(size=3000) + np.where(who == "bad leads", -1.0, 0.5)
    view = score - 1.0 * (who == "strict")
    accepted = (rng.random(3000) < 1 / (1 + np.exp(-view))).astype(float)
    rows = pd.DataFrame(
        {
            "lead_id": [f"{i}" for i in range(3000)],
            "who": who,
            "accepted": accepted,
            "probability": 1 / (1 + np.exp(-score)),
        }
    )
    found = rep_strictness(judged(rows)).set_index("group")
    assert found.index[0] == "strict"
    # One rep accepts a log-odds of 1 less than two others: 2/3 beyond the mean of all three.
    assert found.loc["strict", "low"] < 2 / 3 < found.loc["strict", "high"]
    assert found.loc["bad leads", "low"] < -1 / 3 < found.loc["bad leads", "high"]
    assert found["strictness"].sum() == pytest.approx(0.0)


def test_without_variety_nobody_is_strict() -> None:
    rows = pd.DataFrame({"lead_id": ["a", "b"], "who": ["r", "s"], "accepted": [1.0, 1.0]})
    assert rep_strictness(judged(rows)).empty


def test_one_rep_alone_is_no_stricter_than_anybody() -> None:
    rows = pd.DataFrame({"lead_id": ["a", "b"], "who": ["r", "r"], "accepted": [1.0, 0.0]})
    assert rep_strictness(judged(rows)).empty


def test_agreement_counts_pairs_of_reps_on_the_same_lead() -> None:
    rows = pd.DataFrame(
        {
            "lead_id": ["a", "a", "b", "b", "c", "c", "c", "d"],
            "who": ["r", "s", "r", "s", "r", "s", "t", "r"],
            "accepted": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        }
    )
    found = rep_agreement(judged(rows))
    # a: one pair agrees, b: one does not, c: three agree; d was seen by one rep.
    assert (found.pairs, found.agreeing) == (5, 4)
    # 3 of 7 accept: by chance (3/7)² + (4/7)² = 25/49 agree.
    assert found.kappa == pytest.approx((4 / 5 - 25 / 49) / (1 - 25 / 49))


def test_a_change_of_mind_is_no_disagreement() -> None:
    rows = pd.DataFrame({"lead_id": ["a", "a"], "who": ["r", "r"], "accepted": [1.0, 0.0]})
    found = rep_agreement(judged(rows))
    assert found.pairs == 0
    assert np.isnan(found.kappa)


def test_reps_who_accept_all_agree_without_a_kappa() -> None:
    rows = pd.DataFrame({"lead_id": ["a", "a"], "who": ["r", "s"], "accepted": [1.0, 1.0]})
    found = rep_agreement(judged(rows))
    assert (found.pairs, found.agreeing) == (1, 1)
    assert np.isnan(found.kappa)
