"""Evidence in weekly figures for a change since week k: trend, scatter and carry-over known."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mqlml.monitoring.evidence import Floats, Ints
from mqlml.monitoring.figures import MISSING, OTHERS, Figure, Figures
from mqlml.monitoring.odds import beyond, log_evidence, running_odds

FEWEST_REFERENCE_WEEKS = 12
_MOST_REFERENCE_WEEKS = 52
_LONGEST = 40
_MOST_CARRY_OVER = 0.9
# A share that never moved may still move by a little: half a point is not a break.
LEAST_SCATTER = 0.005
_TOLERATED = 0.015
_TOLERATED_SCATTERS = 0.25
# How far a usual level wanders over the months, in scatters of a week.
_SLOW = 0.35
_FREEDOM = 1.0
_SIZES = (2.0, 6.0)
_LIKELY = 3.0
# So large a share gone missing within one week is a break and need not persist.
_BREAK = 0.3


@dataclass(frozen=True)
class InputEvidence:
    """Log evidence [k, t, figure], the usual [k, figure] and the gap [k, t, figure] from it.

    `since` are the weeks k; t runs over all weeks of the figures.
    """

    figures: Figures
    since: Ints
    usual: Floats
    gap: Floats
    scatter: Floats
    log_factors: Floats
    fit: Floats

    @cached_property
    def total(self) -> Floats:
        """Return the log evidence [k, t], averaged: categories have half of the say.

        A campaign or a market shows in a source or a country, of which there are few, and
        would be drowned by a hundred numbers.
        """
        with np.errstate(divide="ignore"):
            shares = np.log(_shares(self.figures.of))
        return np.asarray(np.logaddexp.reduce(self.log_factors + shares, axis=2))

    @cached_property
    def odds(self) -> Floats:
        """Return the log of the Shiryaev–Roberts statistic by week t."""
        return running_odds(self.total)

    def dated(self, at: int) -> "Dated":
        """Return when the change most likely began, seen at the end of the week at place `at`."""
        seen = self.log_factors[:, at] + np.log(_shares(self.figures.of))
        evidence = seen.max(axis=0)
        cut = max(1.0, float(evidence.max()) / 4)
        order = np.argsort(-evidence, kind="stable")
        chosen = [i for i in order if evidence[i] >= cut] or [int(order[0])]
        # The tails that guard against false alarms blunt the date: it is read off plain squares.
        fit = self.fit[:, at][:, chosen].sum(axis=1)
        best = int(np.argmax(fit))
        near = np.flatnonzero(fit >= fit[best] - _LIKELY)
        moved = [
            Moved(
                self.figures.of[i].column,
                self.figures.of[i].statistic,
                float(self.usual[best, i]),
                float(self.usual[best, i] + self.gap[best, at, i]),
                float(evidence[i]),
            )
            for i in chosen
        ]
        return Dated(
            int(self.since[best]),
            int(self.since[near.min()]),
            int(self.since[near.max()]),
            moved,
        )


@dataclass(frozen=True)
class Moved:
    """A figure that moved: its usual level, its level now, and the log evidence for it."""

    column: str
    statistic: str
    usual: float
    now: float
    evidence: float

    @property
    def gap(self) -> float:
        """Return how far it moved."""
        return self.now - self.usual


@dataclass(frozen=True)
class Dated:
    """A change of figures: the week it began, its likely bounds, what moved, strongest first."""

    since: int
    earliest: int
    latest: int
    moved: list[Moved]

    @property
    def columns(self) -> list[str]:
        """Return the columns that moved, strongest first."""
        return list(dict.fromkeys(one.column for one in self.moved))

    @property
    def strength(self) -> float:
        """Return the strongest evidence in standard errors."""
        return float(np.sqrt(2.0 * max(self.moved[0].evidence, 0.0)))

    def figure_words(self, column: str) -> str:
        """Return what a column was and is, or nothing if it did not move."""
        for one in self.moved:
            if one.column == column:
                return f"{column} {one.usual:.2f} before, {one.now:.2f} now"
        return ""


def input_evidence(figures: Figures, *, learnt_until: int, fewest: int) -> InputEvidence | None:
    """Return the evidence for a change since any week k from `learnt_until` on.

    Weeks of fewer than `fewest` rows say nothing. None with too few weeks to compare with.
    """
    is_used = figures.counts >= fewest
    values = np.where(is_used[:, None], figures.table, np.nan)
    starts = [
        int(k)
        for k in np.flatnonzero(is_used)
        if is_used[:k].sum() >= FEWEST_REFERENCE_WEEKS and figures.weeks[k] >= learnt_until
    ]
    if not starts or not figures.of:
        return None
    may_break = np.array([figure.statistic == MISSING for figure in figures.of])
    found = [_since(values, k, may_break) for k in starts]
    parts = [np.stack(part) for part in zip(*found, strict=True)]
    return InputEvidence(figures, figures.weeks[starts], *parts)


@dataclass(frozen=True)
class _Line:
    """The line through the weeks before, per figure, and how weeks scatter around it."""

    count: Ints
    middle: Floats
    mean: Floats
    slope: Floats
    spread: Floats
    carried: Floats
    scatter: Floats
    last: Floats

    @property
    def long_run(self) -> Floats:
        """Return the variance that a mean of many weeks has, in weeks."""
        return self.scatter**2 * (1 + self.carried) / (1 - self.carried)


def _fitted(past: Floats) -> _Line:
    x = np.arange(len(past)) - len(past)
    seen = ~np.isnan(past)
    count = np.maximum(seen.sum(axis=0), 1)
    middle = np.where(seen, x[:, None], 0).sum(axis=0) / count
    mean = np.nansum(past, axis=0) / count
    centred = np.where(seen, x[:, None] - middle, 0.0)
    spread = np.maximum((centred**2).sum(axis=0), 1.0)
    slope = (centred * np.where(seen, past - mean, 0.0)).sum(axis=0) / spread
    off = np.where(seen, past - mean - slope * centred, 0.0)
    carried = _carry_over(off, count)
    scatter = np.sqrt((off**2).sum(axis=0) / np.maximum(count - 2, 1))
    line = _Line(
        count, middle, mean, slope, spread, carried, np.maximum(scatter, LEAST_SCATTER), off[-1]
    )
    # A slope that luck may have made is not drawn on into the weeks to come.
    certain = np.maximum(0.0, 1.0 - 4.0 * line.long_run / spread / (slope**2 + 1e-12))
    return replace(line, slope=slope * certain)


def _since(
    values: Floats, k: int, may_break: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return usual, gap by t, scatter, log evidence and fit by t, of a change since week k."""
    past = values[max(0, k - _MOST_REFERENCE_WEEKS) : k]
    line = _fitted(past)
    count, middle, mean, slope = line.count, line.middle, line.mean, line.slope
    spread, carried, scatter = line.spread, line.carried, line.scatter
    long_run = line.long_run
    later = values[k : k + _LONGEST]
    ahead = np.arange(len(later))[:, None]
    known = ~np.isnan(later)
    deviation = np.where(known, later - mean - slope * (ahead - middle), 0.0)
    gap, variance, lever = _level_shift(deviation, line.last, carried, scatter)
    reach = np.where(slope != 0, (ahead / 2 - middle) ** 2 / spread, 0.0)
    variance = variance + lever**2 * (long_run * (1.0 / count + reach) + (_SLOW * scatter) ** 2)
    freedom = max(6.0, _FREEDOM * len(past))
    outside = beyond(gap, _TOLERATED + _TOLERATED_SCATTERS * scatter)
    factors = log_evidence(outside / scatter, variance / scatter**2, sizes=_SIZES, freedom=freedom)
    n = np.maximum(known.cumsum(axis=0), 1)
    persists = known & (n >= 2) & (np.sign(deviation) == np.sign(gap))
    persists &= np.abs(deviation) >= 0.5 * np.abs(gap)
    # It lasts since its first week, or it began later.
    persists &= (deviation[0] * np.sign(gap)) >= 0.25 * np.abs(gap)
    persists |= may_break & known & (np.abs(gap) >= _BREAK)
    factors = np.where(persists, factors, np.minimum(factors, 0.0))
    # A line is not drawn on further than half of what it was fitted to.
    too_far = (slope != 0) & (ahead >= len(past) / 2)
    factors = np.where(too_far, np.minimum(factors, 0.0), factors)
    factors[:, count < FEWEST_REFERENCE_WEEKS] = 0.0
    fit = 0.5 * gap**2 / variance
    placed = [_placed(part, k, len(values), 0.0) for part in (gap, fit)]
    return mean, placed[0], scatter, _placed(factors, k, len(values), -np.inf), placed[1]


def _shares(of: tuple[Figure, ...]) -> Floats:
    """Return how much of all evidence each figure may have; they add up to 1."""
    categories = {figure.column for figure in of if figure.statistic == OTHERS}
    numbers = {figure.column for figure in of} - categories
    parts = [part for part in (categories, numbers) if part]
    figures = Counter(figure.column for figure in of)
    size = {name: len(part) for part in parts for name in part}
    return np.array([1.0 / len(parts) / size[f.column] / figures[f.column] for f in of])


def _placed(part: Floats, k: int, count: int, empty: float) -> Floats:
    whole = np.full((count, part.shape[1]), empty)
    whole[k : k + len(part)] = part
    return whole


def _carry_over(off: Floats, count: Ints) -> Floats:
    """Return the correlation of neighbouring weeks, corrected for what a fitted line hides."""
    total = np.maximum((off**2).sum(axis=0), 1e-12)
    raw = (off[1:] * off[:-1]).sum(axis=0) / total
    return np.asarray(np.clip(raw + (1 + 4 * raw) / count, 0.0, _MOST_CARRY_OVER))


def _level_shift(
    deviation: Floats, last: Floats, carried: Floats, scatter: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the level's shift since the first row, by row, and its variance, least squares.

    The third is how far an error of the usual level would pass into the shift: little into a
    jump from one week to the next.

    Of neighbouring weeks that carry over only the news counts: y[t] - c·y[t-1], which a
    shift moves by its whole size in its first week and by 1 - c of it in the others.
    """
    before = np.vstack([last[None], deviation[:-1]])
    news = deviation - carried * before
    weight = np.where(np.arange(len(news))[:, None] == 0, 1.0, 1.0 - carried)
    power = (weight**2).cumsum(axis=0)
    lever = (weight * (1.0 - carried)).cumsum(axis=0) / power
    shift = (weight * news).cumsum(axis=0) / power
    return shift, scatter**2 * (1 - carried**2) / power, lever
