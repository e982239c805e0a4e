"""Outcomes that no longer follow the scores: which kind of change, since when, at which cost.

Nested score tests on the residuals since the change: all conversions alike (base rate), later
than they used to come (sales cycle), or along the score, a segment or a feature (concept).
Every test beside the level takes the level's share out first.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.directions import WITHIN, column_directions
from mqlml.monitoring.evidence import Change, Cost, Floats, Ints, Kind, Proposal, week_start
from mqlml.monitoring.leans import DELAY, Evidence
from mqlml.monitoring.odds import beyond, log_evidence
from mqlml.monitoring.residuals import Residuals
from mqlml.monitoring.watch import Watch

_LIKELY = 3.0
# Log evidence beside the level from which a change is more than one of level.
_CONCEPT = 3.0
_SALES_CYCLE = 1.2
# A segment is named when it says clearly more than all leads together do.
_SEGMENT = 2.0
_MULTIPLIED = 2.0
_TOLERATED = 0.1
_MOST_COLUMNS = 6
_NAMED_AT = 0.05
_HOURS_PER_LEAD = 1.5
_ACTS: dict[str, tuple[str, Proposal]] = {
    "concept": (
        "retrain on leads since the change; look over the ICP and criteria with sales",
        "retrain",
    ),
    "prior": (
        "recalibrate; if the cause is not known, look at volume, campaigns and follow-up",
        "recalibrate",
    ),
    "sales_cycle": (
        "wait longer before a lead counts as lost; learn the delay again, the ranking holds",
        "recalibrate",
    ),
}


@dataclass(frozen=True)
class Found:
    """A change of outcomes: its kind, its weeks, and the direction that shows it best."""

    kind: Kind
    since: int
    earliest: int
    latest: int
    direction: str
    gap: float
    evidence: float


def outcome_change(
    watch: Watch, evidence: Evidence, week: int, *, with_columns: bool = True
) -> Change:
    """Return the change of outcomes with the strongest evidence at the end of `week`."""
    found = name_change(evidence, week)
    end = watch.history.data_end
    columns: tuple[str, ...] = ()
    lean = ""
    if found.kind == "concept" and with_columns:
        columns, lean = leaning_columns(watch, found.since, week)
    act, proposal = _ACTS[found.kind]
    return Change(
        kind=found.kind,
        since=week_start(found.since, end),
        columns=columns,
        segment=_segment(found),
        evidence=_words(found, lean),
        act=act,
        strength=float(np.sqrt(2.0 * max(found.evidence, 0.0))),
        earliest=week_start(found.earliest, end),
        latest=week_start(found.latest, end),
        proposal=proposal,
        cost=cost_since(watch, found.since, week),
    )


def name_change(evidence: Evidence, week: int) -> Found:
    """Return kind, weeks and direction of the change that `week` shows."""
    at = week - int(evidence.weeks[0])
    total = evidence.total[:, at]
    best = int(np.argmax(total))
    near = np.flatnonzero(total >= total[best] - _LIKELY)
    names = evidence.names
    level, delay = names.index("level"), names.index(DELAY)
    factors = _beside_new_level(evidence, best, at, level)
    slopes = np.array([i for i in range(len(names)) if i not in (level, delay)], dtype=np.int64)
    kind: Kind = "prior"
    direction = level
    if len(slopes):
        share = evidence.share[slopes] / evidence.share[slopes].sum()
        lean = float(np.logaddexp.reduce(factors[slopes] + np.log(share)))
        if lean >= _CONCEPT:
            kind, direction = "concept", _clearest(names, factors, slopes)
    if kind == "prior" and factors[delay] >= _SALES_CYCLE:
        kind, direction = "sales_cycle", delay
    return Found(
        kind=kind,
        since=int(evidence.weeks[best]),
        earliest=int(evidence.weeks[near.min()]),
        latest=int(evidence.weeks[near.max()]),
        direction=names[direction],
        gap=float(evidence.gap[best, at, direction]),
        evidence=float(factors[direction]),
    )


def _beside_new_level(evidence: Evidence, k: int, t: int, level: int) -> Floats:
    """Return the log evidence of each direction, once the level is what it now is.

    Where conversions have become twice as many or more, so has the variance of everything
    that leans, and score tests at the old level would see concepts everywhere.
    """
    factors: Floats = evidence.log_factors[k, t]
    ratio = 1.0 + float(evidence.gap[k, t, level])
    if ratio < _MULTIPLIED:
        return factors
    gap, variance = evidence.gap[k, t] / ratio, evidence.variance[k, t] / ratio
    moved = log_evidence(beyond(gap, _TOLERATED), variance, sizes=(0.25, 0.5, 1.0))
    moved[level] = factors[level]
    return np.asarray(np.minimum(moved, factors), dtype=np.float64)


def _clearest(names: tuple[str, ...], factors: Floats, slopes: Ints) -> int:
    """Return the direction to tell of: the score's own unless a segment says clearly more."""
    axes = [i for i in slopes if "=" not in names[i]]
    best_axis = max(axes, key=lambda i: factors[i])
    best = max(slopes, key=lambda i: factors[i])
    return int(best if factors[best] > factors[best_axis] + _SEGMENT else best_axis)


def _segment(found: Found) -> str | None:
    if found.kind != "concept" or "=" not in found.direction:
        return None
    return found.direction.removesuffix(WITHIN)


def _words(found: Found, lean: str) -> str:
    if found.kind == "prior":
        more = "more" if found.gap > 0 else "fewer"
        return f"{more} conversions than expected, across all leads"
    if found.kind == "sales_cycle":
        later = "later" if found.gap > 0 else "sooner"
        return f"conversions come {later} than they used to, among all leads alike"
    segment = _segment(found)
    where = f" where {segment}" if segment else ""
    return f"conversions no longer follow the score{where}" + (f": {lean}" if lean else "")


def leaning_columns(watch: Watch, since: int, week: int) -> tuple[tuple[str, ...], str]:
    """Return the columns that count otherwise since the change, strongest first, and in words."""
    from scipy.special import ndtri

    history = watch.history
    news = watch.residuals.take(np.flatnonzero(watch.residuals.week <= week))
    rows = np.unique(news.row)
    plan = watch.reference.plan
    directions, owners = column_directions(history.matrix, plan.categories, rows)
    if not len(owners):
        return (), ""
    z = lean_z(news, directions, since)
    strength = pd.Series(np.abs(z), index=owners)
    best = strength.groupby(level=0).max().sort_values(ascending=False, kind="stable")
    cut = -ndtri(_NAMED_AT / 2 / len(z))
    named = best[best >= cut].head(_MOST_COLUMNS).index
    chosen = tuple(str(name) for name in (named if len(named) else best.head(1).index))
    place = int(np.argmax(np.abs(z)))
    less = "less" if z[place] < 0 else "more"
    column, sign, level = str(directions.columns[place]).partition(" = ")
    said = f"'{plan.describe(column).sentence}{sign}{level.replace('_', ' ')}'"
    return chosen, f"{said} counts {less} than it did ({abs(z[place]):.1f} standard errors)"


def lean_z(news: Residuals, directions: pd.DataFrame, since: int) -> Floats:
    """Return by how many standard errors each direction leans otherwise in cohorts from `since`."""
    x = directions.to_numpy(dtype=np.float64)
    sides = []
    for chosen in (news.cohort >= since, news.week < since):
        r, v = (
            np.bincount(news.row[chosen], part[chosen], minlength=len(x))
            for part in (news.residual, news.variance)
        )
        used = np.flatnonzero(v > 0)
        own, r, v = x[used], r[used], v[used]
        share = (v @ own) / max(float(v.sum()), 1e-9)
        weight = np.maximum(v @ own**2 - share * (v @ own), 1e-9)
        sides.append(((r @ own - share * r.sum()) / weight, 1.0 / weight))
    (after, error), (before, before_error) = sides
    known = 1.0 / (before_error + 1e-9)
    usual = before * known / (known + 1.0 / 0.15**2)
    return np.asarray((after - usual) / np.sqrt(error + 1.0 / (known + 1.0 / 0.15**2)))


def cost_since(watch: Watch, since: int, week: int) -> Cost:
    """Return what the change costs a week: conversions missed, and hours spent in their place.

    Missed are conversions expected of the better half of leads (by score) that did not come;
    the hours are those of handed-over leads, in proportion to what they no longer give.
    """
    news = watch.residuals
    chosen = np.flatnonzero((news.cohort >= since) & (news.week <= week))
    if not len(chosen):
        return Cost(0.0, 0.0)
    rows, residual = news.row[chosen], news.residual[chosen]
    probability = watch.history.scores["probability"].to_numpy(dtype=np.float64)[rows]
    upper = probability >= np.median(probability)
    came = residual > 0
    expected = np.where(came, 1.0 - residual, -residual)
    weeks = max(week - since + 1, 1)
    missed = max(float(-residual[upper].sum()), 0.0)
    share = missed / max(float(expected[upper].sum()), 1e-9)
    return Cost(missed / weeks, share * _handed_a_week(watch, since, week) * _HOURS_PER_LEAD)


def _handed_a_week(watch: Watch, since: int, week: int) -> float:
    handed_at = watch.history.handed_at
    if handed_at is None:
        return 0.0
    start, stop = (week_start(w, watch.history.data_end) for w in (since, week + 1))
    leads = pd.Series(handed_at).groupby(watch.history.scores["lead_id"].to_numpy()).min()
    at: Ints = leads.to_numpy(dtype=np.int64)
    within = timeline.is_in_horizon(at, np.full_like(at, start), stop - start)
    return float(np.sum(within)) / max(week - since + 1, 1)
