"""What monitoring looks at, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.features.plan import Plan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal[
    "prior",
    "concept",
    "covariate",
    "definition",
    "sales_cycle",
    "selection",
    "instrumentation",
    "bots",
]


@dataclass(frozen=True)
class ScoredHistory:
    """Leads as the champion scored them week by week, and what became of them.

    Args:
        scores: lead_id, as_of (microseconds), probability, fit_part,
            engagement_part; written scores, or the champion's scores of past points.
        matrix: the features behind the scores, row by row.
        converted_at: when each row's lead reached the target, NEVER if it has not.
        verdicts: lead_id, given_at, verdict, reason, who.
        horizon: of the target, in microseconds.
        data_end: nothing after this is known.
        learnt_until: rows before this trained the champion; they say nothing
            about its probabilities, only about inputs.
        handed_at: when each row's lead was handed over to sales, NEVER if not;
            None where nobody keeps handovers.
        groups: by name (persona, source) which group each row belongs to, "" for none.
        stages: lead_id, stage, entered_at of all leads, for the questions of the funnel.
    """

    scores: pd.DataFrame
    matrix: pd.DataFrame
    converted_at: Ints
    verdicts: pd.DataFrame
    horizon: int
    data_end: int
    learnt_until: int
    handed_at: Ints | None = None
    groups: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    stages: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["lead_id", "stage", "entered_at"])
    )

    @property
    def as_of(self) -> Ints:
        """Return each row's as_of in microseconds."""
        return micros_of(self.scores["as_of"])

    @property
    def is_news(self) -> npt.NDArray[np.bool_]:
        """Return which rows the champion did not learn from."""
        return np.asarray(timeline.is_from(self.as_of, self.learnt_until))


@dataclass(frozen=True)
class Reference:
    """What the champion learnt from: its plan and the facts that travel with it."""

    plan: Plan
    facts: Mapping[str, Any]


Proposal = Literal["nothing", "recalibrate", "retrain", "fix_tracking", "ask_for_criteria"]


@dataclass(frozen=True)
class Cost:
    """What a change costs a week: conversions that did not come, hours of sales in vain."""

    conversions_a_week: float
    hours_a_week: float


@dataclass(frozen=True)
class Change:
    """One thing that changed: what, since when (microseconds), how sure, what to do.

    `earliest` and `latest` bound `since`; `strength` is the size of the evidence
    in standard errors; only a change with `is_alarm` raises the alarm. `proposal` is
    `act` for programs; `cost` is None where it cannot be told.
    """

    kind: Kind
    since: int | None
    columns: tuple[str, ...]
    segment: str | None
    evidence: str
    act: str
    strength: float
    is_alarm: bool = True
    earliest: int | None = None
    latest: int | None = None
    proposal: Proposal = "nothing"
    cost: Cost | None = None


@dataclass(frozen=True)
class Monitoring:
    """The answer: alarm, what changed, tables behind it, and what could not be judged.

    Frames:
        weekly: week, leads, expected, observed (NaN until mature), low, high: rates.
        inputs: column, sentence, statistic, reference, current, p_value, shifted;
            the strongest evidence first.
        calibration: rows, predicted, observed, low, high of past scores that matured.
        volumes: week, leads.
        segments: segment, expected, observed, ratio, low, high: conversions by segment.
        questions: question, measure, now, low, high, before, mqls, mqls_before.
        quality: measure, value, low, high, weeks: of leads whose outcomes are not known yet,
            and of those that have matured.
        checked: as_of, measure, estimated, low, high, came, conversions, held: what earlier
            looks estimated, and what came of the same leads.
    """

    alarm: bool
    changes: tuple[Change, ...]
    weekly: pd.DataFrame = field(default_factory=pd.DataFrame)
    inputs: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    volumes: pd.DataFrame = field(default_factory=pd.DataFrame)
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    questions: pd.DataFrame = field(default_factory=pd.DataFrame)
    checked: pd.DataFrame = field(default_factory=pd.DataFrame)
    warnings: tuple[str, ...] = ()


def micros_of(times: "pd.Series[Any]") -> Ints:
    """Return a column of times, or of microseconds already, as microseconds."""
    if pd.api.types.is_numeric_dtype(times.dtype):
        return times.to_numpy(dtype=np.int64)
    return np.asarray(times.dt.as_unit("us").astype("int64"), dtype=np.int64)


def week_of(at: Ints, data_end: int) -> Ints:
    """Return the number of each time's week; the last whole week before `data_end` is -1."""
    return np.asarray((at - data_end) // timeline.MICROS_PER_WEEK, dtype=np.int64)


def week_start(week: int, data_end: int) -> int:
    """Return when a week numbered by `week_of` begins."""
    return data_end + week * timeline.MICROS_PER_WEEK
