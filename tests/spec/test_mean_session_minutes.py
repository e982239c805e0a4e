from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "a visit lasts from its first to its last event; a single event lasts 0",
        """
        03-05 10:00  visit
        03-05 10:20  visit
        03-05 10:45  visit    # 45 minutes
        03-06 10:00  visit    # 0 minutes
        """,
        22.5,
    ),
    Case(
        "silence between visits is not counted",
        """
        03-05 10:00  visit
        03-05 10:31  visit    # 31 minutes later: two visits of 0 minutes
        """,
        0,
    ),
    Case("without events it is missing", "", None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_mean_session_minutes_is_the_average_length(
    case: Case, engine: Compute, tmp_path: Path
) -> None:
    case.check("mean_session_minutes", engine, tmp_path)
