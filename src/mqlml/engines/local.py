"""The engine of one machine: reads the event buckets in turn and keeps a few cores busy."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import ConfigError, Fault
from mqlml.features.event_files import event_buckets
from mqlml.features.plan import Plan
from mqlml.features.table_columns import table_columns, whole_matrix
from mqlml.tables.contracts import EVENTS, Column, ColumnType, EventLog, Tables
from mqlml.tables.expressions import sandbox

# Called with the events read so far and all events.
Progress = Callable[[int, int], None]

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_BYTES_PER_EVENT = 160


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
        events = self._event_columns(tables.events, points, plan, progress)
        others = table_columns(tables, points, plan)
        if plan.accounts:
            others |= self._account_columns(tables, points, plan)
        return whole_matrix(events, others, plan)

    def _account_columns(
        self, tables: Tables, points: pd.DataFrame, plan: Plan
    ) -> dict[str, pd.Series]:
        from mqlml.features.accounts import account_columns, arrange_accounts

        names = [c.name for c in _columns(tables.events)]
        buckets = _buckets(tables.events, arrange_accounts(tables, points, plan).columns(names))
        readers = (bucket.read for bucket in buckets)
        with sandbox() as connection:
            return account_columns(readers, tables, points, plan, connection=connection)

    def _event_columns(
        self, log: EventLog, points: pd.DataFrame, plan: Plan, progress: Progress | None
    ) -> pd.DataFrame:
        # Imported late: numba takes half a second.
        from mqlml.features import bucket as features

        work, arranged = features.arrange_work(plan), features.arrange_points(points)
        matrix = features.empty_matrix(work, len(points))
        names = [f.column for f in plan.features]

        def fill(bucket: _Bucket) -> int:
            features.fill_bucket(bucket.read, work, arranged, matrix, connection=connection)
            return bucket.rows

        buckets = _buckets(log, work.columns([c.name for c in _columns(log)]))
        if len(points) and names:
            total, done = sum(bucket.rows for bucket in buckets), 0
            with sandbox() as connection, ThreadPoolExecutor(self._workers(buckets)) as pool:
                for rows in pool.map(fill, buckets):
                    done += rows
                    if progress is not None:
                        progress(done, total)
        features.restore_order(matrix, arranged)
        return pd.DataFrame(matrix.T, columns=names, copy=False)

    def _workers(self, buckets: Sequence["_Bucket"]) -> int:
        largest = max((bucket.rows for bucket in buckets), default=0) * _BYTES_PER_EVENT
        return max(1, min(self.threads, _bytes_of(self.memory_limit) // max(1, largest)))


def _bytes_of(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    unit = match[2].upper() if match else None
    if match is None or unit not in _UNITS:
        mend = "write a number and a unit, such as 512MB or 2GB"
        raise ConfigError(Fault("not an amount of memory", "memory", repr(text), mend))
    return int(float(match[1]) * _UNITS[unit])


@dataclass(frozen=True)
class _Bucket:
    """The Parquet files of one bucket, and which of their columns are needed, texts coded."""

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    rows: int

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return `columns` of the bucket's events, the needed ones if none is named."""
        names = list(columns or self.columns)
        parts = [_read(file, names, self.texts) for file in self.files]
        return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _read(file: Path, columns: list[str], texts: Sequence[str]) -> pa.Table:
    coded = [name for name in texts if name in columns]
    with pq.ParquetFile(file, read_dictionary=coded) as parquet:
        return parquet.read(columns, use_threads=False)


def _columns(log: EventLog) -> tuple[Column, ...]:
    return (*EVENTS.columns, *log.properties)


def _buckets(log: EventLog, needed: tuple[str, ...]) -> list[_Bucket]:
    texts = {c.name for c in _columns(log) if c.type is ColumnType.TEXT} - {"event_id"}
    coded = tuple(name for name in needed if name in texts)
    return [
        _Bucket(tuple(files), needed, coded, sum(map(_rows, files))) for files in event_buckets(log)
    ]


def _rows(file: Path) -> int:
    with pq.ParquetFile(file) as parquet:
        return int(parquet.metadata.num_rows)
