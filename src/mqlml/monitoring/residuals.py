"""Observed minus expected, lead by lead and week by week, without waiting for maturity.

The delay to a conversion is learnt over all points together, but a lead is scored more often
while it is young. So what is expected is corrected by the age of the lead, with the ratio of
observed to expected by age among the points that the champion learnt from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.delay import Delay, delay_from_days, expected_between, observed_delay
from mqlml.monitoring.evidence import Floats, Ints, ScoredHistory, micros_of, week_of

_FEWEST_CONVERSIONS = 20
# By how much longer conversions take where the slope is read off.
_SLOWER = 1.25
_SHRINK = 10.0
_MOST_BY_AGE = 4.0
_ROWS_AT_ONCE = 100_000
_TINY = 1e-9
# Not about quality: said of a lead's record or of the moment, not of the lead.
PROCEDURAL = ("duplicate", "wrong_data", "unreachable", "not_now")


@dataclass(frozen=True)
class Residuals:
    """Independent pieces of news: in which week, about which row of the scores.

    Given all that came before, `residual` has mean zero and variance `variance`
    while the model holds. `cohort` is the week in which the lead was first scored,
    `slower` the slope of the log expectation as conversions take longer.
    """

    week: Ints
    row: Ints
    residual: Floats
    variance: Floats
    observed: float
    cohort: Ints
    slower: Floats

    def take(self, chosen: Any) -> "Residuals":
        """Return the pieces at these positions; `observed` counts their conversions."""
        residual, variance = self.residual[chosen], self.variance[chosen]
        came = float((residual > 0).sum())
        return Residuals(
            week=self.week[chosen],
            row=self.row[chosen],
            residual=residual,
            variance=variance,
            observed=came,
            cohort=self.cohort[chosen],
            slower=self.slower[chosen],
        )


def conversion_residuals(history: ScoredHistory, delay: Delay) -> Residuals:
    """Return one piece per scored lead and week in which it was at risk.

    A score speaks from its as_of until the lead is scored again, converts, the
    horizon ends or the data end; so no conversion is counted twice.
    """
    # Some rows at a time: a million leads make nine million pieces, half of them no news.
    blocks = [_block(history, delay, rows) for rows in _row_blocks(history)]
    news = _News.joined([block.news for block in blocks])
    ratio = _ratio_by_age([block.learnt for block in blocks])
    expected = news.expected * ratio[np.minimum(news.week - news.cohort, len(ratio) - 1)]
    expected = np.clip(expected, 0.0, 1.0 - 1e-9)
    return Residuals(
        week=news.week,
        row=news.row,
        residual=news.came - expected,
        variance=expected * (1.0 - expected),
        observed=float(news.came.sum()),
        cohort=news.cohort,
        slower=news.slower,
    )


@dataclass(frozen=True)
class _News:
    """Pieces since the champion was trained: what came, and what was expected at any age."""

    row: Ints
    week: Ints
    cohort: Ints
    came: Floats
    expected: Floats
    slower: Floats

    @classmethod
    def joined(cls, parts: "Sequence[_News]") -> "_News":
        """Return the pieces of all parts in their order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class _Block:
    """The news among some rows' pieces; of the others what came and was expected, by age."""

    news: _News
    learnt: tuple[Floats, Floats]


@dataclass(frozen=True)
class _Rows:
    """Rows at risk: from when to when, until when, and when their lead was first scored."""

    row: Ints
    stop: Ints
    first_score: Ints


def _row_blocks(history: ScoredHistory) -> Iterator[_Rows]:
    first_score, next_score = _neighbours(history.scores, history.as_of)
    end = np.minimum(history.as_of + history.horizon, history.data_end)
    stop = np.minimum(next_score, end)
    is_at_risk = (stop > history.as_of) & timeline.is_open(history.converted_at, history.as_of)
    used = np.flatnonzero(is_at_risk)
    for first in range(0, max(len(used), 1), _ROWS_AT_ONCE):
        row = used[first : first + _ROWS_AT_ONCE]
        yield _Rows(row, stop[row], first_score[row])


def _block(history: ScoredHistory, delay: Delay, rows: _Rows) -> _Block:
    pieces = _pieces(history, rows)
    chance = history.scores["probability"].to_numpy(dtype=np.float64)[pieces.row]
    usual = expected_between(chance, *(delay.share_by(age) for age in pieces.ages))
    late = expected_between(chance, *(delay.share_by(age / _SLOWER) for age in pieces.ages))
    slower = np.clip(np.log((late + _TINY) / (usual + _TINY)) / np.log(_SLOWER), -3.0, 3.0)
    is_news = history.is_news[pieces.row]
    age = (pieces.week - pieces.cohort)[~is_news]
    came, expected = (
        np.asarray(np.bincount(age, values[~is_news]), dtype=np.float64)
        for values in (pieces.came, usual)
    )
    news = _News(
        row=pieces.row[is_news],
        week=pieces.week[is_news],
        cohort=pieces.cohort[is_news],
        came=pieces.came[is_news],
        expected=usual[is_news],
        slower=slower[is_news],
    )
    return _Block(news, (came, expected))


@dataclass(frozen=True)
class _Pieces:
    """Row, week, the score's age at both ends, whether it converted, the lead's first week."""

    row: Ints
    week: Ints
    ages: tuple[Floats, Floats]
    came: Floats
    cohort: Ints


def _pieces(history: ScoredHistory, rows: _Rows) -> _Pieces:
    as_of, converted_at = history.as_of[rows.row], history.converted_at[rows.row]
    end = np.minimum(rows.stop - 1, converted_at)
    first, last = week_of(as_of, history.data_end), week_of(end, history.data_end)
    weeks = (last - first + 1).astype(np.int64)
    place = np.repeat(np.arange(len(weeks)), weeks)
    ordinal = np.arange(len(place)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    week = first[place] + ordinal
    begin = history.data_end + week * timeline.MICROS_PER_WEEK
    at = as_of[place]
    opens = np.maximum(begin, at)
    closes = np.minimum(begin + timeline.MICROS_PER_WEEK, rows.stop[place])
    ages = ((opens - at).astype(np.float64), (closes - at).astype(np.float64))
    came = timeline.is_in_horizon(converted_at[place], opens, closes - opens)
    cohort = week_of(rows.first_score, history.data_end)[place]
    return _Pieces(rows.row[place], week, ages, np.asarray(came, float), cohort)


def _ratio_by_age(learnt: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Return observed over expected by the lead's age in weeks, near 1 where little is known.

    The last ratio is of all ages beyond.
    """
    longest = max((len(came) for came, _ in learnt), default=0) + 1
    sums = np.zeros((2, longest))
    for block in learnt:
        for total, part in zip(sums, block, strict=True):
            total[: len(part)] += part
    came, expected = sums
    if came.sum() < _FEWEST_CONVERSIONS or expected.sum() <= 0:
        return np.ones(longest)
    ratio = (came + _SHRINK) / (expected + _SHRINK)
    return np.asarray(np.clip(ratio, 1.0 / _MOST_BY_AGE, _MOST_BY_AGE), dtype=np.float64)


def _neighbours(scores: pd.DataFrame, as_of: Ints) -> tuple[Ints, Ints]:
    """Return when each row's lead is scored first, and next (NEVER if it is not)."""
    rows = pd.DataFrame({"lead_id": pd.factorize(scores["lead_id"])[0], "as_of": as_of})
    rows = rows.sort_values(["lead_id", "as_of"], kind="stable")
    lead, at = rows["lead_id"].to_numpy(), rows["as_of"].to_numpy()
    is_first = np.append(True, lead[1:] != lead[:-1])[: len(lead)]
    first = at[np.maximum.accumulate(np.where(is_first, np.arange(len(at)), 0))]
    following = np.append(np.where(is_first[1:], timeline.NEVER, at[1:]), timeline.NEVER)[: len(at)]
    back = np.empty(len(at), dtype=np.int64)
    back[rows.index.to_numpy()] = np.arange(len(at))
    return first[back].astype(np.int64), following[back].astype(np.int64)


def verdict_residuals(history: ScoredHistory) -> Residuals:
    """Return one piece per judgement of quality by sales, against the mean acceptance.

    A verdict belongs to the lead's last score before it; verdicts on leads never
    scored before say nothing here. Procedural rejections are no judgement.
    """
    verdicts = history.verdicts
    if verdicts.empty:
        none = np.zeros(0)
        whole = none.astype(np.int64)
        return Residuals(whole, whole, none, none, 0.0, whole, none)
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
    week = week_of(matched["at"].to_numpy(np.int64), history.data_end)
    return Residuals(
        week=week,
        row=matched["row"].to_numpy(dtype=np.int64),
        residual=np.asarray(accepted - mean, dtype=np.float64),
        variance=np.full(len(accepted), mean * (1.0 - mean) + 1e-9),
        observed=float(accepted.sum()),
        cohort=week,
        slower=np.zeros(len(accepted)),
    )


def delay_of(history: ScoredHistory, facts: Mapping[str, Any]) -> Delay:
    """Return the delay of the champion's facts (`delays_days`), else that of what it learnt from.

    Where it learnt from none of the rows, every mature row tells it.
    """
    if facts.get("delays_days"):
        return delay_from_days(facts["delays_days"], history.horizon)
    as_of = history.as_of
    mature = np.asarray(timeline.is_mature(as_of, history.horizon, 0, history.data_end))
    learnt = mature & ~history.is_news
    used = learnt if learnt.any() else mature
    return observed_delay(as_of[used], history.converted_at[used], history.horizon)


def has_enough(residuals: Residuals) -> bool:
    """Return whether there are enough positive cases to judge anything."""
    return residuals.observed >= _FEWEST_CONVERSIONS
