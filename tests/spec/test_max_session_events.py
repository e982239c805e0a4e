from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "the deepest visit counts",
        """
        03-05 10:00  visit
        03-06 10:00  visit
        03-06 10:01  visit
        03-06 10:01  visit    # at the same instant, and counted
        03-07 10:00  visit
        """,
        3,
    ),
    Case(
        "a visit that goes on past as_of is counted up to there",
        """
        03-09 23:50  visit
        03-10 00:00  visit    # not seen
        """,
        1,
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_max_session_events_is_the_greatest_depth(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("max_session_events", engine, tmp_path)
