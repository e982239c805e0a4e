"""When a lead reached the target, when it was closed, and what that makes of a point.

Rules, all of them through `timeline`:

- A lead has passed the target when it first entered the target stage or any
  later one; skipping the target does not make it a lead again.
- 'disqualified' closes a lead until 'recycled' opens it again.
- A merged lead is closed while it is another lead, and what that one enters then
  is entered by it too; a lead that takes over one past the target is closed as well.
- A point that is not mature has no label, even when the lead has already
  converted: only conversions can be known early, so keeping them would leave
  positives without the negatives that belong beside them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.dataset.settings import TargetSettings
from mqlml.tables.contracts import CLOSED_STAGES, STAGE_ORDER, Tables

Times = npt.NDArray[np.int64]
Labels = npt.NDArray[np.float64]

FLAT_OUTCOME = "outcome"
REOPENING_STAGE = "recycled"


@dataclass(frozen=True)
class Lifecycles:
    """Per lead, sorted by lead_id: creation, first passing of the target, closed spells.

    `closed_from` and `closed_until` hold one array per spell: the first spell of
    every lead, then the second of those that have one (NEVER elsewhere).
    """

    lead_ids: "pd.Series[str]"
    created_at: Times
    passed_at: Times
    outcome: Labels
    closed_from: tuple[Times, ...]
    closed_until: tuple[Times, ...]

    def are_open(self, leads: npt.NDArray[np.intp], as_of: Times) -> npt.NDArray[np.bool_]:
        """Return which (lead, as_of) pairs are neither past the target nor closed."""
        is_open = np.asarray(timeline.is_open(self.passed_at[leads], as_of))
        for start, stop in zip(self.closed_from, self.closed_until, strict=True):
            is_closed = np.asarray(timeline.is_seen(start[leads], as_of))
            is_reopened = np.asarray(timeline.is_seen(stop[leads], as_of))
            is_open &= ~is_closed | is_reopened
        return is_open


def days_to_micros(days: float) -> int:
    """Return whole microseconds of a number of days.

    >>> days_to_micros(0.5)
    43200000000
    """
    return round(days * timeline.MICROS_PER_DAY)


def gap_of(target: TargetSettings) -> int:
    """Return how long after `as_of` a label is decided and reported, in microseconds.

    Zero without a horizon: such an outcome has no date to wait for.
    """
    if target.horizon_days is None:
        return 0
    return days_to_micros(target.horizon_days) + days_to_micros(target.reporting_lag_days)


def micros(times: "pd.Series[pd.Timestamp]") -> Times:
    """Return a time column as microseconds since 1970 UTC."""
    instants = pd.to_datetime(times, utc=True).dt.as_unit("us")
    return np.asarray(instants.astype("int64"), dtype=np.int64)


def lifecycles(tables: Tables, target: TargetSettings) -> Lifecycles:
    """Return the lifecycle of every lead, sorted by lead_id.

    A flat outcome has no date, so nothing passes and nothing closes there.
    Stage rows of unknown leads are ignored; row order changes nothing.
    """
    leads = tables.leads.astype({"lead_id": "str"})
    leads = leads.sort_values("lead_id", kind="stable", ignore_index=True)
    passed_at = np.full(len(leads), timeline.NEVER)
    closed: tuple[tuple[Times, ...], tuple[Times, ...]] = ((), ())
    if target.stage != FLAT_OUTCOME and (len(tables.stages) or len(tables.merges)):
        steps = _steps(tables.stages, leads["lead_id"])
        passing = STAGE_ORDER[STAGE_ORDER.index(target.stage) :]
        entries = steps[steps["stage"].isin(passing)]
        reached = entries.drop_duplicates("lead")
        passed_at[reached["lead"]] = reached["at"]
        closed = _closed_spells(steps, len(leads))
        if len(tables.merges):
            passed_at, merged = _merged(tables.merges, leads["lead_id"], entries, passed_at)
            closed = (closed[0] + merged[0], closed[1] + merged[1])
    return Lifecycles(
        leads["lead_id"], micros(leads["created_at"]), passed_at, _outcomes(leads), *closed
    )


def _merged(
    merges: pd.DataFrame, lead_ids: "pd.Series[str]", entries: pd.DataFrame, passed_at: Times
) -> tuple[Times, tuple[tuple[Times, ...], tuple[Times, ...]]]:
    """Return when leads passed with merges taken into account, and the spells these close."""
    place = pd.Index(lead_ids)
    lead = place.get_indexer(pd.Index(merges["lead_id"]))
    survivor = place.get_indexer(pd.Index(merges["survivor"]))
    begin = micros(merges["known_at"])
    end = np.where(merges["ended_at"].isna(), timeline.NEVER, micros(merges["ended_at"]))
    after = passed_at.copy()
    of_survivors = entries[entries["lead"].isin(survivor)]
    by_lead = {one: times.to_numpy(np.int64) for one, times in of_survivors.groupby("lead")["at"]}
    spells = []
    for one, other, start, stop in zip(lead, survivor, begin, end, strict=True):
        spells.append((int(one), start, stop))
        if timeline.is_seen(passed_at[one], start):
            spells.append((int(other), start, stop))
        entered = by_lead.get(other, np.empty(0, np.int64))
        later = entered[timeline.is_from(entered, start) & timeline.is_seen(entered, stop)]
        after[one] = min(after[one], later.min(initial=timeline.NEVER))
    turns = pd.DataFrame(spells, columns=["lead", "at", "stop"])
    starts = tuple(_ordinals(turns[["lead", "at"]], len(lead_ids)))
    stops = tuple(
        _ordinals(turns[["lead", "stop"]].set_axis(["lead", "at"], axis=1), len(lead_ids))
    )
    return after, (starts, stops)


def label_points(
    cycles: Lifecycles,
    leads: npt.NDArray[np.intp],
    as_of: Times,
    *,
    target: TargetSettings,
    data_end: int,
) -> Labels:
    """Return 1, 0 or NaN per point; NaN where the label is not final or not known."""
    if target.stage == FLAT_OUTCOME:
        labels = cycles.outcome[leads]
    else:
        horizon = days_to_micros(target.horizon_days or 0)
        labels = np.asarray(timeline.is_in_horizon(cycles.passed_at[leads], as_of, horizon), float)
    if target.horizon_days is None:
        return labels
    horizon = days_to_micros(target.horizon_days)
    lag = days_to_micros(target.reporting_lag_days)
    return np.where(timeline.is_mature(as_of, horizon, lag, data_end), labels, np.nan)


def _steps(stages: pd.DataFrame, lead_ids: "pd.Series[str]") -> pd.DataFrame:
    """Return stage entries as (lead position, stage, at) in order of lead and time."""
    lead = pd.Index(lead_ids).get_indexer(pd.Index(stages["lead_id"]))
    steps = pd.DataFrame(
        {"lead": lead, "stage": stages["stage"].to_numpy(), "at": micros(stages["entered_at"])}
    )
    # At the same instant a lead is closed first and reopened after: 'disqualified' < 'recycled'.
    steps = steps[steps["lead"] >= 0].sort_values(["lead", "at", "stage"], kind="stable")
    return steps.reset_index(drop=True)


def _closed_spells(
    steps: pd.DataFrame, lead_count: int
) -> tuple[tuple[Times, ...], tuple[Times, ...]]:
    """Return the k-th closed spell of every lead as arrays of starts and of stops."""
    turns = steps[steps["stage"].isin([*CLOSED_STAGES, REOPENING_STAGE])]
    is_closing = turns["stage"].isin(CLOSED_STAGES)
    # A second closing inside a spell, or a reopening of an open lead, changes nothing.
    before = is_closing.groupby(turns["lead"]).shift(fill_value=False)
    turns = turns[is_closing != before]
    is_closing = turns["stage"].isin(CLOSED_STAGES)
    pairs = list(_ordinals(turns[is_closing], lead_count))
    stops = list(_ordinals(turns[~is_closing], lead_count))
    never = np.full(lead_count, timeline.NEVER)
    stops += [never] * (len(pairs) - len(stops))
    return tuple(pairs), tuple(stops)


def _ordinals(turns: pd.DataFrame, lead_count: int) -> Iterator[Times]:
    """Yield the first time of every lead, then the second, and so on (NEVER where none)."""
    ordinal = turns.groupby("lead").cumcount()
    for _, part in turns.groupby(ordinal):
        times = np.full(lead_count, timeline.NEVER)
        times[part["lead"]] = part["at"]
        yield times


def _outcomes(leads: pd.DataFrame) -> Labels:
    if "outcome" not in leads.columns:
        return np.full(len(leads), np.nan)
    outcomes = leads["outcome"].astype("boolean").astype("Float64")
    return np.asarray(outcomes.to_numpy(float, na_value=np.nan), dtype=np.float64)
