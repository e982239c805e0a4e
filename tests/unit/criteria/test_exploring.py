"""Places that chance fills: how many, whom, and that nobody can tell beforehand."""

import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.exploring import drawn_leads, explored_places
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.ranking import Listing, cut_list, nobody_handed
from mqlml.criteria.settings import Criteria, RankedList, Thresholds

MONDAY, WEEK = 4 * 86_400_000_000, 7 * 86_400_000_000
LEADS = pd.DataFrame(
    {
        "lead_id": [f"lead {i}" for i in range(200)],
        "probability": np.linspace(0.9, 0.1, 200),
        "outcome": ["mql"] * 190 + ["disqualified"] * 10,
        "because": "by rule",
    }
)


def cut(share: float, start: int = MONDAY, leads: pd.DataFrame = LEADS, floor: float = 0.0):
    rule = RankedList(most=20, explored_share=share)
    return cut_list(leads, Listing(rule, floor, 0.5, start, "UTC", nobody_handed()))


def test_a_tenth_of_twenty_places_goes_to_leads_that_the_list_leaves_out() -> None:
    decided, how = cut(0.1)
    taken = np.flatnonzero(decided["outcome"] == "mql")
    # The best eighteen, and two by chance; the cut is that of the eighteenth.
    assert taken[:18].tolist() == list(range(18))
    assert len(taken) == how.taken == 20
    assert how.explored == 2
    assert how.probability == LEADS["probability"][17]
    drawn = taken[18:]
    assert (drawn >= 18).all()
    assert (drawn < 190).all()
    assert decided["because"][drawn].str.startswith("explored: drawn by chance").all()


def test_chance_gives_the_same_again_and_other_leads_in_another_week() -> None:
    decided, _ = cut(0.5)
    shuffled = LEADS.sample(frac=1.0, random_state=2)
    again, _ = cut(0.5, leads=shuffled)
    assert again["outcome"].sort_index().tolist() == decided["outcome"].tolist()
    later, _ = cut(0.5, start=MONDAY + WEEK)
    assert later["outcome"].tolist() != decided["outcome"].tolist()


def test_leads_below_the_lists_floor_are_explored_too() -> None:
    decided, how = cut(0.1, floor=0.95)
    assert (how.listed, how.taken, how.explored) == (0, 2, 2)
    assert (decided["outcome"] == "mql").sum() == 2


def test_without_a_share_nothing_is_left_to_chance() -> None:
    decided, how = cut(0.0)
    assert how.explored == 0
    assert np.flatnonzero(decided["outcome"] == "mql").tolist() == list(range(20))


def test_a_share_of_few_places_is_kept_over_many_weeks() -> None:
    counts = [explored_places(5, 0.05, start=MONDAY + i * WEEK) for i in range(2_000)]
    assert set(counts) == {0, 1}
    assert np.mean(counts) == pytest.approx(0.25, abs=0.03)


def test_every_lead_is_drawn_equally_often() -> None:
    rows = np.arange(10)
    ids = [f"lead {i}" for i in rows]
    drawn = [drawn_leads(ids, rows, 2, start=i) for i in range(3_000)]
    # 3,000 × 2 of 10: 600 each, give or take 22.
    assert np.bincount(np.concatenate(drawn), minlength=10) == pytest.approx(600, abs=90)


def test_a_share_is_part_of_what_is_signed_and_saying_nothing_of_it_changes_no_signature() -> None:
    def criteria(**rule: float) -> Criteria:
        ranked = RankedList.model_validate({"most": 40} | rule)
        return Criteria(version=3, thresholds=Thresholds(ranked=ranked))

    assert criteria_digest(criteria(explored_share=0.0)) == criteria_digest(criteria())
    # Of a release that knew no share.
    assert criteria_digest(criteria()) == "262de05190d72153"
    assert criteria_digest(criteria(explored_share=0.05)) != criteria_digest(criteria())
    (sentence,) = criteria_changes(criteria(), criteria(explored_share=0.05))
    assert sentence.endswith("staying from 0 of the cut, 5% of the places by chance)")
