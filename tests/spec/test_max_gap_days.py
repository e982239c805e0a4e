from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "the longest break counts, wherever it lies",
        """
        03-03 00:00  visit
        03-07 12:00  visit    # 4.5 days later
        03-08 00:00  visit    # half a day later
        """,
        4.5,
    ),
    Case(
        "the time from the last event to as_of is no break",
        """
        03-03 00:00  visit
        03-03 06:00  visit    # nothing since
        """,
        0.25,
    ),
    Case(
        "only events at one instant give 0",
        """
        03-05 10:00  visit
        03-05 10:00  visit
        """,
        0,
    ),
    Case(
        "one event has no break",
        """
        03-01 00:00  visit    # out
        03-05 00:00  visit
        """,
        None,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_max_gap_days_is_the_longest_break(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("max_gap_days", engine, tmp_path)
