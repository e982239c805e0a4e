from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "events per visit, where more than 30 minutes of silence begin a new one",
        """
        03-05 10:00  visit
        03-05 10:30  visit    # exactly 30 minutes: the same visit
        03-05 11:00  visit
        03-05 12:00  visit    # an hour later: the next
        """,
        2,
    ),
    Case(
        "what the window cuts off is not seen",
        """
        03-02 23:50  visit    # out
        03-03 00:10  visit    # so the visit begins here
        """,
        1,
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_mean_session_events_is_the_average_depth(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("mean_session_events", engine, tmp_path)
