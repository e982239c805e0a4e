"""The three questions of the funnel, answered from stages: recent MQLs against those before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.modeling.metrics import wilson_interval
from mqlml.monitoring.evidence import Floats, Ints, micros_of

COLUMNS = ("question", "measure", "now", "low", "high", "before", "mqls", "mqls_before")
_RECENT = 13 * timeline.MICROS_PER_WEEK
_SOON = 28 * timeline.MICROS_PER_DAY


@dataclass(frozen=True)
class _Question:
    """What is asked, what is counted, which stages answer it and how long one waits."""

    asks: str
    counts: str
    stages: tuple[str, ...]
    wait: int


def funnel_questions(stages: pd.DataFrame, *, horizon: int, data_end: int) -> pd.DataFrame:
    """Return one row per question; no rows without a stage 'mql'.

    Only MQLs whose waiting time lies in the data are counted: `now` are those of the latest
    13 weeks among them, `before` all earlier ones. The interval is that of `now`, at 95 %.
    """
    entered = stages.assign(at=micros_of(stages["entered_at"])) if len(stages) else stages
    if not len(entered) or not (entered["stage"] == "mql").any():
        return pd.DataFrame(columns=list(COLUMNS))
    mql = _first(entered, ("mql",))
    questions = (
        _Question("Are MQLs turning into customers?", "became customers", ("customer",), horizon),
        _Question(
            "Are MQLs ready for outreach?",
            "accepted by sales within 28 days",
            ("sal", "sql", "opportunity", "customer"),
            _SOON,
        ),
        _Question(
            "Are too many unqualified leads getting through?",
            "disqualified within 28 days",
            ("disqualified",),
            _SOON,
        ),
    )
    rows = [_answer(entered, mql, question, data_end) for question in questions]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _first(entered: pd.DataFrame, stages: tuple[str, ...]) -> "pd.Series[int]":
    return entered.loc[entered["stage"].isin(stages)].groupby("lead_id")["at"].min()


def _answer(
    entered: pd.DataFrame, mql: "pd.Series[int]", question: _Question, data_end: int
) -> dict[str, object]:
    reached = _first(entered, question.stages).reindex(mql.index)
    at: Ints = np.asarray(mql, dtype=np.int64)
    then: Ints = np.asarray(reached.fillna(-1), dtype=np.int64)
    came: Floats = np.asarray(timeline.is_in_horizon(then, at, question.wait), dtype=np.float64)
    known = np.asarray(timeline.is_mature(at, question.wait, 0, data_end))
    recent = known & np.asarray(timeline.is_from(at, data_end - question.wait - _RECENT))
    before = known & ~recent
    now = float(came[recent].mean()) if recent.any() else float("nan")
    low, high = np.array([np.nan]), np.array([np.nan])
    if recent.any():
        low, high = wilson_interval(np.array([now]), np.array([float(recent.sum())]))
    earlier = float(came[before].mean()) if before.any() else float("nan")
    values = (question.asks, question.counts, now, float(low[0]), float(high[0]), earlier)
    return dict(zip(COLUMNS, (*values, int(recent.sum()), int(before.sum())), strict=True))
