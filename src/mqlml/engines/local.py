"""The engine of one machine: reads the event buckets in turn and keeps a few cores busy."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.bucket_files import BucketFiles, bucket_files, event_columns
from mqlml.engines.memory import Budget, bytes_of, give_back_memory
from mqlml.engines.parts import PartMaker, PartSink, column_order, other_of, part_name
from mqlml.features.plan import Plan
from mqlml.features.table_columns import table_columns, whole_matrix
from mqlml.tables.contracts import EventLog, Tables
from mqlml.tables.expressions import sandbox

if TYPE_CHECKING:
    from mqlml.features.arrays import Flags, Floats, Ints
    from mqlml.features.bucket import Points, Work

# Called with the events read so far and all events.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LocalEngine:
    """Computes feature matrices with `threads` cores within `memory_limit`.

    The limit decides how many buckets are in memory at once. A bucket too large for it
    has its arrays in files. `write` refuses a limit that it cannot begin with; `compute`
    holds the whole matrix besides.
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

        budget = self._budget(points)
        if len(points) and plan.features:
            files, size = _files(tables.events, work), _bytes_per_event(work)
            self._run(fill, files, budget.workers(_largest(files) * size, self.threads), progress)
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
        a `row_column`, each row bears that of its point. Parts that the sink has finished are
        not made again. Raises ConfigError if the memory is too little to begin with.
        """
        from mqlml.features import bucket as features

        budget = self._budget(points)
        budget.refuse_too_little()
        give_back_memory(budget.limit)
        work, arranged = features.arrange_work(plan), features.arrange_points(points)
        maker = self._maker(tables, points, plan, work, arranged, sink.row_column)
        is_seen = np.zeros(len(arranged.leads), np.bool_)
        files = _files(tables.events, work) if plan.features else []
        parts = {id(bucket): part_name(number) for number, bucket in enumerate(files)}
        size = _bytes_per_event(work)

        def make(bucket: BucketFiles, connection: duckdb.DuckDBPyConnection) -> None:
            done = sink.leads_of(parts[id(bucket)])
            if done is not None:
                leads = arranged.leads.get_indexer(pd.Index(done.to_pandas(), dtype="str"))
                is_seen[leads] = True
                return
            scratch = sink.scratch if budget.is_on_disk(bucket.rows * size) else None
            slabs = _slabs(bucket, work, arranged, connection, is_seen=is_seen, scratch=scratch)
            sink.write(parts[id(bucket)], maker.tables(slabs))

        self._run(make, files, budget.workers(_largest(files) * size, self.threads), progress)
        if sink.leads_of(part_name(len(files))) is None:
            sink.write(part_name(len(files)), maker.quiet(is_seen, features.slab_points(work)))

    def _budget(self, points: pd.DataFrame) -> Budget:
        return Budget(bytes_of(self.memory_limit), len(points))

    def _maker(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        work: "Work",
        arranged: "Points",
        row_column: str | None,
    ) -> PartMaker:
        others = self._others(tables, points, plan)
        coded = {name: other_of(others.pop(name)) for name in list(others)}
        beside = {name: coded[name] for name in column_order(plan) if name in coded}
        ids = pa.array(arranged.leads, pa.string())
        return PartMaker(plan, work, arranged, ids, beside, row_column)

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
        workers: int,
        progress: Progress | None,
    ) -> None:
        """Do `task` for every bucket; what is under way is finished before an error is raised."""
        total, done = sum(bucket.rows for bucket in buckets), 0
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


def _cancel(futures: "Sequence[Future[None]]") -> None:
    for future in futures:
        future.cancel()


def _largest(buckets: Sequence[BucketFiles]) -> int:
    return max((bucket.rows for bucket in buckets), default=0)


def _bytes_per_event(work: "Work") -> int:
    from mqlml.features.reduced import bytes_per_event

    return bytes_per_event(work.reading)


def _files(log: EventLog, work: "Work") -> list[BucketFiles]:
    return bucket_files(log, work.columns([c.name for c in event_columns(log)]))


def _slabs(
    bucket: BucketFiles,
    work: "Work",
    points: "Points",
    connection: duckdb.DuckDBPyConnection,
    *,
    is_seen: "Flags | None" = None,
    scratch: Path | None = None,
) -> "Iterator[tuple[Ints, Floats]]":
    """Yield (places of the sorted points, their event features), a slab of leads at a time.

    Says in `is_seen` which leads have events here; with `scratch` the events' arrays lie in
    files there. At least one slab comes, if only an empty one.
    """
    from mqlml.features import bucket as features
    from mqlml.features.reduced import Source, reduce_bucket

    source = Source(bucket.rows, bucket.pieces(), partial(bucket.read, ("event_id",)), scratch)
    reduced = reduce_bucket(source, work.reading, points.leads, connection)
    if is_seen is not None:
        is_seen[reduced.leads] = True
    for first, last in features.slabs(reduced, points, work):
        yield features.fill_slab(reduced, work, points, first, last)
    if len(reduced.leads) == 0:
        yield np.empty(0, np.int64), features.empty_matrix(work, 0)
