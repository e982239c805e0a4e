from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "missing values are not counted",
        """
        03-04 10:00  order  value=2
        03-05 10:00  order
        03-06 10:00  order  value=5
        """,
        3.5,
        of="value",
    ),
    Case(
        "without a value it is missing",
        """
        03-04 10:00  order
        """,
        None,
        of="value",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_mean_averages_values(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("mean", engine, tmp_path)
