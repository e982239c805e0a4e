from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "a value that comes again counts once, a missing one never",
        """
        03-04 10:00  visit  page=/a
        03-05 10:00  visit  page=/b
        03-06 10:00  visit  page=/a
        03-07 10:00  visit            # no page
        """,
        2,
        of="page",
    ),
    Case(
        "a value seen before the window counts anew inside",
        """
        03-01 10:00  visit  page=/a    # out
        03-04 10:00  visit  page=/a
        """,
        1,
        of="page",
    ),
    Case(
        "upper and lower case differ, an empty text is a value",
        """
        03-04 10:00  visit  page=/a
        03-05 10:00  visit  page=/A
        03-06 10:00  visit  page=
        """,
        3,
        of="page",
    ),
    Case("without events it is 0", "", 0, of="page"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_distinct_counts_different_values(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("distinct", engine, tmp_path)
