from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "the longest visit counts",
        """
        03-05 10:00  visit
        03-05 10:20  visit
        03-06 10:00  visit
        03-06 10:30  visit
        03-06 11:00  visit    # an hour
        03-07 10:00  visit
        """,
        60,
    ),
    Case(
        "one event is a visit of 0 minutes",
        """
        03-05 10:00  visit
        """,
        0,
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_max_session_minutes_is_the_greatest_length(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("max_session_minutes", engine, tmp_path)
