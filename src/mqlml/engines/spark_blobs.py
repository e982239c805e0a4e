"""Rows on their way through Spark: sealed by key, as bytes that Spark passes on unread.

A row that Spark moves one by one costs it a microsecond or more at every station. So
rows are sealed where they are read, some 100,000 at a time: those of one key
become one blob (an Arrow stream, texts coded, packed). All rows of a lead have the same
key, so a task that has all blobs of a key has whole leads.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# How a sealed row looks to Spark.
SEALED = "key int, part string, rows binary"
_SCHEMA = pa.schema([("key", pa.int32()), ("part", pa.string()), ("rows", pa.binary())])
_ROWS = 250_000
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")
_TIME = pa.timestamp("us", "UTC")
_ARROW = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": _TIME,
}
# Texts that are different in every row: a code for each would only cost.
_NOT_CODED = frozenset({"event_id"})


@dataclass(frozen=True)
class Part:
    """One kind of rows: its columns beyond lead_id, and their Spark types."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    def nothing(self) -> pa.Table:
        """Return no rows of the part; its columns are those of the contracts."""
        kinds = ("string", *self.types)
        columns = [pa.array([], _ARROW[kind]) for kind in kinds]
        return pa.table(columns, names=["lead_id", *self.columns])


Blobs = Mapping[str, Sequence[pa.Buffer]]


def sealed_rows_of(
    batches: Iterable[pa.RecordBatch],
    part: str,
    columns: Sequence[str],
    *,
    at_least: int = _ROWS,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows sealed, those of a key together, under the names `columns`.

    The first column of the batches is the key. Some `at_least` rows are held at a time.
    """
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch.rename_columns(["key", *columns]))
        count += batch.num_rows
        if count >= at_least:
            yield _sealed(pa.Table.from_batches(held), part)
            held, count = [], 0
    if count:
        yield _sealed(pa.Table.from_batches(held), part)


def _sealed(table: pa.Table, part: str) -> pa.RecordBatch:
    keys = table.column(0).to_numpy()
    small = keys.astype(np.int16) if keys.max() < np.iinfo(np.int16).max else keys
    order = np.argsort(small, kind="stable")  # of 16 bits it is a matter of counting
    rows = table.drop_columns([table.column_names[0]]).take(pa.array(order))
    keys = keys[order]
    begins = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    ends = np.append(begins[1:], len(keys))
    blobs = [seal(rows.slice(begin, end - begin)) for begin, end in zip(begins, ends, strict=True)]
    columns = [
        pa.array(keys[begins], pa.int32()),
        pa.array([part] * len(blobs)),
        pa.array(blobs, pa.binary()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def sealed_row(key: int, part: str, rows: pa.Table) -> pa.RecordBatch:
    """Return one sealed row."""
    columns = ([key], [part], [seal(rows)])
    return pa.RecordBatch.from_arrays(
        [pa.array(v, field.type) for v, field in zip(columns, _SCHEMA, strict=True)],
        schema=_SCHEMA,
    )


def arrow_array(values: "pd.Series[Any]") -> pa.Array:
    """Return a column as Arrow; numbers keep NaN, missing texts are null."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        micros = values.dt.as_unit("us").astype("int64").to_numpy()
        return pa.array(micros, mask=values.isna().to_numpy()).view(_TIME)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiub":
        return pa.array(values.to_numpy())
    if isinstance(values.dtype, pd.BooleanDtype):
        return pa.array(values)
    if isinstance(values.dtype, pd.StringDtype):
        return pa.array(values, pa.string(), from_pandas=True)
    return pa.array(values.astype(object).where(values.notna(), None).to_list(), pa.string())


def seal(rows: pa.Table) -> bytes:
    """Return rows as packed bytes, texts coded."""
    coded = pa.table(
        [
            _coded(column, name)
            for name, column in zip(rows.column_names, rows.columns, strict=True)
        ],
        names=rows.column_names,
    ).combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, coded.schema, options=_PACKED) as writer:
        writer.write_table(coded)
    return sink.getvalue()


def _coded(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) and name not in _NOT_CODED:
        return column.dictionary_encode()
    return column


def unseal(blob: pa.Buffer | bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a blob, texts coded; only some of the columns if they are named."""
    if columns is None:
        return pa.ipc.open_stream(blob).read_all()
    names = pa.ipc.open_stream(blob).schema.names
    options = pa.ipc.IpcReadOptions(included_fields=[names.index(name) for name in columns])
    return pa.ipc.open_stream(blob, options=options).read_all().select(list(columns))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several blobs as one table, each text with one code."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def by_key(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Blobs]]:
    """Yield the blobs of each key by part, the keys ascending, once all have come.

    They are let go of key by key.
    """
    found: dict[int, dict[str, list[pa.Buffer]]] = {}
    for batch in batches:
        keys, parts, rows = (batch.column(name) for name in ("key", "part", "rows"))
        for key, part, blob in zip(keys.to_pylist(), parts.to_pylist(), rows, strict=True):
            found.setdefault(key, {}).setdefault(part, []).append(blob.as_buffer())
    for key in sorted(found):
        yield key, found.pop(key)


@dataclass(frozen=True)
class SealedEvents:
    """The events of one key as they came, opened a few blobs at a time."""

    blobs: Sequence[pa.Buffer]
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return how many events there are."""
        # Of a blob opened for its smallest column alone the others stay packed.
        return sum(unseal(blob, ("is_bot",)).num_rows for blob in self.blobs)

    def pieces(self) -> Iterator[pa.Table]:
        """Yield the needed columns, some 250,000 rows at a time."""
        held: list[pa.Table] = []
        for blob in self.blobs:
            held.append(unseal(blob, self.columns))
            if sum(table.num_rows for table in held) >= _ROWS:
                yield joined(held)
                held = []
        if held:
            yield joined(held)

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return `columns` of all the events at once, the needed ones if none is named.

        An event_id that was not sent is empty: nothing depends on the event's place.
        """
        whole = joined([unseal(blob, columns or self.columns) for blob in self.blobs])
        if "event_id" not in whole.column_names:
            return whole
        place = whole.column_names.index("event_id")
        return whole.set_column(place, "event_id", pc.fill_null(whole["event_id"], ""))
