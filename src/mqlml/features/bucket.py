"""One bucket of events to its rows of the matrix: what every engine calls.

The events come as an Arrow table from a reader that is asked for the columns
needed; the rest is arrays: leads become numbers, bots and strangers go, signals
become patterns, events are put in order, and the kernel sweeps over them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import BucketEvents, BucketLeads, Floats, Ints, Tasks
from mqlml.features.columns import Feature
from mqlml.features.kernel import sweep
from mqlml.features.kinds.catalogue import KINDS, NUMBERS
from mqlml.features.patterns import Patterns, column_codes, columns_read, signal_patterns
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.timeline import MICROS_PER_SECOND, counts_from

EventReader = Callable[[Sequence[str]], pa.Table]

# Kinds whose result may depend on which of two events at the same instant comes first.
_ORDERED = frozenset({"sum", "mean", "last_value", "time_spent"})


@dataclass(frozen=True)
class Points:
    """All points sorted by (lead, as_of), and for each of them the row it came from.

    Lead i has the points `starts[i]` to `starts[i + 1]`.
    """

    leads: pd.Index
    starts: Ints
    as_of: Ints
    rows: Ints


@dataclass(frozen=True)
class Work:
    """What a plan asks of the events: the kernel's tasks and the columns they read.

    `members` are numbers of signals: of those the events' membership is read like a number.
    """

    signals: tuple[Signal, ...]
    tasks: Tasks
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    members: tuple[int, ...]
    empty: Floats
    is_order_needed: bool

    def columns(self, available: Sequence[str]) -> tuple[str, ...]:
        """Return the event columns to read, apart from event_id."""
        read = [name for s in self.signals for name in columns_read(s.where, available)]
        always = ("lead_id", "occurred_at", "arrived_at", "is_bot")
        return tuple(dict.fromkeys((*always, *self.numbers, *self.texts, *read)))


def arrange_points(points: pd.DataFrame) -> Points:
    """Return the points in the kernel's order; leads are numbered in the order of their ids."""
    codes, leads = pd.factorize(points["lead_id"], sort=True)
    as_of = points["as_of"].to_numpy(dtype=np.int64)
    rows = np.lexsort((as_of, codes)).astype(np.int64)
    starts = np.searchsorted(codes[rows], np.arange(len(leads) + 1)).astype(np.int64)
    return Points(pd.Index(leads), starts, as_of[rows], rows)


def arrange_work(plan: Plan) -> Work:
    """Return the plan's event features as the kernel's tasks, sorted by signal and window."""
    signal_numbers = {signal.name: number for number, signal in enumerate(plan.signals)}
    numbers = _columns_of(plan.features, "number", "duration")
    texts = _columns_of(plan.features, "text")
    shares = dict.fromkeys(f.signal.name for f in plan.features if f.among)
    rows = {**_numbered(numbers), **_numbered(texts)}
    member_rows = {name: len(numbers) + row for row, name in enumerate(shares)}

    def task(feature: Feature) -> tuple[int, int, int, int, float]:
        kind = NUMBERS[feature.kind]
        if feature.among:  # the mean, over the events of `among`, of being one of the signal
            signal, of = signal_numbers[feature.among.name], member_rows[feature.signal.name]
        else:
            signal, of = signal_numbers[feature.signal.name], rows.get(feature.of or "", -1)
        return signal, feature.window, kind, of, _parameter(feature)

    tasks = sorted((*task(f), column) for column, f in enumerate(plan.features))
    by_part = list(zip(*tasks, strict=True)) or [()] * 6
    signals, windows, kinds, of, parameters, columns = by_part
    empty = [0.0 if KINDS[f.kind].empty == "0" else math.nan for f in plan.features]
    return Work(
        plan.signals,
        Tasks(
            signals=_ints(signals),
            windows=_ints(windows),
            kinds=_ints(kinds),
            of=_ints(of),
            parameters=np.array(parameters, dtype=np.float64),
            columns=_ints(columns),
        ),
        numbers,
        texts,
        tuple(signal_numbers[name] for name in shares),
        np.array(empty, dtype=np.float64),
        any(f.kind in _ORDERED for f in plan.features),
    )


def _parameter(feature: Feature) -> float:
    if feature.half_life:
        return math.log(2.0) / feature.half_life
    return feature.cap / MICROS_PER_SECOND if feature.cap else 0.0


def _columns_of(features: Sequence[Feature], *needs: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.of for f in features if f.of and KINDS[f.kind].of in needs))


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def empty_matrix(work: Work, rows: int) -> Floats:
    """Return the matrix of `rows` sorted points without events, one row per feature."""
    return np.repeat(work.empty[:, np.newaxis], rows, axis=1)


def restore_order(matrix: Floats, points: Points) -> None:
    """Put the columns of `matrix` back into the order in which the points came."""
    if (np.diff(points.rows) != 1).any():
        for feature in matrix:
            feature[points.rows] = feature.copy()


def fill_bucket(
    read: EventReader,
    work: Work,
    points: Points,
    matrix: Floats,
    *,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Fill `matrix` for the points whose leads have events in the bucket that `read` reads.

    `connection` is a sandbox, in which the signals' conditions run.
    """
    events = read(())
    lead = _lead_numbers(events, points.leads)
    kept = np.flatnonzero((lead >= 0) & ~_flags(events["is_bot"]))
    if len(kept) == 0:
        return
    if len(kept) < len(lead):
        events, lead = events.take(pa.array(kept)), lead[kept]
    at = _times(events)
    order = np.lexsort((at, lead))
    if work.is_order_needed:
        order = _break_ties(order, lead, at, lambda rows: _event_ids(read, kept[rows]))
    lead, at = lead[order], at[order]
    patterns = signal_patterns(connection, events, work.signals)
    sweep(
        _bucket_events(events, at, order, patterns, work),
        _bucket_leads(lead, points),
        points.as_of,
        work.tasks,
        len(work.signals),
        matrix,
    )


def _lead_numbers(events: pa.Table, leads: pd.Index) -> Ints:
    """Return the number of each event's lead, -1 for a lead without points."""
    ids = events["lead_id"].combine_chunks()
    numbers = leads.get_indexer(pd.Index(ids.dictionary.to_pandas(), dtype="str"))
    return np.append(numbers, -1)[column_codes(events["lead_id"])].astype(np.int64)


def _flags(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(column.fill_null(False).to_numpy(), dtype=np.bool_)


def _times(events: pa.Table) -> Ints:
    occurred_at, arrived_at = (
        events[name].combine_chunks().view(pa.int64()).to_numpy()
        for name in ("occurred_at", "arrived_at")
    )
    return counts_from(occurred_at, arrived_at)


def _event_ids(read: EventReader, rows: Ints) -> npt.NDArray[np.object_]:
    ids: npt.NDArray[np.object_] = read(("event_id",))["event_id"].take(pa.array(rows)).to_numpy()
    return ids


def _break_ties(
    order: Ints, lead: Ints, at: Ints, event_ids: Callable[[Ints], npt.NDArray[np.object_]]
) -> Ints:
    """Return `order` with events of the same lead and instant put in the order of event_id."""
    is_new = np.ones(len(order) + 1, np.bool_)
    is_new[1:-1] = (np.diff(lead[order]) != 0) | (np.diff(at[order]) != 0)
    tied = np.flatnonzero(~(is_new[:-1] & is_new[1:]))
    if len(tied) == 0:
        return order
    ids = event_ids(order[tied])
    _, ranks = np.unique(ids, return_inverse=True)
    group = np.cumsum(is_new[:-1])[tied]
    settled = order.copy()
    settled[tied] = order[tied][np.lexsort((ranks, group))]
    return settled


def _bucket_events(
    events: pa.Table, at: Ints, order: Ints, patterns: Patterns, work: Work
) -> BucketEvents:
    numbers = np.empty((len(work.numbers) + len(work.members), len(at)), np.float64)
    for row, name in enumerate(work.numbers):
        numbers[row] = events[name].to_numpy()[order]
    for row, signal in enumerate(work.members, start=len(work.numbers)):
        numbers[row] = patterns.holds[patterns.codes, signal][order]
    codes = np.empty((len(work.texts), len(at)), np.int32)
    for row, name in enumerate(work.texts):
        codes[row] = column_codes(events[name])[order]
    counts = patterns.holds.sum(axis=1)
    return BucketEvents(
        at,
        patterns.codes[order].astype(np.int32),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        np.nonzero(patterns.holds)[1].astype(np.int64),
        numbers,
        codes,
        np.full(codes.max(initial=0) + 2, -1, np.int64),
    )


def _bucket_leads(lead: Ints, points: Points) -> BucketLeads:
    present, first = np.unique(lead, return_index=True)
    return BucketLeads(
        first.astype(np.int64),
        np.append(first[1:], len(lead)).astype(np.int64),
        points.starts[present],
        points.starts[present + 1],
    )
