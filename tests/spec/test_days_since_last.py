from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "fractions of days count",
        """
        03-01 00:00  visit
        03-08 12:00  visit    # a day and a half before as_of
        """,
        1.5,
    ),
    Case(
        "what has not arrived is not the last",
        """
        03-07 00:00  visit
        03-09 00:00  visit  arrives=03-12T00:00
        """,
        3,
    ),
    Case(
        "events before the window are not looked for",
        """
        03-02 00:00  visit
        """,
        None,
    ),
    Case(
        "an event at as_of is not seen",
        """
        03-10 00:00  visit
        """,
        None,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_days_since_last_measures_from_the_latest_event(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("days_since_last", engine, tmp_path)
