from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "weeks are blocks of 7 days backwards from as_of; a week without events ends the streak",
        """
        03-09 23:59  visit    # block 0: [03-03, 03-10)
        03-01 12:00  visit    # block 1: [02-24, 03-03)
        02-10 12:00  visit    # block 3: block 2 is empty
        """,
        2,
        window_days="ever",
    ),
    Case(
        "an event exactly 7 days before is still in the latest week",
        """
        03-03 00:00  visit
        """,
        1,
        window_days="ever",
    ),
    Case(
        "a lead that was silent this week has no streak",
        """
        03-02 23:59  visit
        02-20 00:00  visit
        """,
        0,
        window_days="ever",
    ),
    Case(
        "the window cuts the streak",
        """
        03-09 00:00  visit
        03-02 00:00  visit
        02-23 00:00  visit    # out: 15 days ago
        """,
        2,
        window_days=14,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_active_weeks_streak_counts_weeks_in_a_row(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("active_weeks_streak", engine, tmp_path)
