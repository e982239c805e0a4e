"""The events of one bucket as arrays in the kernel's order, made piece by piece.

A piece is an Arrow table of some of the bucket's events. It is reduced as soon as
it comes: leads become numbers, texts codes and signals patterns, so that no more
than one piece is held in full, however many events a lead has. Bots have no
signal; strangers (leads without points) stand in no lead's range.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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
class _Piece:
    """Some events as arrays, in the order of the file."""

    lead: Codes
    instants: Ints
    patterns: Codes
    numbers: Floats
    codes: Codes
    after: Ints
    until: Ints
    is_marked: bool


@dataclass
class _Seen:
    """The texts and the lists of signals that the pieces so far have, numbered."""

    texts: dict[str, dict[str, int]] = field(default_factory=dict)
    holds: list[Flags] = field(default_factory=list)


def reduce_bucket(
    pieces: Iterable[pa.Table],
    event_ids: EventIds,
    reading: Reading,
    leads: pd.Index,
    connection: duckdb.DuckDBPyConnection,
) -> Bucket:
    """Return the events of one bucket for the kernel; `leads` are the leads with points, sorted.

    `event_ids` is called for the table of all pieces' event_id only if events at one
    instant must be told apart and the pieces do not come in their order.
    """
    seen = _Seen()
    made = [_piece(table, reading, leads, seen, connection) for table in pieces]
    whole = _joined(made, reading)
    if not _is_sorted(whole):
        whole = _sorted(whole, event_ids if reading.is_order_needed else None)
    elif reading.is_order_needed and not whole.is_marked:
        whole = _sorted(whole, event_ids)
    return _bucket(whole, seen, len(reading.signals))


def _piece(
    events: pa.Table,
    reading: Reading,
    leads: pd.Index,
    seen: _Seen,
    connection: duckdb.DuckDBPyConnection,
) -> _Piece:
    count = events.num_rows
    patterns = signal_patterns(connection, events, reading.signals)
    holds = np.vstack([patterns.holds, np.zeros((1, len(reading.signals)), np.bool_)])
    of_event = patterns.codes
    of_event[_flags(events["is_bot"])] = len(holds) - 1
    numbers = np.empty((len(reading.numbers) + len(reading.members), count), np.float64)
    for row, name in enumerate(reading.numbers):
        numbers[row] = events[name].to_numpy()
    for row, signal in enumerate(reading.members, start=len(reading.numbers)):
        numbers[row] = holds[of_event, signal]
    codes = np.empty((len(reading.texts), count), np.int32)
    for row, name in enumerate(reading.texts):
        codes[row] = _text_codes(events[name], seen.texts.setdefault(name, {}))
    of_event += sum(map(len, seen.holds))
    seen.holds.append(holds)
    return _Piece(
        _lead_numbers(events, leads),
        _times(events),
        of_event,
        numbers,
        codes,
        _bound(events, "counts_after", -EVER),
        _bound(events, "counts_until", NEVER),
        ORDER_MARK.items() <= (events.schema.metadata or {}).items(),
    )


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
    """Return a bound of each event's spell, `without` where it has none; empty without any."""
    if name not in events.column_names or events[name].null_count == events.num_rows:
        return np.empty(0, np.int64)
    times = pa.chunked_array([events[name].combine_chunks().view(pa.int64())])
    return np.asarray(times.fill_null(without).to_numpy(), np.int64)


def _text_codes(column: pa.ChunkedArray, known: dict[str, int]) -> Codes:
    """Return the codes of a column's texts, equal for equal texts of all pieces."""
    array = column.combine_chunks()
    if not isinstance(array, pa.DictionaryArray):
        array = array.dictionary_encode()
    codes = [known.setdefault(text, len(known)) for text in array.dictionary.to_pylist()]
    return np.array([*codes, -1], np.int32)[column_codes(pa.chunked_array([array]))]


def _joined(pieces: list[_Piece], reading: Reading) -> _Piece:
    """Return the pieces as one; they are let go of field by field, to spare memory."""
    if len(pieces) == 1:
        return pieces[0]
    is_marked = all(piece.is_marked for piece in pieces)
    bounds = _joined_bounds(pieces)
    fields = [[p.lead, p.instants, p.patterns, p.numbers, p.codes] for p in pieces]
    pieces.clear()
    rows = (len(reading.numbers) + len(reading.members), len(reading.texts))
    empty = (
        np.empty(0, np.int32),
        np.empty(0, np.int64),
        np.empty(0, np.int32),
        np.empty((rows[0], 0)),
        np.empty((rows[1], 0), np.int32),
    )
    joined: list[Any] = [
        np.concatenate([nothing, *(of_piece.pop(0) for of_piece in fields)], axis=-1)
        for nothing in empty
    ]
    lead, instants, patterns, numbers, codes = joined
    return _Piece(lead, instants, patterns, numbers, codes, *bounds, is_marked)


def _joined_bounds(pieces: list[_Piece]) -> tuple[Ints, Ints]:
    """Return the bounds of all pieces, empty if none has any."""
    joined = []
    for name, without in (("after", -EVER), ("until", NEVER)):
        own = [getattr(piece, name) for piece in pieces]
        if any(len(bound) for bound in own):
            sized = zip(own, pieces, strict=True)
            own = [b if len(b) else np.full(len(p.lead), without) for b, p in sized]
        joined.append(np.concatenate([np.empty(0, np.int64), *own]))
    return joined[0], joined[1]


def _is_sorted(piece: _Piece) -> bool:
    """Return whether leads ascend, strangers apart, and within each lead the times."""
    lead, at = piece.lead, piece.instants
    is_same = lead[1:] == lead[:-1]
    if (is_same & (at[1:] < at[:-1])).any():
        return False
    firsts = lead[np.append(True, ~is_same)[: len(lead)]]
    firsts = firsts[firsts >= 0]
    return bool((firsts[1:] > firsts[:-1]).all())


def _sorted(piece: _Piece, event_ids: EventIds | None) -> _Piece:
    order = np.lexsort((piece.instants, piece.lead))
    if event_ids is not None:
        order = _break_ties(order, piece, event_ids)
    return _taken(piece, order)


def _taken(piece: _Piece, rows: Ints) -> _Piece:
    return _Piece(
        piece.lead[rows],
        piece.instants[rows],
        piece.patterns[rows],
        # By `take`, whose rows lie one after the other: the kernel is compiled for this only.
        piece.numbers.take(rows, axis=1),
        piece.codes.take(rows, axis=1),
        piece.after[rows] if len(piece.after) else piece.after,
        piece.until[rows] if len(piece.until) else piece.until,
        is_marked=True,
    )


def _break_ties(order: Ints, piece: _Piece, event_ids: EventIds) -> Ints:
    """Return `order` with events of the same lead and instant put in the order of event_id."""
    lead, at = piece.lead[order], piece.instants[order]
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


def _bucket(piece: _Piece, seen: _Seen, signals: int) -> Bucket:
    ranges = lead_ranges(piece.lead)
    if len(piece.after) or len(piece.until):
        piece, ranges = _by_spell(piece, ranges)
    holds = np.concatenate([np.empty((0, signals), np.bool_), *seen.holds])
    return Bucket(
        ranges.leads,
        ranges.starts,
        ranges.ends,
        BucketEvents(
            piece.instants,
            piece.patterns,
            np.concatenate(([0], np.cumsum(holds.sum(axis=1)))).astype(np.int64),
            np.nonzero(holds)[1].astype(np.int64),
            piece.numbers,
            piece.codes,
            np.full(piece.codes.max(initial=0) + 2, -1, np.int64),
        ),
        ranges.after,
        ranges.until,
    )


def _by_spell(piece: _Piece, ranges: Ranges) -> tuple[_Piece, Ranges]:
    """Return the piece with the rows of further spells appended, and the ranges by spell."""
    count = len(piece.lead)
    after = piece.after if len(piece.after) else np.full(count, -EVER)
    until = piece.until if len(piece.until) else np.full(count, NEVER)
    added, ranges = by_spell(ranges, after, until)
    rows = np.concatenate([np.arange(count), added])
    return _taken(piece, rows), ranges
