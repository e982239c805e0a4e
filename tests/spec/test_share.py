from pathlib import Path

import pytest
from tests.spec.drawing import Case, Compute

CASES = (
    Case(
        "it is the part of the events of `among` that are of the signal",
        """
        03-04 10:00  click
        03-05 10:00  visit
        03-06 10:00  visit
        03-07 10:00  visit
        """,
        0.25,
        signal="type = 'click'",
    ),
    Case(
        "events of the signal that are none of `among` do not count",
        """
        03-04 10:00  click  page=/a
        03-05 10:00  click  page=/b    # not among visits of /a
        03-06 10:00  visit  page=/a
        """,
        0.5,
        signal="type = 'click'",
        among="page = '/a'",
    ),
    Case(
        "none of the signal is a share of 0",
        """
        03-06 10:00  visit
        """,
        0,
        signal="type = 'click'",
    ),
    Case(
        "without events of `among` in the window it is missing",
        """
        02-06 10:00  visit    # out
        """,
        None,
        signal="type = 'click'",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_share_is_a_part_of_another_signal(case: Case, engine: Compute, tmp_path: Path) -> None:
    case.check("share", engine, tmp_path)
