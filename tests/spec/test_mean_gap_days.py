from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "it is the time from the first to the last event over the number of breaks",
        """
        03-03 00:00  visit
        03-04 00:00  visit    # 1 day later
        03-08 12:00  visit    # 4.5 days later
        """,
        2.75,
    ),
    Case(
        "events at the same instant have a break of 0 between them",
        """
        03-05 00:00  visit
        03-05 00:00  visit
        03-07 00:00  visit
        """,
        1,
    ),
    Case(
        "events before the window do not lengthen a break",
        """
        02-01 00:00  visit    # out
        03-04 00:00  visit
        03-05 12:00  visit
        """,
        1.5,
    ),
    Case(
        "one event has no break",
        """
        03-05 00:00  visit
        """,
        None,
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_mean_gap_days_is_the_average_break(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("mean_gap_days", engine, tmp_path)
