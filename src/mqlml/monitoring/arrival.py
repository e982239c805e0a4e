"""How long events wait between happening and arriving, by source, of late and before."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.features.event_files import event_buckets, read_columns
from mqlml.monitoring.evidence import Ints, micros_of
from mqlml.tables.contracts import EventLog

COLUMNS = (
    "source",
    "events",
    "median_h",
    "slow_h",
    "late_share",
    "before_h",
    "slow_before_h",
    "ahead_share",
)
# Leads are spread over buckets by a hash: the first buckets are a fair sample of them.
_ENOUGH_EVENTS = 2_000_000
# Bins of the delays, so that memory does not grow with the log: 2.3 % apart from a second on.
_BINS_PER_DECADE = 100
_TOP = 10 * _BINS_PER_DECADE
_SLOW = 0.9
# So many events of a source are no chance.
_MANY = 0.05
_SLOWER, _MOST_OF_A_DAY_H = 2.0, 20.0


def arrival_delays(log: EventLog, *, as_of: int, recent_days: float) -> pd.DataFrame:
    """Return one row per source with hours from happening to arriving, by source's name.

    Columns: source, events (of late), median_h and slow_h (one event in ten waits longer),
    late_share (waited over a day), before_h and slow_before_h of all events before, ahead_share
    (lately, arrived over an hour before they happened: a clock runs ahead). Of late are
    events that arrived within `recent_days` before `as_of`; nothing later is looked at. Hours
    are right to 2.3 %; NaN where there is no event.
    """
    recent_from = as_of - round(recent_days * timeline.MICROS_PER_DAY)
    counts: dict[str, Ints] = {}
    odd: dict[str, Ints] = {}
    for frame in _sample(log):
        arrived, occurred = micros_of(frame["arrived_at"]), micros_of(frame["occurred_at"])
        gaps = arrived - occurred
        waits = np.maximum(gaps, 0)
        seen = np.asarray(timeline.is_seen(arrived, np.full_like(arrived, as_of)))
        period = np.asarray(timeline.is_from(arrived, recent_from)).astype(np.int64)
        sources = frame["source"].fillna("").astype(str)
        for source, place in sources[seen].groupby(sources[seen]).groups.items():
            rows = place.to_numpy(np.int64)
            name = str(source)
            own = counts.setdefault(name, np.zeros((2, _TOP + 1), dtype=np.int64))
            np.add.at(own, (period[rows], _bins(waits[rows])), 1)
            lately = gaps[rows][period[rows] == 1]
            is_odd = (lately > timeline.MICROS_PER_DAY, lately < -timeline.MICROS_PER_HOUR)
            odd[name] = odd.get(name, np.zeros(2, np.int64)) + [one.sum() for one in is_odd]
    rows_of = [_row(name, counts[name], odd[name]) for name in sorted(counts)]
    return pd.DataFrame(rows_of, columns=list(COLUMNS))


def _sample(log: EventLog) -> Iterator[pd.DataFrame]:
    read = 0
    for files in event_buckets(log):
        if read >= _ENOUGH_EVENTS:
            return
        for file in files:
            frame = read_columns(file, ("source", "occurred_at", "arrived_at"))
            read += len(frame)
            yield frame.reset_index(drop=True)


def _bins(waits: Ints) -> Ints:
    """Return the bin of each delay; below a second is bin 0."""
    seconds = waits / timeline.MICROS_PER_SECOND
    logs = np.log10(np.maximum(seconds, 1.0)) * _BINS_PER_DECADE
    return np.minimum(np.round(logs).astype(np.int64), _TOP)


def arrival_warnings(arrival: pd.DataFrame) -> tuple[str, ...]:
    """Return in sentences which sources' clocks run ahead, and whose events arrive later lately."""
    told = []
    for row in arrival.to_dict("records"):
        name = row["source"] or "events without a source"
        if row["ahead_share"] >= _MANY:
            told.append(
                f"{name}: {row['ahead_share']:.0%} of the latest events arrived before they "
                "happened: its clock or its timezone is off"
            )
        waits = ((row["slow_h"], row["slow_before_h"]), (row["median_h"], row["before_h"]))
        if any(is_slower(now, before) for now, before in waits):
            told.append(
                f"{name}: events arrive later than they did: its export is late, or its clock "
                "behind"
            )
    return tuple(told)


def is_slower(now_h: float, before_h: float) -> bool:
    """Return whether a wait grew to over twice what it was, and by most of a day.

    >>> is_slower(24.0, 0.1), is_slower(5.0, 0.1), is_slower(120.0, 110.0)
    (True, False, False)
    """
    return now_h > _SLOWER * before_h and now_h - before_h > _MOST_OF_A_DAY_H


def _row(source: str, counts: Ints, odd: Ints) -> tuple[object, ...]:
    recent, before = counts[1], counts[0]
    events = int(recent.sum())
    return (
        source,
        events,
        _quantile(recent, 0.5),
        _quantile(recent, _SLOW),
        int(odd[0]) / events if events else float("nan"),
        _quantile(before, 0.5),
        _quantile(before, _SLOW),
        int(odd[1]) / events if events else float("nan"),
    )


def _quantile(counts: Ints, share: float) -> float:
    """Return the delay in hours that `share` of the events stay below; NaN without events."""
    total = int(counts.sum())
    if not total:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(counts), share * total))
    seconds = 10.0 ** (place / _BINS_PER_DECADE) if place else 0.0
    return float(seconds / 3600.0)
