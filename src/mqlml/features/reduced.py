"""The events of one bucket as arrays in the kernel's order, made piece by whole.

A piece is an Arrow table of some of the bucket's events. It is reduced as soon as
it comes, into arrays that have room for all events from the start: leads become
numbers, texts codes and signals patterns, so that no more than one piece is held in
full, however many events a lead has. Bots have no signal; strangers (leads without
points) stand in no lead's range.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import BucketEvents, Codes, Flags, Floats, Ints
from mqlml.features.patterns import column_codes, signal_patterns
from mqlml.features.signals import Signal
from mqlml.features.spell_ranges import Ranges, by_spell, lead_ranges
from mqlml.tables.buckets import ORDER_MARK
from mqlml.timeline import EVER, NEVER, counts_from

EventIds = Callable[[], pa.Table]

_UNBOUNDED: Ints = np.empty(0, np.int64)


@dataclass(frozen=True)
class Source:
    """Where the events of a bucket come from: how many they are, and they piece by whole.

    `event_ids` is called for the table of all pieces' event_id only if events at one
    instant must be told apart and the pieces do not come in their order.
    """

    rows: int
    pieces: Iterable[pa.Table]
    event_ids: EventIds
    # Where the arrays lie in files of their own, because memory is short; None: in memory.
    scratch: Path | None = None


@dataclass(frozen=True)
class Reading:
    """What is read of the events: signals, columns of numbers and of texts, memberships.

    `members` are numbers of signals, whose events are told by a 1 in a column of numbers.
    """

    signals: tuple[Signal, ...]
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    members: tuple[int, ...]
    is_order_needed: bool


@dataclass(frozen=True)
class Bucket:
    """Events sorted by (lead, at, event_id); `leads[i]` has those from `starts[i]` to `ends[i]`.

    Leads are numbers, ascending, of leads with points only. A range is of the points with
    as_of in `(after[i], until[i]]`: a lead that was merged with another, or is no longer, has
    a range for every spell of its time.
    """

    leads: Ints
    starts: Ints
    ends: Ints
    events: BucketEvents
    after: Ints
    until: Ints


@dataclass(frozen=True)
class _Arrays:
    """Events as arrays, in the order of the files; without spells no bounds."""

    lead: Codes
    instants: Ints
    patterns: Codes
    numbers: Floats
    codes: Codes
    after: Ints
    until: Ints

    def rows(self, rows: Ints) -> "_Arrays":
        """Return some of the events, in another order."""
        return _Arrays(
            self.lead[rows],
            self.instants[rows],
            self.patterns[rows],
            # By `take`, whose rows lie one after the other: the kernel is compiled for this only.
            self.numbers.take(rows, axis=1),
            self.codes.take(rows, axis=1),
            self.after[rows] if len(self.after) else self.after,
            self.until[rows] if len(self.until) else self.until,
        )


@dataclass
class _Seen:
    """The texts and the lists of signals that the pieces so far have, numbered; their bounds."""

    texts: dict[str, dict[str, int]] = field(default_factory=dict)
    holds: list[Flags] = field(default_factory=list)
    after: list[Ints] = field(default_factory=list)
    until: list[Ints] = field(default_factory=list)
    rows: int = 0
    is_marked: bool = True


def reduce_bucket(
    source: Source, reading: Reading, leads: pd.Index, connection: duckdb.DuckDBPyConnection
) -> Bucket:
    """Return the events of one bucket for the kernel; `leads` are the leads with points, sorted."""
    seen, whole = _Seen(), _room_for(source, reading)
    for table in source.pieces:
        _fill(whole, table, reading, leads, seen=seen, connection=connection)
        del table  # or it would be held while the next one is read
    whole = replace(whole, after=_joined(seen.after), until=_joined(seen.until))
    if not _is_sorted(whole):
        whole = _sorted(whole, source.event_ids if reading.is_order_needed else None)
    elif reading.is_order_needed and not seen.is_marked:
        whole = _sorted(whole, source.event_ids)
    return _bucket(whole, seen, len(reading.signals))


def bytes_per_event(reading: Reading) -> int:
    """Return what an event takes in memory until its bucket is done, the kernel's lists included.

    Apart from numbers and codes: lead, instant, pattern, place in a list, place of a rank.
    """
    numbers, codes = len(reading.numbers) + len(reading.members), len(reading.texts)
    return 4 + 8 + 4 + 4 + 4 + 8 * numbers + 4 * codes


def _room_for(source: Source, reading: Reading) -> _Arrays:
    def room(rows: int | None, kind: "np.dtype[Any]") -> Any:
        shape = (source.rows,) if rows is None else (rows, source.rows)
        if source.scratch is None or 0 in shape:
            return np.empty(shape, kind)
        with tempfile.TemporaryFile(dir=source.scratch) as file:
            # A plain array, of the one type that the kernel is compiled for. The file goes with it.
            return np.asarray(np.memmap(file, kind, "w+", shape=shape))

    codes, times, numbers = np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.float64)
    return _Arrays(
        room(None, codes),
        room(None, times),
        room(None, codes),
        room(len(reading.numbers) + len(reading.members), numbers),
        room(len(reading.texts), codes),
        _UNBOUNDED,
        _UNBOUNDED,
    )


def _fill(
    whole: _Arrays,
    events: pa.Table,
    reading: Reading,
    leads: pd.Index,
    *,
    seen: _Seen,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Put a piece behind the pieces before it."""
    place = slice(seen.rows, seen.rows + events.num_rows)
    patterns = signal_patterns(connection, events, reading.signals)
    holds = np.vstack([patterns.holds, np.zeros((1, len(reading.signals)), np.bool_)])
    of_event = patterns.codes
    of_event[_flags(events["is_bot"])] = len(holds) - 1
    for row, name in enumerate(reading.numbers):
        whole.numbers[row, place] = events[name].to_numpy()
    for row, signal in enumerate(reading.members, start=len(reading.numbers)):
        whole.numbers[row, place] = holds[of_event, signal]
    for row, name in enumerate(reading.texts):
        whole.codes[row, place] = _text_codes(events[name], seen.texts.setdefault(name, {}))
    np.add(of_event, sum(map(len, seen.holds)), out=whole.patterns[place])
    whole.lead[place] = _lead_numbers(events, leads)
    whole.instants[place] = _times(events)
    seen.holds.append(holds)
    seen.after.append(_bound(events, "counts_after", -EVER))
    seen.until.append(_bound(events, "counts_until", NEVER))
    seen.rows += events.num_rows
    seen.is_marked &= ORDER_MARK.items() <= (events.schema.metadata or {}).items()


def _lead_numbers(events: pa.Table, leads: pd.Index) -> Codes:
    """Return the number of each event's lead, -1 for a lead without points."""
    ids = events["lead_id"].combine_chunks()
    numbers = leads.get_indexer(pd.Index(ids.dictionary.to_pandas(), dtype="str"))
    return np.append(numbers, -1).astype(np.int32)[column_codes(events["lead_id"])]


def _flags(column: pa.ChunkedArray) -> Flags:
    return np.asarray(column.fill_null(False).to_numpy(), dtype=np.bool_)


def _times(events: pa.Table) -> Ints:
    occurred_at, arrived_at = (
        events[name].combine_chunks().view(pa.int64()).to_numpy()
        for name in ("occurred_at", "arrived_at")
    )
    return counts_from(occurred_at, arrived_at)


def _bound(events: pa.Table, name: str, without: int) -> Ints:
    """Return a bound of each event's spell, `without` where it has none.

    The bound of a piece in which no event has one takes no room: it is one value repeated.
    """
    if name not in events.column_names or events[name].null_count == events.num_rows:
        return np.broadcast_to(np.int64(without), events.num_rows)
    times = pa.chunked_array([events[name].combine_chunks().view(pa.int64())])
    return np.asarray(times.fill_null(without).to_numpy(), np.int64)


def _joined(bounds: list[Ints]) -> Ints:
    """Return the bounds of all pieces, nothing if no event has one."""
    if all(bound.strides == (0,) for bound in bounds):
        return _UNBOUNDED
    return np.concatenate(bounds)


def _text_codes(column: pa.ChunkedArray, known: dict[str, int]) -> Codes:
    """Return the codes of a column's texts, equal for equal texts of all pieces."""
    array = column.combine_chunks()
    if not isinstance(array, pa.DictionaryArray):
        array = array.dictionary_encode()
    codes = [known.setdefault(text, len(known)) for text in array.dictionary.to_pylist()]
    return np.array([*codes, -1], np.int32)[column_codes(pa.chunked_array([array]))]


def _is_sorted(whole: _Arrays) -> bool:
    """Return whether leads ascend, strangers apart, and within each lead the times."""
    lead, at = whole.lead, whole.instants
    is_same = lead[1:] == lead[:-1]
    if (is_same & (at[1:] < at[:-1])).any():
        return False
    firsts = lead[np.append(True, ~is_same)[: len(lead)]]
    firsts = firsts[firsts >= 0]
    return bool((firsts[1:] > firsts[:-1]).all())


def _sorted(whole: _Arrays, event_ids: EventIds | None) -> _Arrays:
    order = np.lexsort((whole.instants, whole.lead))
    if event_ids is not None:
        order = _break_ties(order, whole, event_ids)
    return whole.rows(order)


def _break_ties(order: Ints, whole: _Arrays, event_ids: EventIds) -> Ints:
    """Return `order` with events of the same lead and instant put in the order of event_id."""
    lead, at = whole.lead[order], whole.instants[order]
    is_new = np.ones(len(order) + 1, np.bool_)
    is_new[1:-1] = (np.diff(lead) != 0) | (np.diff(at) != 0)
    tied = np.flatnonzero(~(is_new[:-1] & is_new[1:]) & (lead >= 0))
    if len(tied) == 0:
        return order
    ids = event_ids()["event_id"].take(pa.array(order[tied])).to_numpy()
    _, ranks = np.unique(ids, return_inverse=True)
    group = np.cumsum(is_new[:-1])[tied]
    settled = order.copy()
    settled[tied] = order[tied][np.lexsort((ranks, group))]
    return settled


def _bucket(whole: _Arrays, seen: _Seen, signals: int) -> Bucket:
    ranges = lead_ranges(whole.lead)
    if len(whole.after) or len(whole.until):
        whole, ranges = _by_spell(whole, ranges)
    holds = np.concatenate([np.empty((0, signals), np.bool_), *seen.holds])
    return Bucket(
        ranges.leads,
        ranges.starts,
        ranges.ends,
        BucketEvents(
            whole.instants,
            whole.patterns,
            np.concatenate(([0], np.cumsum(holds.sum(axis=1)))).astype(np.int64),
            np.nonzero(holds)[1].astype(np.int64),
            whole.numbers,
            whole.codes,
            np.full(whole.codes.max(initial=0) + 2, -1, np.int64),
        ),
        ranges.after,
        ranges.until,
    )


def _by_spell(whole: _Arrays, ranges: Ranges) -> tuple[_Arrays, Ranges]:
    """Return the events with those of further spells appended, and the ranges by spell."""
    count = len(whole.lead)
    after = whole.after if len(whole.after) else np.full(count, -EVER)
    until = whole.until if len(whole.until) else np.full(count, NEVER)
    added, ranges = by_spell(ranges, after, until)
    return whole.rows(np.concatenate([np.arange(count), added])), ranges
