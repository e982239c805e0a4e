"""The engine of one machine: reads the event buckets in turn and keeps a few cores busy."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.bucket_files import BucketFiles, bucket_files, event_columns
from mqlml.engines.parts import PartMaker, PartSink, column_order, other_of, part_name
from mqlml.errors import ConfigError, Fault
from mqlml.features.plan import Plan
from mqlml.features.table_columns import table_columns, whole_matrix
from mqlml.tables.contracts import EventLog, Tables
from mqlml.tables.expressions import sandbox

if TYPE_CHECKING:
    from mqlml.features.arrays import Flags, Floats, Ints
    from mqlml.features.bucket import Points, Work

# Called with the events read so far and all events.
Progress = Callable[[int, int], None]

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# Measured: the libraries, a piece of a bucket with what is made and written of it, a point.
_BYTES_OF_LIBRARIES = 300_000_000
_BYTES_PER_WORKER = 130_000_000
_BYTES_PER_EVENT = 48
_BYTES_PER_POINT = 80


@dataclass(frozen=True)
class LocalEngine:
    """Computes feature matrices with `threads` cores.

    `memory_limit` bounds how many buckets are in memory at once; one always is.
    """

    memory_limit: str = "2GB"
    threads: int = 2

    def compute(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        *,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return the matrix: one row per point in the points' order, columns of the plan."""
        # Imported late: numba takes half a second.
        from mqlml.features import bucket as features

        work, arranged = features.arrange_work(plan), features.arrange_points(points)
        matrix = features.empty_matrix(work, len(points))

        def fill(bucket: BucketFiles, connection: duckdb.DuckDBPyConnection) -> None:
            for places, part in _slabs(bucket, work, arranged, connection):
                rows = arranged.rows[places]
                for values, some in zip(matrix, part, strict=True):
                    values[rows] = some

        if len(points) and plan.features:
            self._run(fill, _files(tables.events, work), len(points), progress)
        else:
            _bytes_of(self.memory_limit)
        events = pd.DataFrame(matrix.T, columns=[f.column for f in plan.features], copy=False)
        return whole_matrix(events, self._others(tables, points, plan), plan)

    def write(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        sink: PartSink,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Give the matrix to `sink` part by part: lead_id, as_of and the columns of the plan.

        A part has the points of the leads with events in one bucket, sorted by lead_id and
        as_of; the last part has the points of leads without events. Where the sink has
        a `row_column`, each row bears that of its point. Parts that the sink has finished are not
        made again.
        """
        from mqlml.features import bucket as features

        work, arranged = features.arrange_work(plan), features.arrange_points(points)
        others = self._others(tables, points, plan)
        ids = pa.array(arranged.leads, pa.string())
        coded = {name: other_of(others.pop(name)) for name in list(others)}
        names = [c for c in column_order(plan) if c in coded]
        beside = {name: coded[name] for name in names}
        maker = PartMaker(plan, work, arranged, ids, beside, sink.row_column)
        is_seen = np.zeros(len(ids), np.bool_)
        files = _files(tables.events, work) if plan.features else []
        parts = {id(bucket): part_name(number) for number, bucket in enumerate(files)}

        def make(bucket: BucketFiles, connection: duckdb.DuckDBPyConnection) -> None:
            done = sink.leads_of(parts[id(bucket)])
            if done is not None:
                leads = arranged.leads.get_indexer(pd.Index(done.to_pandas(), dtype="str"))
                is_seen[leads] = True
                return
            slabs = _slabs(bucket, work, arranged, connection, is_seen)
            made = (maker.table(places, part) for places, part in slabs)
            sink.write(parts[id(bucket)], made)

        self._run(make, files, len(points), progress)
        if sink.leads_of(part_name(len(files))) is None:
            sink.write(part_name(len(files)), maker.quiet(is_seen, features.slab_points(work)))

    def _others(
        self, tables: Tables, points: pd.DataFrame, plan: Plan
    ) -> "dict[str, pd.Series[Any]]":
        others = table_columns(tables, points, plan)
        return others | self._account_columns(tables, points, plan) if plan.accounts else others

    def _account_columns(
        self, tables: Tables, points: pd.DataFrame, plan: Plan
    ) -> dict[str, pd.Series]:
        from mqlml.features.accounts import account_columns, arrange_accounts

        names = [c.name for c in event_columns(tables.events)]
        needed = arrange_accounts(tables, points, plan).columns(names)
        readers = (bucket.read for bucket in bucket_files(tables.events, needed))
        with sandbox() as connection:
            return account_columns(readers, tables, points, plan, connection=connection)

    def _run(
        self,
        task: Callable[[BucketFiles, duckdb.DuckDBPyConnection], None],
        buckets: Sequence[BucketFiles],
        points: int,
        progress: Progress | None,
    ) -> None:
        """Do `task` for every bucket; what is under way is finished before an error is raised."""
        total, done = sum(bucket.rows for bucket in buckets), 0
        workers = self._workers(buckets, points)
        with sandbox() as connection, ThreadPoolExecutor(workers) as pool:
            waiting = [
                (bucket, pool.submit(partial(task, bucket, connection))) for bucket in buckets
            ]
            try:
                for bucket, future in waiting:
                    future.result()
                    done += bucket.rows
                    if progress is not None:
                        progress(done, total)
            finally:
                _cancel([future for _, future in waiting])

    def _workers(self, buckets: Sequence[BucketFiles], points: int) -> int:
        """Return how many buckets may be in memory at once."""
        largest = max((bucket.rows for bucket in buckets), default=0)
        one = _BYTES_PER_WORKER + largest * _BYTES_PER_EVENT
        left = _bytes_of(self.memory_limit) - _BYTES_OF_LIBRARIES - points * _BYTES_PER_POINT
        return max(1, min(self.threads, left // one))


def _cancel(futures: "Sequence[Future[None]]") -> None:
    for future in futures:
        future.cancel()


def _files(log: EventLog, work: "Work") -> list[BucketFiles]:
    return bucket_files(log, work.columns([c.name for c in event_columns(log)]))


def _slabs(
    bucket: BucketFiles,
    work: "Work",
    points: "Points",
    connection: duckdb.DuckDBPyConnection,
    is_seen: "Flags | None" = None,
) -> "Iterator[tuple[Ints, Floats]]":
    """Yield (places of the sorted points, their event features), a slab of leads at a time.

    Says in `is_seen` which leads have events here. At least one slab comes, if only an
    empty one.
    """
    from mqlml.features import bucket as features
    from mqlml.features.reduced import reduce_bucket

    ids = partial(bucket.read, ("event_id",))
    reduced = reduce_bucket(bucket.pieces(), ids, work.reading, points.leads, connection)
    if is_seen is not None:
        is_seen[reduced.leads] = True
    for first, last in features.slabs(reduced, points, work):
        yield features.fill_slab(reduced, work, points, first, last)
    if len(reduced.leads) == 0:
        yield np.empty(0, np.int64), features.empty_matrix(work, 0)


def _bytes_of(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    unit = match[2].upper() if match else None
    if match is None or unit not in _UNITS:
        mend = "write a number and a unit, such as 512MB or 2GB"
        raise ConfigError(Fault("not an amount of memory", "memory", repr(text), mend))
    return int(float(match[1]) * _UNITS[unit])
