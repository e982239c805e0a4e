from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "an older value stays the latest when newer events have none",
        """
        03-04 10:00  order  value=1
        03-05 10:00  order  value=2
        03-06 10:00  order
        """,
        2,
        of="value",
    ),
    Case(
        "at the same instant the greatest event_id is the latest",
        """
        03-05 10:00  order  id=b  value=20
        03-05 10:00  order  id=a  value=10
        """,
        20,
        of="value",
    ),
    Case(
        "a value from before the window is not looked for",
        """
        03-01 10:00  order  value=7
        03-05 10:00  order
        """,
        None,
        of="value",
    ),
    Case(
        "the latest to arrive is the latest",
        """
        03-04 10:00  order  value=1  arrives=03-08T00:00
        03-05 10:00  order  value=2
        """,
        1,
        of="value",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_last_value_finds_the_latest_value(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("last_value", engine, tmp_path)
