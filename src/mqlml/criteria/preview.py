"""What another version of the criteria would have done to past leads, and does to today's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.criteria.decide import Outcome, decide
from mqlml.criteria.ranking import Listing, cut_list, nobody_handed, period_start
from mqlml.criteria.settings import Criteria, RankedList
from mqlml.modeling.metrics import wilson_interval

_Floats = npt.NDArray[np.float64]
_HANDED_OVER = (Outcome.MQL.value, Outcome.HAND_RAISER.value)
_RESAMPLES = 400
_Z_95 = 1.959963984540054
HANDOVER_COLUMNS = ("lead_id", "as_of", "label", "segment")


@dataclass(frozen=True)
class Version:
    """Criteria, and the probability from which their thresholds make an MQL.

    With a ranked list it is an estimate; `floor` is then the least probability on the
    list, and `zone` says when its days begin.
    """

    criteria: Criteria
    mql_probability: float
    floor: float = 0.0
    zone: str = "UTC"


@dataclass(frozen=True)
class History:
    """Points in order of time as a model scores them, row by row.

    `points` has lead_id, as_of (microseconds) and label (1, 0, or NaN while not
    final); `rows` is what rules look at; `segment` names each point's persona. `handed`
    has who went to sales before (see `Listing`), where all points are of one moment.
    """

    points: pd.DataFrame
    probability: _Floats
    rows: pd.DataFrame
    segment: "pd.Series[str]"
    handed: pd.DataFrame | None = None


@dataclass(frozen=True)
class Handed:
    """Leads given to sales, how many have a final outcome, and the share of those that converted.

    `low` and `high` are the 95 % interval of `precision` (Wilson); all three are
    NaN without a final outcome.
    """

    leads: int
    mature: int
    converted: int
    precision: float
    low: float
    high: float


@dataclass(frozen=True)
class Volume:
    """Leads a week: the mean, its 95 % interval from the spread of the weeks, and the most."""

    mean: float
    low: float
    high: float
    most: int


@dataclass(frozen=True)
class Side:
    """One version over the previewed weeks."""

    handed: Handed
    volume: Volume


@dataclass(frozen=True)
class Preview:
    """Two versions held against each other on the same past.

    `gain` is the new precision less the old, `gain_low` and `gain_high` its 95 %
    interval from resampling whole leads. `by_segment` has segment and, for both
    versions, leads, precision and its interval; `by_week` has week (its start in
    microseconds UTC), old and new.
    """

    weeks: int
    old: Side
    new: Side
    enters: Handed
    leaves: Handed
    entering: tuple[str, ...]
    leaving: tuple[str, ...]
    gain: float
    gain_low: float
    gain_high: float
    by_segment: pd.DataFrame
    by_week: pd.DataFrame


def weeks_of(history: History) -> int:
    """Return how many weeks back from its latest point the history reaches."""
    as_of = history.points["as_of"].to_numpy(np.int64)
    return int((as_of.max() - as_of.min()) // timeline.MICROS_PER_WEEK) + 1


def outcomes(history: History, version: Version) -> npt.NDArray[np.object_]:
    """Return what `version` says of each point of the history; see `listed_outcomes`."""
    if version.criteria.thresholds.ranked is not None:
        return listed_outcomes(history, version, version.criteria.thresholds.ranked)
    found = decide(history.probability, history.rows, version.criteria, version.mql_probability)
    return np.asarray(found["outcome"], dtype=object)


def listed_outcomes(
    history: History, version: Version, rule: RankedList
) -> npt.NDArray[np.object_]:
    """Return what a ranked list makes of each point, period after period.

    Periods are whole weeks (or days) back from the latest point, as the preview counts
    them. In each of them a lead stands once on the list, as its latest point is. Points
    of one moment (`history.handed` is given) are cut as `score` cuts them.
    """
    ruled = decide(history.probability, history.rows, version.criteria, 0.0)
    ruled = ruled.reset_index(drop=True).assign(
        lead_id=history.points["lead_id"].to_numpy(), probability=history.probability
    )
    as_of = history.points["as_of"].to_numpy(np.int64)
    length = timeline.MICROS_PER_WEEK if rule.per == "week" else timeline.MICROS_PER_DAY
    ago = (as_of.max() - as_of) // length if len(as_of) else as_of
    handed = nobody_handed() if history.handed is None else history.handed
    outcome = ruled["outcome"].to_numpy(dtype=object).copy()
    for back in np.unique(ago)[::-1]:
        rows = np.flatnonzero(ago == back)
        start = int(as_of.max()) + 1 - length * (int(back) + 1)
        if history.handed is not None:
            start = period_start(int(as_of.max()), rule.per, version.zone)
        share = version.criteria.thresholds.warm_share_of_mql
        listing = Listing(rule, version.floor, share, start, version.zone, handed)
        latest = ruled.iloc[rows].drop_duplicates("lead_id", keep="last")
        decided, _ = cut_list(latest, listing)
        found = decided.set_axis(latest["lead_id"])["outcome"]
        outcome[rows] = found.reindex(ruled["lead_id"].iloc[rows]).to_numpy(dtype=object)
        handed = _handed_too(handed, found, int(as_of[rows].max()))
    return outcome


def _handed_too(handed: pd.DataFrame, found: "pd.Series[str]", at: int) -> pd.DataFrame:
    """Return `handed` with the leads that go to sales now for the first time."""
    fresh = found[found.isin(_HANDED_OVER)]
    fresh = fresh[~fresh.index.isin(handed.index)]
    is_raised = (fresh == Outcome.HAND_RAISER).to_numpy(bool)
    rows = pd.DataFrame({"as_of": at, "is_hand_raiser": is_raised}, fresh.index)
    return pd.concat([handed, rows])


def handovers(history: History, outcome: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Return lead_id, as_of, label and segment of each lead's first point that goes to sales."""
    given = np.flatnonzero(np.isin(outcome, _HANDED_OVER))
    rows = history.points.iloc[given][["lead_id", "as_of", "label"]].reset_index(drop=True)
    rows["segment"] = history.segment.iloc[given].to_numpy()
    order = rows.sort_values("as_of", kind="stable")
    return order.drop_duplicates("lead_id").reset_index(drop=True)


def handed(rows: pd.DataFrame) -> Handed:
    """Return how many `handovers` there are and how many of them converted."""
    labels = rows["label"].to_numpy(np.float64)
    mature = int((~np.isnan(labels)).sum())
    converted = int(np.nansum(labels))
    if not mature:
        return Handed(len(rows), 0, 0, np.nan, np.nan, np.nan)
    share = converted / mature
    low, high = wilson_interval(np.array([share]), np.array([float(mature)]))
    return Handed(len(rows), mature, converted, share, float(low[0]), float(high[0]))


def preview(history: History, old: Version, new: Version, *, weeks: int, seed: int = 0) -> Preview:
    """Return what the change from `old` to `new` does on the latest `weeks` of the history.

    A lead counts in the week in which it first goes to sales. Earlier points
    only tell who had gone before. A lead enters if it goes to sales under the
    new version alone, and leaves if under the old alone.

    Args:
        history: at least one point; both versions see the same probabilities.
        old: the version as it is.
        new: the version as it shall be.
        weeks: how far back from the latest point.
        seed: of the resampling.
    """
    last = int(history.points["as_of"].max())
    sides = [_in_weeks(handovers(history, outcomes(history, v)), last, weeks) for v in (old, new)]
    before, after = sides
    enters = after[~after["lead_id"].isin(before["lead_id"])]
    leaves = before[~before["lead_id"].isin(after["lead_id"])]
    by_week = _by_week(before, after, last, weeks)
    gain = handed(after).precision - handed(before).precision
    low, high = _gain_interval(before, after, seed)
    return Preview(
        weeks=weeks,
        old=Side(handed(before), _volume(by_week["old"])),
        new=Side(handed(after), _volume(by_week["new"])),
        enters=handed(enters),
        leaves=handed(leaves),
        entering=tuple(sorted(enters["lead_id"])),
        leaving=tuple(sorted(leaves["lead_id"])),
        gain=gain,
        gain_low=low,
        gain_high=high,
        by_segment=_by_segment(before, after),
        by_week=by_week,
    )


def _in_weeks(rows: pd.DataFrame, last: int, weeks: int) -> pd.DataFrame:
    ago = (last - rows["as_of"].to_numpy(np.int64)) // timeline.MICROS_PER_WEEK
    return rows[ago < weeks].reset_index(drop=True)


def _by_week(before: pd.DataFrame, after: pd.DataFrame, last: int, weeks: int) -> pd.DataFrame:
    counts = {}
    for name, rows in (("old", before), ("new", after)):
        ago = (last - rows["as_of"].to_numpy(np.int64)) // timeline.MICROS_PER_WEEK
        counts[name] = np.bincount(ago, minlength=weeks)[::-1]
    # A week ends with, and holds, the instant that lies whole weeks before the last point.
    starts = last + 1 - timeline.MICROS_PER_WEEK * np.arange(weeks, 0, -1)
    return pd.DataFrame({"week": starts, **counts})


def _volume(counts: "pd.Series[int]") -> Volume:
    values = counts.to_numpy(np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return Volume(mean, np.nan, np.nan, int(values.max()))
    half = _Z_95 * float(values.std(ddof=1)) / np.sqrt(len(values))
    return Volume(mean, max(mean - half, 0.0), mean + half, int(values.max()))


def _by_segment(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    names = sorted({*before["segment"], *after["segment"]})
    found = []
    for name in names:
        row: dict[str, object] = {"segment": name}
        for side, rows in (("old", before), ("new", after)):
            part = handed(rows[rows["segment"] == name])
            row |= {
                f"{side}_leads": part.leads,
                f"{side}_precision": part.precision,
                f"{side}_low": part.low,
                f"{side}_high": part.high,
            }
        found.append(row)
    return pd.DataFrame(found)


def _gain_interval(before: pd.DataFrame, after: pd.DataFrame, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the gain; leads that both hand over move both precisions."""
    labels = [rows.set_index("lead_id")["label"].dropna() for rows in (before, after)]
    leads = labels[0].index.union(labels[1].index)
    if not (len(labels[0]) and len(labels[1])):
        return np.nan, np.nan
    columns = [values.reindex(leads).to_numpy(np.float64) for values in labels]
    generator = np.random.default_rng(seed)
    gains = []
    for _ in range(_RESAMPLES):
        drawn = generator.integers(len(leads), size=len(leads))
        shares = [_mean(column[drawn]) for column in columns]
        gains.append(shares[1] - shares[0])
    low, high = np.nanquantile(gains, [0.025, 0.975])
    return float(low), float(high)


def _mean(values: _Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def moved_today(today: History, old: Version, new: Version) -> pd.DataFrame:
    """Return the leads whose outcome differs, by lead_id: segment, probability, before, after."""
    before, after = outcomes(today, old), outcomes(today, new)
    moved = np.flatnonzero(before != after)
    found = pd.DataFrame(
        {
            "lead_id": today.points["lead_id"].to_numpy()[moved],
            "segment": today.segment.to_numpy()[moved],
            "probability": today.probability[moved],
            "before": before[moved],
            "after": after[moved],
        }
    )
    return found.sort_values("lead_id", kind="stable", ignore_index=True)


def restated(
    history: History, versions: Sequence[Version], in_force: npt.NDArray[np.intp], *, weeks: int
) -> pd.DataFrame:
    """Return what went to sales per period, as it was in force and under every version.

    Args:
        history: points of at least one period.
        versions: all versions.
        in_force: per point, the position in `versions` of the one in force then.
        weeks: length of a period; the latest ends with the latest point.

    Returns:
        One row per period and way of telling: period (its start in microseconds
        UTC), version (0 for "as in force"), leads, mature, converted, precision,
        low, high; oldest first. A period holds leads that first went to sales in it.
    """
    told = [outcomes(history, version) for version in versions]
    as_it_was = np.choose(in_force, told) if len(told) > 1 else told[0]
    last = int(history.points["as_of"].max())
    length = weeks * timeline.MICROS_PER_WEEK
    periods = (last - int(history.points["as_of"].min())) // length + 1
    found = []
    ways = [(0, as_it_was), *((v.criteria.version, o) for v, o in zip(versions, told, strict=True))]
    for number, outcome in ways:
        rows = handovers(history, outcome)
        ago = (last - rows["as_of"].to_numpy(np.int64)) // length
        for back in range(periods):
            part = handed(rows[ago == back])
            start = last + 1 - length * (back + 1)
            found.append({"period": start, "version": number, **vars(part)})
    return pd.DataFrame(found).sort_values(["period", "version"], ignore_index=True)
