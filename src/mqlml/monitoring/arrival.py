"""How long events wait between happening and arriving, by source, of late and before."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.features.event_files import event_buckets, read_columns
from mqlml.monitoring.evidence import Ints, micros_of
from mqlml.tables.contracts import EventLog

COLUMNS = ("source", "events", "median_h", "slow_h", "late_share", "before_h", "slow_before_h")
# Leads are spread over buckets by a hash: the first buckets are a fair sample of them.
_ENOUGH_EVENTS = 2_000_000
# Bins of the delays, so that memory does not grow with the log: 2.3 % apart from a second on.
_BINS_PER_DECADE = 100
_TOP = 10 * _BINS_PER_DECADE
_SLOW = 0.9


def arrival_delays(log: EventLog, *, as_of: int, recent_days: float) -> pd.DataFrame:
    """Return one row per source with hours from happening to arriving, by source's name.

    Columns: source, events (of late), median_h and slow_h (one event in ten waits longer),
    late_share (waited over a day), before_h and slow_before_h of all events before. Of late are
    events that arrived within `recent_days` before `as_of`; nothing later is looked at. Hours
    are right to 2.3 %; NaN where there is no event.
    """
    recent_from = as_of - round(recent_days * timeline.MICROS_PER_DAY)
    counts: dict[str, Ints] = {}
    late: dict[str, int] = {}
    for frame in _sample(log):
        arrived, occurred = micros_of(frame["arrived_at"]), micros_of(frame["occurred_at"])
        waits = np.maximum(arrived - occurred, 0)
        seen = np.asarray(timeline.is_seen(arrived, np.full_like(arrived, as_of)))
        period = np.asarray(timeline.is_from(arrived, recent_from)).astype(np.int64)
        sources = frame["source"].fillna("").astype(str)
        for source, place in sources[seen].groupby(sources[seen]).groups.items():
            rows = place.to_numpy(np.int64)
            name = str(source)
            own = counts.setdefault(name, np.zeros((2, _TOP + 1), dtype=np.int64))
            np.add.at(own, (period[rows], _bins(waits[rows])), 1)
            is_late = (waits[rows] > timeline.MICROS_PER_DAY) & (period[rows] == 1)
            late[name] = late.get(name, 0) + int(is_late.sum())
    rows_of = [_row(name, counts[name], late[name]) for name in sorted(counts)]
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


def _row(
    source: str, counts: Ints, late: int
) -> tuple[str, int, float, float, float, float, float]:
    recent, before = counts[1], counts[0]
    events = int(recent.sum())
    return (
        source,
        events,
        _quantile(recent, 0.5),
        _quantile(recent, _SLOW),
        late / events if events else float("nan"),
        _quantile(before, 0.5),
        _quantile(before, _SLOW),
    )


def _quantile(counts: Ints, share: float) -> float:
    """Return the delay in hours that `share` of the events stay below; NaN without events."""
    total = int(counts.sum())
    if not total:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(counts), share * total))
    seconds = 10.0 ** (place / _BINS_PER_DECADE) if place else 0.0
    return float(seconds / 3600.0)
