import numpy as np
import pandas as pd

from mqlml.review.unseen import unseen_reasons, unseen_sentences
from mqlml.review.verdicts import Judged


def judged(rows: int = 4000, *, size_tells: float = 0.0, share: float = 0.3) -> Judged:
    """Return verdicts with a reason 'no_budget' that follows the company's size, or nothing."""
    rng = np.random.default_rng(1)
    size = rng.normal(size=rows)
    view = np.log(share / (1 - share)) - size_tells * size
    is_poor = rng.random(rows) < 1 / (1 + np.exp(-view))
    matrix = pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, np.nan, size),
            "country": pd.Series(rng.choice(["de", "fr"], rows), dtype="str"),
            "nothing": np.full(rows, np.nan),
        }
    )
    frame = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in range(rows)],
            "accepted": np.where(is_poor, 0.0, 1.0),
            "reason": np.where(is_poor, "no_budget", None),
            "who": "r",
            "probability": 0.5,
            "grade": "A1",
        }
    )
    return Judged(frame, matrix, pd.DataFrame(columns=["verdict", "reason"]), 0)


def test_a_reason_that_no_column_tells_is_named() -> None:
    found = unseen_reasons(judged())
    assert list(found["class"]) == ["no column tells"]
    assert list(found["share"]) == [1.0]
    assert unseen_sentences(found)[0].startswith(
        "100% of rejections say 'no budget', and the model has no column that tells them"
    )


def test_a_reason_that_follows_a_column_is_told_by_the_columns() -> None:
    found = unseen_reasons(judged(size_tells=1.0))
    assert list(found["class"]) == ["columns tell"]
    assert unseen_sentences(found) == ()
    # Of two leads whose sizes differ as normal numbers do, the smaller is the poorer in about 3/4.
    assert 0.68 < found["roc_auc"].iloc[0] < 0.80


def test_below_fifty_rejections_a_reason_is_not_asked_about() -> None:
    assert unseen_reasons(judged(150, share=0.2)).empty


def test_a_reason_that_all_have_tells_nothing() -> None:
    base = judged(200)
    rows = base.rows.assign(accepted=0.0, reason="no_budget")
    everybody = Judged(rows, base.matrix, base.procedural, 0)
    assert list(unseen_reasons(everybody)["class"]) == ["too few verdicts"]
