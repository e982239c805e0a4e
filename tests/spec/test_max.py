from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "only values inside the window are compared",
        """
        03-01 10:00  order  value=9     # out
        03-04 10:00  order  value=-2
        03-05 10:00  order
        03-06 10:00  order  value=-5
        """,
        -2,
        of="value",
    ),
    Case("without events it is missing", "", None, of="value"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_max_finds_the_largest_value(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("max", engine, tmp_path)
