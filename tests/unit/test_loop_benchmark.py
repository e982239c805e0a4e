"""The benchmark of the loop on one company: every figure it promises comes out."""

import numpy as np
import pytest
from benchmarks.loop import GOALS, PARTS, measured
from benchmarks.loop_world import HORIZON_WEEKS, draw_leads, make_world


@pytest.mark.parametrize("part", ["equal", "rollback"])
def test_a_part_gives_rows_that_the_table_knows(part: str) -> None:
    rows = measured(1, 0, "a command", only=part)
    assert rows
    assert all(row["name"] in GOALS and 0 <= row["value"] <= 1 for row in rows)
    assert set(PARTS) >= {"young", "change", "still", "equal", "rollback", "false"}


def test_what_is_known_of_a_lead_grows_with_its_age() -> None:
    rng = np.random.default_rng(0)
    world = make_world(rng)
    leads = draw_leads(world, rng, first_week=0, weeks=2, is_changed=False)
    at_once, later = leads.known_at(world, 0.0), leads.known_at(world, 2 + HORIZON_WEEKS)
    assert (at_once.came.sum(), at_once.known_share.max()) == (0, 0)
    assert later.came.tolist() == leads.label.tolist()
    assert later.known_share.tolist() == [1.0] * len(leads.label)
