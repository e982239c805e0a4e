from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "a pause of 30 minutes goes on, a longer one begins a new visit",
        """
        03-05 10:00  visit
        03-05 10:30  visit    # exactly 30 minutes: the same visit
        03-05 11:01  visit    # 31 minutes: a new one
        """,
        2,
    ),
    Case(
        "a visit may pass midnight",
        """
        03-05 23:50  visit
        03-06 00:10  visit
        """,
        1,
    ),
    Case(
        "a visit that began before the window counts when it goes on inside",
        """
        03-02 23:50  visit    # out
        03-03 00:10  visit    # in: the first event inside begins a visit
        """,
        1,
    ),
    Case("without events it is 0", "", 0),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_sessions_counts_visits(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("sessions", engine, tmp_path)
