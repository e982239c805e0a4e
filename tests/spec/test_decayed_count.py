from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "an event weighs half after one half-life, a quarter after two",
        """
        03-03 00:00  visit    # 7 days old: 1/2
        02-24 00:00  visit    # 14 days old: 1/4
        """,
        0.75,
        window_days="ever",
        half_life_days=7,
    ),
    Case(
        "two events at the same instant weigh twice",
        """
        03-08 00:00  visit
        03-08 00:00  visit
        """,
        1.0,
        half_life_days=2,
    ),
    Case(
        "events before the window weigh nothing",
        """
        03-01 00:00  visit    # out
        03-09 00:00  visit    # 1 day old: 1/2
        """,
        0.5,
        half_life_days=1,
    ),
    Case("without events it is 0", "", 0, half_life_days=7),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_decayed_count_fades_with_age(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("decayed_count", engine, tmp_path)
