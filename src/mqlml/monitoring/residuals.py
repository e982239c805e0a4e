"""Observed minus expected, lead by lead and week by week, without waiting for maturity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.delay import Delay, delay_from_days, expected_between, observed_delay
from mqlml.monitoring.evidence import Floats, Ints, ScoredHistory, micros_of, week_of

_FEWEST_CONVERSIONS = 20
# Not about quality: said of a lead's record or of the moment, not of the lead.
PROCEDURAL = ("duplicate", "wrong_data", "unreachable", "not_now")


@dataclass(frozen=True)
class Residuals:
    """Independent pieces of news: in which week, about which row of the scores.

    Given all that came before, `residual` has mean zero and variance `variance`
    while the model holds.
    """

    week: Ints
    row: Ints
    residual: Floats
    variance: Floats
    observed: float


def conversion_residuals(history: ScoredHistory, delay: Delay) -> Residuals:
    """Return one piece per scored lead and week in which it was at risk.

    A score speaks from its as_of until the lead is scored again, converts, the
    horizon ends or the data end; so no conversion is counted twice.
    """
    as_of, converted_at = history.as_of, history.converted_at
    stop = np.minimum(_next_score(history.scores, as_of), as_of + history.horizon)
    stop = np.minimum(stop, history.data_end)
    news = np.flatnonzero(history.is_news & (stop > as_of))
    first, last = week_of(as_of[news], history.data_end), week_of(stop[news] - 1, history.data_end)
    weeks = (last - first + 1).astype(np.int64)
    row = np.repeat(news, weeks)
    ordinal = np.arange(len(row)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    week = np.repeat(first, weeks) + ordinal
    begin = history.data_end + week * timeline.MICROS_PER_WEEK
    opens = np.maximum(begin, as_of[row])
    closes = np.minimum(begin + timeline.MICROS_PER_WEEK, stop[row])
    is_open = np.asarray(timeline.is_open(converted_at[row], opens))
    row, week, opens, closes = row[is_open], week[is_open], opens[is_open], closes[is_open]
    probability = history.scores["probability"].to_numpy(dtype=np.float64)[row]
    ages = [(t - as_of[row]).astype(np.float64) for t in (opens, closes)]
    expected = expected_between(probability, *(delay.share_by(age) for age in ages))
    came = np.asarray(timeline.is_in_horizon(converted_at[row], opens, closes - opens), float)
    variance = expected * (1.0 - expected)
    return Residuals(week, row, came - expected, variance, float(came.sum()))


def _next_score(scores: pd.DataFrame, as_of: Ints) -> Ints:
    """Return when each row's lead is scored next, NEVER if it is not."""
    rows = pd.DataFrame({"lead_id": scores["lead_id"].to_numpy(), "as_of": as_of})
    rows = rows.sort_values(["lead_id", "as_of"], kind="stable")
    following = rows.groupby("lead_id", sort=False)["as_of"].shift(-1, fill_value=timeline.NEVER)
    return np.asarray(following.sort_index().to_numpy(), dtype=np.int64)


def verdict_residuals(history: ScoredHistory) -> Residuals:
    """Return one piece per judgement of quality by sales, against the mean acceptance.

    A verdict belongs to the lead's last score before it; verdicts on leads never
    scored before say nothing here. Procedural rejections are no judgement.
    """
    verdicts = history.verdicts
    if verdicts.empty:
        none = np.zeros(0)
        return Residuals(none.astype(np.int64), none.astype(np.int64), none, none, 0.0)
    verdicts = verdicts[~verdicts["reason"].isin(PROCEDURAL).to_numpy(dtype=bool)]
    given = verdicts.assign(at=micros_of(verdicts["given_at"])).sort_values("at", kind="stable")
    scored = pd.DataFrame({"lead_id": history.scores["lead_id"], "at": history.as_of})
    scored = scored.assign(row=np.arange(len(scored))).sort_values("at", kind="stable")
    at: Ints = given["at"].to_numpy(dtype=np.int64)
    known = np.asarray(timeline.is_seen(at, np.full_like(at, history.data_end)))
    types = {"lead_id": "str", "at": "int64"}
    matched = pd.merge_asof(
        given.loc[known, ["lead_id", "at", "verdict"]].astype(types),
        scored.astype(types),
        on="at",
        by="lead_id",
        allow_exact_matches=False,
    ).dropna(subset=["row"])
    accepted = (matched["verdict"] == "accepted").to_numpy(dtype=np.float64)
    mean = float(accepted.mean()) if len(accepted) else 0.5
    return Residuals(
        week_of(matched["at"].to_numpy(np.int64), history.data_end),
        matched["row"].to_numpy(dtype=np.int64),
        np.asarray(accepted - mean, dtype=np.float64),
        np.full(len(accepted), mean * (1.0 - mean) + 1e-9),
        float(accepted.sum()),
    )


def delay_of(history: ScoredHistory, facts: Mapping[str, Any]) -> Delay:
    """Return the delay of the champion's facts (`delays_days`), else that of mature rows."""
    if facts.get("delays_days"):
        return delay_from_days(facts["delays_days"], history.horizon)
    as_of = history.as_of
    mature = np.asarray(timeline.is_mature(as_of, history.horizon, 0, history.data_end))
    return observed_delay(as_of[mature], history.converted_at[mature], history.horizon)


def has_enough(residuals: Residuals) -> bool:
    """Return whether there are enough positive cases to judge anything."""
    return residuals.observed >= _FEWEST_CONVERSIONS
