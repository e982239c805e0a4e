"""What runs inside a Spark task: chunks of whole leads become rows of the feature matrix.

The features are those of the bucket function that every engine calls, so nothing
here can make them differ.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.engines.spark_rows import Chunk, Part, lead_chunks
from mqlml.errors import ConfigError, DataError, Fault, MqlmlError
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.features.plan import Plan
from mqlml.features.table_columns import whole_matrix
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import sandbox

# Between these two a task's error carries the faults to the driver.
_BEGIN, _END = "<mqlml-faults>", "</mqlml-faults>"
_CARRIED: dict[str, type[MqlmlError]] = {kind.__name__: kind for kind in (ConfigError, DataError)}


@dataclass(frozen=True)
class Answer:
    """The points of one chunk with their features, and the tables that their leads have.

    `asked` has the points with all that they carry, as Spark gave them.
    """

    asked: pa.Table
    points: pd.DataFrame
    matrix: pd.DataFrame
    tables: Tables


Finish = Callable[[Answer], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Assignment:
    """What every task is told: it travels once, the rows come to it.

    `tables` holds no rows: it says what is known of the columns. With `files`,
    the events of key k lie there and do not come as rows.
    """

    plan: Plan
    tables: Tables
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    at_least: int
    finish: Finish
    files: tuple[tuple[str, ...], ...] | None = None
    texts: tuple[str, ...] = ()


def run_task(batches: Iterable[pa.RecordBatch], assignment: Assignment) -> Iterator[pa.RecordBatch]:
    """Yield what `assignment.finish` makes of each chunk that has points.

    A user's mistake found here becomes an error whose text `faults_in` reads.
    """
    at_least = 1 if assignment.files else assignment.at_least
    try:
        with sandbox() as connection:
            for key, chunk in lead_chunks(batches, assignment.parts, at_least=at_least):
                if chunk["point"].num_rows:
                    yield from assignment.finish(_answer(key, chunk, assignment, connection))
    except MqlmlError as error:
        raise RuntimeError(_carried(error)) from None


def _answer(
    key: int, chunk: Chunk, assignment: Assignment, connection: duckdb.DuckDBPyConnection
) -> Answer:
    points = _frame(chunk["point"])
    tables = replace(
        assignment.tables, leads=_frame(chunk["lead"]), attributes=_frame(chunk["dated"])
    )
    events = _event_columns(_events(key, chunk, assignment), assignment, points, connection)
    made = attribute_columns(tables, points, assignment.plan)
    matrix = whole_matrix(events, made, assignment.plan)
    return Answer(plain(chunk["point"]), points, matrix, tables)


def plain(table: pa.Table) -> pa.Table:
    """Return rows of a chunk with their texts decoded, in one piece."""
    arrays = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(arrays, table.column_names).combine_chunks()


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return rows of a chunk as a table of the snapshot has them."""
    decoded = plain(table)
    frame = decoded.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    texts = [field.name for field in decoded.schema if pa.types.is_string(field.type)]
    return pd.DataFrame(frame).astype(dict.fromkeys(texts, "str"))


def _event_columns(
    read: Callable[[Sequence[str]], pa.Table] | None,
    assignment: Assignment,
    points: pd.DataFrame,
    connection: duckdb.DuckDBPyConnection,
) -> pd.DataFrame:
    # Imported late: numba takes half a second, and the driver never needs it.
    from mqlml.features import bucket as features

    plan = assignment.plan
    work, arranged = features.arrange_work(plan), features.arrange_points(points)
    matrix = features.empty_matrix(work, len(points))
    if read is not None and plan.features:
        features.fill_bucket(read, work, arranged, matrix, connection=connection)
    features.restore_order(matrix, arranged)
    return pd.DataFrame(matrix.T, columns=[f.column for f in plan.features], copy=False)


def _events(
    key: int, chunk: Chunk, assignment: Assignment
) -> Callable[[Sequence[str]], pa.Table] | None:
    """Return the reader of the chunk's events: those that came, or those of the key's files."""
    if assignment.files is None:
        events = chunk["event"]
        return lambda names: events.select(list(names or assignment.columns))
    if not 0 <= key < len(assignment.files):
        return None  # leads without events
    files = assignment.files[key]
    return lambda names: _read(files, list(names or assignment.columns), assignment.texts)


def _read(files: Sequence[str], names: list[str], texts: Sequence[str]) -> pa.Table:
    tables = []
    for file in files:
        with pq.ParquetFile(file, read_dictionary=[n for n in texts if n in names]) as parquet:
            tables.append(parquet.read(names, use_threads=False))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def leads_of_files(
    batches: Iterable[pa.RecordBatch], files: Sequence[Sequence[str]]
) -> Iterator[pa.RecordBatch]:
    """Yield lead_id and key of every lead with events, for the keys that come."""
    for batch in batches:
        for key in batch.column(0).to_pylist():
            leads = _read(files[key], ["lead_id"], ("lead_id",))["lead_id"].unique()
            names = leads.dictionary_decode() if pa.types.is_dictionary(leads.type) else leads
            keys = pa.array(np.full(len(names), key, np.int64))
            yield pa.RecordBatch.from_arrays([names.cast(pa.string()), keys], ["lead_id", "key"])


def _carried(error: MqlmlError) -> str:
    faults = [asdict(fault) for fault in error.faults]
    return f"{_BEGIN}{json.dumps([type(error).__name__, faults])}{_END}"


def faults_in(text: str) -> MqlmlError | None:
    """Return the user's mistake that a task's error text carries, if it carries one."""
    _, begin, rest = text.partition(_BEGIN)
    carried, end, _ = rest.partition(_END)
    if not (begin and end):
        return None
    name, faults = json.loads(carried)
    return _CARRIED.get(name, DataError)(*(Fault(**fault) for fault in faults))
