from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "counts of 1, 2, 3 grow by one event a week",
        """
        02-18 00:00  visit    # the oldest week: 1
        02-25 00:00  visit    # the middle week: 2
        02-26 00:00  visit
        03-04 00:00  visit    # the latest week: 3
        03-05 00:00  visit
        03-06 00:00  visit
        """,
        1,
        window_days=21,
    ),
    Case(
        "fewer events each week give a negative slope",
        """
        02-25 00:00  visit
        02-26 00:00  visit
        """,
        -2,
        window_days=14,
    ),
    Case(
        "an incomplete oldest week is left out",
        """
        02-23 00:00  visit    # in the window of 16 days, before its two whole weeks
        03-09 00:00  visit
        """,
        1,
        window_days=16,
    ),
    Case("without events it is 0", "", 0, window_days=28),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_weekly_slope_measures_growth(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("weekly_slope", engine, tmp_path)
