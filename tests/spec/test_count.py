from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "the window holds its beginning and not its end",
        """
        03-02 23:59  visit    # out: before the window
        03-03 00:00  visit    # in: exactly 7 days before as_of
        03-09 23:59  visit    # in
        03-10 00:00  visit    # out: exactly at as_of
        """,
        2,
    ),
    Case(
        "an event counts from its arrival, not from when it happened",
        """
        03-01 10:00  visit  arrives=03-04T10:00    # in: arrived inside the window
        03-08 10:00  visit  arrives=03-10T00:00    # out: not known yet at as_of
        03-08 11:00  visit  arrives=03-01T00:00    # in: a clock that runs behind changes nothing
        """,
        2,
    ),
    Case(
        "events at the same instant all count, bots never do",
        """
        03-08 10:00  visit
        03-08 10:00  visit
        03-08 10:00  visit  bot
        """,
        2,
    ),
    Case("without events it is 0", "", 0),
    Case(
        "ever goes back to the first event",
        """
        01-01 00:00  visit
        03-09 00:00  visit
        """,
        2,
        window_days="ever",
    ),
    Case(
        "half a day is a window of 12 hours",
        """
        03-09 11:59  visit    # out
        03-09 12:00  visit    # in
        """,
        1,
        window_days=0.5,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_count_counts_events(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("count", engine, tmp_path)
