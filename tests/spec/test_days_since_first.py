from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "the first event inside the window is meant",
        """
        03-01 00:00  visit    # out
        03-04 06:00  visit
        03-09 00:00  visit
        """,
        5.75,
    ),
    Case(
        "with ever it is the first of all",
        """
        02-28 00:00  visit
        03-09 00:00  visit
        """,
        10,
        window_days="ever",
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_days_since_first_measures_from_the_first_event(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("days_since_first", engine, tmp_path)
