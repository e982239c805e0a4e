from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "each event counts up to the cap",
        """
        03-05 10:00  visit  duration_s=90
        03-06 10:00  visit  duration_s=30
        03-07 10:00  visit  duration_s=28800    # a tab left open: 10 minutes
        """,
        12,
        cap_minutes=10,
    ),
    Case(
        "without a cap of its own it is 30 minutes",
        """
        03-05 10:00  visit  duration_s=3600
        """,
        30,
    ),
    Case(
        "a missing duration adds nothing, a negative one neither",
        """
        03-05 10:00  visit
        03-06 10:00  visit  duration_s=-60
        03-07 10:00  visit  duration_s=60
        """,
        1,
    ),
    Case("without events it is 0", "", 0),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_time_spent_adds_up_capped_minutes(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("time_spent", engine, tmp_path)
