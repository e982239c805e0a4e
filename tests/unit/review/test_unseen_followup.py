import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mqlml.review.unseen import unseen_reasons
from mqlml.review.unseen_followup import (
    EarlierReason,
    earlier_reasons,
    follow_reasons,
    kept_reason,
    read_reason,
)
from mqlml.review.verdicts import Judged

DAY = 86_400_000_000
THEN = EarlierReason("no_need", 300, 600, 0.51, 100 * DAY, ("attribute source",))


def judged(with_reason: int, rejections: int, *, tells: bool = False) -> Judged:
    """Return that many rejections, some for the reason, and 600 acceptances."""
    accepted = np.r_[np.zeros(rejections), np.ones(600)]
    is_so = np.arange(len(accepted)) < with_reason
    rng = np.random.default_rng(2)
    rows = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in range(len(accepted))],
            "accepted": accepted,
            "reason": np.where(is_so, "no_need", None),
        }
    )
    column = is_so + rng.normal(size=len(is_so)) if tells else rng.normal(size=len(is_so))
    return Judged(rows, pd.DataFrame({"size": column}), pd.DataFrame(), 0)


def answered(found: Judged) -> Callable[[int], Judged]:
    return {THEN.until: found}.__getitem__


@pytest.mark.parametrize(
    ("now", "state", "is_settled"),
    [
        (judged(300, 600), "still no column tells", False),
        (judged(300, 600, tells=True), "columns tell now", True),
        (judged(60, 600), "rarer", True),
        (judged(40, 80), "too few verdicts yet", False),
        (judged(0, 0), "too few verdicts yet", False),
    ],
)
def test_what_became_of_a_reason_is_told_by_newer_verdicts(
    now: Judged, state: str, is_settled: bool
) -> None:
    (one,) = follow_reasons([THEN], answered(now), THEN.topics)
    assert (one.state, one.is_settled) == (state, is_settled)
    assert one.rejections == int((now.rows["accepted"] == 0).sum())


def test_what_the_model_newly_looks_at_is_named() -> None:
    topics = ("attribute source", "attribute budget", "signal demo")
    (one,) = follow_reasons([THEN], answered(judged(300, 600)), topics)
    assert one.added == ("attribute budget", "signal demo")
    assert one.sentence.startswith("reason 'no need': still no column tells (ROC-AUC 0.51 then, 0.")
    assert one.sentence.endswith(
        "50 % of rejections then, 50 % now; the model newly looks at attribute budget, signal demo"
    )


def test_a_reason_nobody_gives_any_more_has_no_area() -> None:
    (one,) = follow_reasons([THEN], answered(judged(0, 600)), ())
    assert one.state == "rarer"
    assert math.isnan(one.roc_auc)
    assert one.document()["now"] == {"verdicts": 0, "rejections": 600, "roc_auc": None}
    assert one.sentence.endswith("then, 0 % now; the model looks at nothing new")


def test_a_review_keeps_the_reasons_that_no_column_tells() -> None:
    blind = unseen_reasons(judged(300, 600))
    (kept,) = earlier_reasons(blind, 600, ["attribute source"], THEN.until)
    assert (kept.reason, kept.verdicts, kept.rejections) == ("no_need", 300, 600)
    assert read_reason(kept_reason(kept)) == kept
    told = unseen_reasons(judged(300, 600, tells=True))
    assert earlier_reasons(told, 600, [], THEN.until) == ()
    assert earlier_reasons(pd.DataFrame(), 0, [], THEN.until) == ()
