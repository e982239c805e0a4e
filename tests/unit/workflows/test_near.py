import pandas as pd
import pytest

from mqlml.criteria.ranking import Cut
from mqlml.criteria.settings import RankedList
from mqlml.workflows.near import list_limits


def scores(*leads):
    return pd.DataFrame(leads, columns=["probability", "outcome", "because"])


def cut(probability, *, used=0, listed=3, taken=2):
    return Cut(probability, 0, used, 0, listed, taken, 0)


FULL = scores(
    (0.9, "mql", "handed over on 2026-01-05, stays an MQL"),
    (0.6, "mql", "ranked 1st of 3 this week; capacity 2"),
    (0.5, "mql", "ranked 2nd of 3 this week; capacity 2"),
    (0.3, "warm", "ranked 3rd of 3 this week; capacity 2"),
    (0.2, "cold", "probability 20.0 % is below the least for the ranked list, 25.0 %"),
)


def test_a_full_list_is_entered_above_its_last_and_left_below_the_first_without_a_place():
    up, down = list_limits(FULL, cut(0.5), RankedList(most=2))
    assert up == pytest.approx(0.5)
    assert up > 0.5
    assert down == 0.3


def test_a_list_with_places_left_begins_and_ends_at_its_floor():
    up, down = list_limits(FULL[:3], cut(0.25, listed=2), RankedList(most=9))
    assert (up, down) == (pytest.approx(0.25), 0.25)


def test_nobody_enters_a_week_whose_places_were_all_taken_before():
    up, down = list_limits(FULL[3:], cut(0.3, used=2, listed=1, taken=0), RankedList(most=2))
    assert up > 1
    assert down == 0.3
