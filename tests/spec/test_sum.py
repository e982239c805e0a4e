from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "missing values are skipped",
        """
        03-04 10:00  order  value=2.5
        03-05 10:00  order
        03-06 10:00  order  value=4
        """,
        6.5,
        of="value",
    ),
    Case(
        "adding goes by time, then event_id, so the last digit is fixed",
        """
        03-04 10:00  order  id=b  value=-1e16
        03-04 10:00  order  id=a  value=1e16
        03-04 10:00  order  id=c  value=1     # a, b, c: 1e16 - 1e16 + 1
        """,
        1,
        of="value",
    ),
    Case(
        "without a value it is 0",
        """
        03-04 10:00  order
        """,
        0,
        of="value",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_sum_adds_values(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("sum", engine, tmp_path)
