from pathlib import Path

import numpy as np
import pytest
from tests.builders import make_points, make_tables

from mqlml.dataset.routes import handed_over, routes_of, stand_in_weights
from mqlml.timeline import MICROS_PER_DAY

WEEK = 7 * MICROS_PER_DAY
LEADS = [{"lead_id": name, "created_at": "2026-01-01"} for name in ("ann", "bob", "cy")]


def test_a_handover_before_the_point_counts_and_one_at_it_only_within_the_days_after(
    tmp_path: Path,
) -> None:
    tables = make_tables(
        tmp_path, leads=LEADS, handovers=[{"lead_id": "ann", "at": "2026-01-10", "route": "scored"}]
    )
    days = ("2026-01-02", "2026-01-03", "2026-01-10", "2026-01-11", "2026-03-01")
    points = make_points(*(("ann", day) for day in days), ("bob", "2026-01-11"))
    # Seven days from 3 January end with the 9th: what happens on the 10th is a day too late.
    assert handed_over(tables, points, within=WEEK).tolist() == [0, 0, 1, 1, 1, 0]
    assert handed_over(tables, points, within=0).tolist() == [0, 0, 0, 1, 1, 0]
    later = make_points(("ann", "2026-01-04"))
    assert handed_over(tables, later, within=WEEK).tolist() == [1]


def test_a_hand_that_is_raised_after_the_point_is_not_known_at_it(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "bob", "at": "2026-01-10", "route": "hand_raiser"},
        {"lead_id": "cy", "at": "2026-01-10", "route": None},
    ]
    tables = make_tables(tmp_path, leads=LEADS, handovers=rows)
    points = make_points(("bob", "2026-01-09"), ("bob", "2026-01-11"), ("cy", "2026-01-09"))
    found = routes_of(tables, points, within=WEEK).tolist()
    assert found == ["", "hand_raiser", "scored"]


def test_two_explored_leads_stand_for_the_eight_that_could_have_been_drawn() -> None:
    routes = np.array(["explored", "", "scored", "explored", *[""] * 5, "hand_raiser"], object)
    weights = stand_in_weights(routes)
    assert weights.tolist() == [4, 0, 1, 4, 0, 0, 0, 0, 0, 1]
    assert weights.sum() == len(routes)
    assert stand_in_weights(np.array(["scored", ""], object)).tolist() == [0, 0]


@pytest.mark.parametrize("days", [0, 7])
def test_without_handovers_nobody_was_handed_over(tmp_path: Path, days: int) -> None:
    points = make_points(("ann", "2026-01-02"))
    found = handed_over(make_tables(tmp_path, leads=LEADS), points, within=days * MICROS_PER_DAY)
    assert found.tolist() == [0]
