from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "days are those of UTC",
        """
        03-05 00:00  visit
        03-05 23:59  visit    # the same day
        03-06 00:00  visit    # the next
        """,
        2,
    ),
    Case(
        "a day counts by when its events count from",
        """
        03-04 10:00  visit  arrives=03-06T08:00
        03-05 10:00  visit  arrives=03-06T09:00    # both count from 6 March
        """,
        1,
    ),
    Case(
        "a day cut by the window's beginning still counts",
        """
        03-03 01:00  visit    # out: the window begins at noon
        03-03 13:00  visit
        """,
        1,
        as_of="2026-03-10 12:00",
    ),
    Case("without events it is 0", "", 0),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_active_days_counts_days(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("active_days", engine, tmp_path)
