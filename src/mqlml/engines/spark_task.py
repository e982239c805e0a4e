"""What runs inside a Spark task: the blobs of a key become rows of the feature matrix.

A key has whole leads (whole accounts, where the plan asks for those), so it is a bucket
like any other. The features are those of the bucket function that every engine calls, and
nothing here can make them differ.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.bucket_files import BucketFiles
from mqlml.engines.parts import Other, PartMaker, column_order, other_of
from mqlml.engines.spark_blobs import (
    Blobs,
    Part,
    SealedEvents,
    arrow_array,
    by_key,
    joined,
    sealed_row,
    unseal,
)
from mqlml.errors import ConfigError, DataError, Fault, MqlmlError
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.features.group_rates import RateHistory, counted_leads, rate_column
from mqlml.features.plan import Plan
from mqlml.features.table_columns import context_columns
from mqlml.features.table_features import RateFeature
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import sandbox

if TYPE_CHECKING:
    from mqlml.features.bucket import Points, Work

# Between these two a task's error carries the faults to the driver.
_BEGIN, _END = "<mqlml-faults>", "</mqlml-faults>"
_CARRIED: dict[str, type[MqlmlError]] = {kind.__name__: kind for kind in (ConfigError, DataError)}
_PLACE = "__place"


@dataclass(frozen=True)
class Answer:
    """Some points of a key with their features, and the tables that the key's leads have.

    `asked` has the points with all that they carry, `features` has lead_id, as_of (a time)
    and the plan's columns, row by row.
    """

    key: int
    asked: pa.Table
    features: pa.Table
    tables: Tables


# Gets the answers of one key, of which there is at least one, if only without rows.
Finish = Callable[[Iterator[Answer]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Assignment:
    """What every task is told: it travels once, the rows come to it.

    `tables` holds no rows: it says what is known of the columns. With `files`, the
    events of key k lie there and do not come as rows, and `given` names the columns of
    the plan that the points bring with them. `histories` are those of the plan's rates.
    """

    plan: Plan
    tables: Tables
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    finish: Finish
    files: tuple[BucketFiles, ...] | None = None
    given: tuple[str, ...] = ()
    histories: tuple[RateHistory, ...] = ()


Events = BucketFiles | SealedEvents


def run_task(batches: Iterable[pa.RecordBatch], assignment: Assignment) -> Iterator[pa.RecordBatch]:
    """Yield what `assignment.finish` makes of each key that has points.

    A user's mistake found here becomes an error whose text `faults_in` reads.
    """
    try:
        with sandbox() as connection:
            for key, blobs in by_key(batches):
                if "point" in blobs:
                    yield from assignment.finish(_answers(key, blobs, assignment, connection))
    except MqlmlError as error:
        raise RuntimeError(_carried(error)) from None


def _answers(
    key: int, blobs: Blobs, assignment: Assignment, connection: duckdb.DuckDBPyConnection
) -> Iterator[Answer]:
    # Imported late: numba takes half a second, and the driver never needs it.
    from mqlml.features import bucket as features

    plan, asked = assignment.plan, plain(joined(list(map(unseal, blobs["point"]))))
    points, tables = (
        frame_of(asked.select(["lead_id", "as_of"])),
        _tables(blobs, assignment.tables, assignment.parts),
    )
    events = _events(key, blobs, assignment)
    work, arranged = features.arrange_work(plan), features.arrange_points(points)
    if assignment.files is None:
        others = _others(tables, points, assignment, events, connection)
    else:
        others = {name: _other(asked[name]) for name in assignment.given}
    ids = pa.array(arranged.leads, pa.string())
    maker = PartMaker(plan, work, arranged, ids, others, _PLACE)
    carried = asked.drop_columns(list(assignment.given))
    for made in _made(maker, work, arranged, events, connection):
        rows = carried.take(made[_PLACE])
        yield Answer(key, rows, made.select(list(column_order(plan))), tables)


def _made(
    maker: PartMaker,
    work: "Work",
    points: "Points",
    events: Events | None,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[pa.Table]:
    """Yield the rows of all points, a slab at a time."""
    from mqlml.features import bucket as features
    from mqlml.features.reduced import Source, reduce_bucket

    is_seen = np.zeros(len(points.leads), np.bool_)
    if events is not None and maker.plan.features:
        source = Source(events.rows, events.pieces(), partial(events.read, ("event_id",)))
        bucket = reduce_bucket(source, work.reading, points.leads, connection)
        is_seen[bucket.leads] = True
        for first, last in features.slabs(bucket, points, work):
            yield maker.table(*features.fill_slab(bucket, work, points, first, last))
    if not (is_seen.all() and len(is_seen)):
        yield from maker.quiet(is_seen, features.slab_points(work))


def _events(key: int, blobs: Blobs, assignment: Assignment) -> Events | None:
    """Return the key's events: those that came, or those of its files; None if it has none."""
    if assignment.files is None:
        return SealedEvents(blobs["event"], assignment.columns) if "event" in blobs else None
    return assignment.files[key] if key < len(assignment.files) else None


def _others(
    tables: Tables,
    points: pd.DataFrame,
    assignment: Assignment,
    events: Events | None,
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, Other]:
    """Return the columns that need tables beside the events, in the plan's order."""
    plan = assignment.plan
    columns: dict[str, pd.Series[Any]] = {
        **attribute_columns(tables, points, plan),
        **context_columns(tables, points, replace(plan, rates=())),
    }
    for feature, history in zip(plan.rates, assignment.histories, strict=True):
        columns[feature.column] = rate_column(tables, points, feature, history)
    if plan.accounts:
        from mqlml.features.accounts import account_columns

        readers = [] if events is None else [events.read]
        columns |= account_columns(readers, tables, points, plan, connection=connection)
    return {name: other_of(columns[name]) for name in plan.columns if name in columns}


def _other(column: pa.ChunkedArray) -> Other:
    values = column.combine_chunks()
    return Other(values.dictionary_encode() if pa.types.is_string(values.type) else values)


def _tables(blobs: Blobs, none: Tables, kinds: Sequence[Part]) -> Tables:
    """Return the tables of the key's leads."""
    parts = {part.name: part for part in kinds}

    def rows(name: str) -> pd.DataFrame:
        if name in blobs:
            return frame_of(plain(joined(list(map(unseal, blobs[name])))))
        return frame_of(parts[name].nothing()) if name in parts else pd.DataFrame()

    return replace(
        none,
        leads=rows("lead"),
        attributes=rows("dated"),
        stages=rows("stage"),
        verdicts=rows("verdict"),
    )


def plain(table: pa.Table) -> pa.Table:
    """Return rows with their texts decoded, in one piece."""
    arrays = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(arrays, table.column_names).combine_chunks()


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return rows as a table of the snapshot has them."""
    frame = table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    return pd.DataFrame(frame).astype(dict.fromkeys(texts, "str"))


def leads_of_files(
    batches: Iterable[pa.RecordBatch], files: Sequence[BucketFiles]
) -> Iterator[pa.RecordBatch]:
    """Yield the leads with events of each bucket whose number comes, sealed.

    A damaged file becomes an error whose text `faults_in` reads.
    """
    try:
        for batch in batches:
            for key in batch.column(0).to_pylist():
                ids = [_distinct(piece) for piece in _of_leads(files[key]).pieces()]
                leads = pa.chunked_array(ids or [pa.array([], pa.string())]).unique()
                yield sealed_row(key, "lead", pa.table({"lead_id": leads}))
    except MqlmlError as error:
        raise RuntimeError(_carried(error)) from None


def _of_leads(bucket: BucketFiles) -> BucketFiles:
    return replace(bucket, columns=("lead_id",), texts=("lead_id",))


def _distinct(piece: pa.Table) -> pa.Array:
    ids = piece["lead_id"].combine_chunks()
    return ids.dictionary if pa.types.is_dictionary(ids.type) else ids.unique()


def counted_of_key(
    batches: Iterable[pa.RecordBatch],
    none: Tables,
    kinds: Sequence[Part],
    rates: Sequence[RateFeature],
) -> Iterator[pa.RecordBatch]:
    """Yield the leads that count in each rate, sealed under the number of the rate.

    `none` has the tables without rows, `kinds` the parts of them that come.
    """
    for _, blobs in by_key(batches):
        tables = _tables(blobs, none, kinds)
        for number, rate in enumerate(rates):
            counted = counted_leads(tables, rate)
            rows = pa.table({name: arrow_array(values) for name, values in counted.items()})
            yield sealed_row(number, "counted", rows)


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
