from pathlib import Path

import numpy as np
import pytest
from tests.builders import make_points, make_tables

from mqlml.dataset.acceptance import accepted_within, with_acceptance
from mqlml.dataset.settings import TargetSettings

TARGET = TargetSettings(stage="customer", horizon_days=10)
LEADS = [{"lead_id": one, "created_at": "2026-01-01"} for one in ("ann", "bob")]


def verdict(lead: str, when: str, said: str, **more: str) -> dict[str, str]:
    return {"lead_id": lead, "given_at": when, "verdict": said, **more}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([verdict("ann", "2026-02-01", "accepted")], 1.0),  # at the very as_of
        ([verdict("ann", "2026-02-10 23:59", "rejected")], 0.0),
        ([verdict("ann", "2026-02-11", "accepted")], np.nan),  # the horizon is over
        ([verdict("ann", "2026-01-31 23:59", "accepted")], np.nan),  # said before
        ([verdict("bob", "2026-02-02", "accepted")], np.nan),  # of another lead
        (
            [
                verdict("ann", "2026-02-03", "rejected", reason="unreachable"),
                verdict("ann", "2026-02-04", "accepted"),
                verdict("ann", "2026-02-05", "rejected"),
            ],
            1.0,
        ),
        (
            [
                verdict("ann", "2026-02-03", "accepted", who="a"),
                verdict("ann", "2026-02-03", "rejected", who="b"),
            ],
            0.0,
        ),
        ([], np.nan),
    ],
)
def test_the_first_verdict_within_the_horizon_is_the_second_target(
    tmp_path: Path, verdicts: list[dict[str, str]], expected: float
) -> None:
    tables = make_tables(tmp_path, leads=LEADS, verdicts=verdicts)
    found = accepted_within(tables, make_points(("ann", "2026-02-01")), TARGET)
    np.testing.assert_array_equal(found, [expected])


def test_each_point_has_its_own_answer_whatever_the_order(tmp_path: Path) -> None:
    said = [verdict("ann", "2026-02-12", "rejected"), verdict("bob", "2026-02-02", "accepted")]
    tables = make_tables(tmp_path, leads=LEADS, verdicts=said)
    points = make_points(("ann", "2026-02-05"), ("bob", "2026-02-01"), ("ann", "2026-02-01"))
    with_it = with_acceptance(points, tables, TARGET)
    np.testing.assert_array_equal(with_it["accepted"], [0.0, 1.0, np.nan])


def test_without_a_horizon_nothing_is_known(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, verdicts=[verdict("ann", "2026-02-01", "accepted")])
    flat = TargetSettings(stage="outcome")
    assert np.isnan(accepted_within(tables, make_points(("ann", "2026-02-01")), flat)).all()
