"""One bucket of events to its rows of the matrix: what every engine calls.

The events come as an Arrow table from a reader that is asked for the columns
needed; `reduced` makes arrays of them, and the kernel sweeps over those.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import BucketLeads, Floats, Ints, Tasks
from mqlml.features.columns import Feature
from mqlml.features.kernel import sweep
from mqlml.features.kinds.catalogue import KINDS, NUMBERS
from mqlml.features.patterns import columns_read
from mqlml.features.plan import Plan
from mqlml.features.reduced import Bucket, Reading, reduce_bucket
from mqlml.features.signals import Signal
from mqlml.tables.contracts import SPELL_COLUMNS
from mqlml.timeline import EVER, MICROS_PER_SECOND, NEVER

EventReader = Callable[[Sequence[str]], pa.Table]

# Kinds whose result may depend on which of two events at the same instant comes first.
_ORDERED = frozenset({"sum", "mean", "last_value", "time_spent"})

# A part of the matrix that is made and handed on at a time: some 40,000 points of 100 features.
_SLAB_BYTES = 32 * 2**20


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

    @property
    def reading(self) -> Reading:
        """Return what is read of the events."""
        return Reading(self.signals, self.numbers, self.texts, self.members, self.is_order_needed)

    def columns(self, available: Sequence[str]) -> tuple[str, ...]:
        """Return the event columns to read, apart from event_id."""
        read = [name for s in self.signals for name in columns_read(s.where, available)]
        always = ("lead_id", "occurred_at", "arrived_at", "is_bot")
        spells = [column.name for column in SPELL_COLUMNS if column.name in available]
        return tuple(dict.fromkeys((*always, *spells, *self.numbers, *self.texts, *read)))


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
    matrix = np.empty((len(work.empty), rows), np.float64)
    matrix[:] = work.empty[:, np.newaxis]
    return matrix


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
    bucket = reduce_bucket(
        [read(())], lambda: read(("event_id",)), work.reading, points.leads, connection
    )
    for first, last in slabs(bucket, points, work):
        places, part = fill_slab(bucket, work, points, first, last)
        for row, values in zip(matrix, part, strict=True):
            row[places] = values


def slab_points(work: Work) -> int:
    """Return how many points a slab has: it takes some `_SLAB_BYTES`."""
    return max(1, _SLAB_BYTES // (8 * max(1, len(work.empty))))


def slabs(bucket: Bucket, points: Points, work: Work) -> Iterator[tuple[int, int]]:
    """Yield ranges of the bucket's leads with the points of one slab.

    A lead is never split; without leads nothing is yielded. The ranges depend on the
    points and the number of features alone.
    """
    begins, ends = _places(bucket, points, 0, len(bucket.leads))
    rows = np.cumsum(ends - begins)
    first = 0
    while first < len(rows):
        before = rows[first - 1] if first else 0
        limit = before + slab_points(work)
        last = max(first + 1, int(np.searchsorted(rows, limit, side="right")))
        yield first, last
        first = last


def _places(bucket: Bucket, points: Points, first: int, last: int) -> tuple[Ints, Ints]:
    """Return where the points of the bucket's ranges `first` to `last` begin and end."""
    leads = bucket.leads[first:last]
    begins, ends = points.starts[leads], points.starts[leads + 1]
    after, until = bucket.after[first:last], bucket.until[first:last]
    for one in np.flatnonzero((after != -EVER) | (until != NEVER)):
        as_of = points.as_of[begins[one] : ends[one]]
        # A point sees the rows of the spell (after, until] in which it lies.
        span = np.searchsorted(as_of, [after[one], until[one]], side="right")
        begins[one], ends[one] = begins[one] + span[0], begins[one] + span[1]
    return begins, ends


def fill_slab(
    bucket: Bucket, work: Work, points: Points, first: int, last: int
) -> tuple[Ints, Floats]:
    """Return the places of the points of the leads `first` to `last`, and their matrix.

    The places are those in `points`, sorted by (lead, as_of); the matrix has a row per
    feature and a column per place.
    """
    begins, ends = _places(bucket, points, first, last)
    last_place = np.cumsum(ends - begins)
    first_place = last_place - (ends - begins)
    places = np.arange(last_place[-1]) + np.repeat(begins - first_place, ends - begins)
    matrix = empty_matrix(work, len(places))
    sweep(
        bucket.events,
        BucketLeads(bucket.starts[first:last], bucket.ends[first:last], first_place, last_place),
        points.as_of[places],
        work.tasks,
        matrix,
    )
    return places, matrix
