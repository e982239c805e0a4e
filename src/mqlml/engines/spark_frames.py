"""Tables and points as one stream of rows by lead: what Spark is asked to move.

Everything of a lead is dealt to one task by a hash of its id. When the events lie
in the snapshot's buckets they do not move at all: the rest goes to the bucket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.spark_answers import arrow_array
from mqlml.engines.spark_rows import Part
from mqlml.engines.spark_session import quiet
from mqlml.engines.spark_task import leads_of_files
from mqlml.errors import Fault, SchemaError, nearest
from mqlml.features.event_files import event_buckets
from mqlml.tables.contracts import (
    ATTRIBUTES,
    EVENTS,
    Attribute,
    Column,
    ColumnType,
    EventLog,
    Known,
    Tables,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TYPES = {
    ColumnType.TEXT: "string",
    ColumnType.NUMBER: "double",
    ColumnType.TIME: "timestamp",
    ColumnType.FLAG: "boolean",
}
_CREATED_AT = Column("created_at", ColumnType.TIME, required=True)


@dataclass(frozen=True)
class SparkTables:
    """The tables that features are made from, as Spark's; `events` may be the snapshot's log.

    `leads` has lead_id, created_at and the attributes known at creation, `attributes` the
    dated ones (see ATTRIBUTES). A log's folder must be readable on every worker.
    """

    leads: "DataFrame"
    attributes: "DataFrame"
    events: "DataFrame | EventLog"
    attribute_specs: tuple[Attribute, ...]
    properties: tuple[Column, ...] = ()

    @property
    def event_columns(self) -> tuple[Column, ...]:
        """Return the columns of the events: the contract's, then the properties."""
        own = self.events.properties if isinstance(self.events, EventLog) else self.properties
        return (*EVENTS.columns, *own)


def spark_tables(session: "SparkSession", tables: Tables) -> SparkTables:
    """Return a loaded snapshot's tables as Spark's; its events stay where they are."""
    created = [c for c in _lead_columns(tables.attribute_specs) if c.name in tables.leads]
    return SparkTables(
        leads=to_spark(session, tables.leads[["lead_id", *(c.name for c in created)]]),
        attributes=to_spark(session, tables.attributes[list(ATTRIBUTES.names)]),
        events=tables.events,
        attribute_specs=tables.attribute_specs,
    )


def to_spark(session: "SparkSession", frame: pd.DataFrame) -> "DataFrame":
    """Return a frame of this process as a Spark DataFrame."""
    table = pa.table({str(name): arrow_array(values) for name, values in frame.items()})
    with quiet():
        return session.createDataFrame(table)


def event_part(columns: Sequence[str], known: Sequence[Column]) -> Part:
    """Return the part of the events: the columns asked for beyond lead_id."""
    types = {c.name: _TYPES[c.type] for c in known}
    names = tuple(name for name in columns if name != "lead_id")
    return Part("event", names, tuple(types[name] for name in names))


def lead_part(specs: Sequence[Attribute]) -> Part:
    """Return the part of the leads: created_at and what is known at creation."""
    return _part("lead", _lead_columns(specs))


def dated_part() -> Part:
    """Return the part of the dated attributes."""
    return _part("dated", ATTRIBUTES.columns[1:])


def point_part(points: "DataFrame") -> Part:
    """Return the part of the points: as_of in microseconds, then what else they carry."""
    kinds = {f.name: f.dataType.simpleString() for f in points.schema.fields}
    names = ("as_of", *(name for name in kinds if name not in {"lead_id", "as_of"}))
    return Part("point", names, ("bigint", *(kinds[name] for name in names[1:])))


def _part(name: str, columns: Sequence[Column]) -> Part:
    return Part(name, tuple(c.name for c in columns), tuple(_TYPES[c.type] for c in columns))


def _lead_columns(specs: Sequence[Attribute]) -> tuple[Column, ...]:
    created = (Column(s.name, s.type) for s in specs if s.known is Known.CREATION)
    return (_CREATED_AT, *created)


def stream(frames: Mapping[str, "DataFrame"], parts: Sequence[Part]) -> "DataFrame":
    """Return all rows as lead_id and one column per part, all but one of them null.

    Raises SchemaError naming every column that a table lacks.
    """
    faults = [f for part in parts for f in _missing(frames[part.name], part)]
    if faults:
        raise SchemaError(*faults)
    rows = [_tagged(frames[part.name], part, parts) for part in parts]
    whole = rows[0]
    for more in rows[1:]:
        whole = whole.unionAll(more)
    return whole


def _missing(frame: "DataFrame", part: Part) -> list[Fault]:
    names = frame.columns
    return [
        Fault("column is missing", part.name, nearest(name, names), f"name a column '{name}'")
        for name in ("lead_id", *part.columns)
        if name not in names
    ]


def _tagged(frame: "DataFrame", part: Part, parts: Sequence[Part]) -> "DataFrame":
    from pyspark.sql import functions as F  # noqa: N812 - as everybody writes it

    def field(place: int) -> "F.Column":
        source = frame[quoted(part.columns[place])]
        return source.cast(part.types[place]).alias(f"c{place}")

    own = F.struct(*(field(place) for place in range(len(part.columns))))
    columns = [
        (own if other is part else F.lit(None)).cast(other.spark_type).alias(other.name)
        for other in parts
    ]
    return frame.select(frame["lead_id"].cast("string").alias("lead_id"), *columns)


def quoted(name: str) -> str:
    """Return a column's name as Spark reads it, whatever characters it has.

    >>> quoted("e.mail")
    '`e.mail`'
    """
    return "`" + name.replace("`", "``") + "`"


def dealt_by_lead(rows: "DataFrame", partitions: int) -> "DataFrame":
    """Return the rows with a key first, a hash of the lead, each partition sorted by it."""
    from pyspark.sql import functions as F  # noqa: N812

    return _dealt(rows.select(F.xxhash64("lead_id").alias("key"), "*"), partitions)


def dealt_by_bucket(rows: "DataFrame", files: Sequence[Sequence[str]]) -> "DataFrame":
    """Return the rows with a key first: the lead's place in `files`, below 0 without events."""
    from pyspark.sql import functions as F  # noqa: N812

    session, count = rows.sparkSession, len(files)
    keys = session.createDataFrame(pa.table({"key": pa.array(np.arange(count))}))
    read = partial(leads_of_files, files=tuple(map(tuple, files)))
    with quiet():
        routes = keys.repartition(count).mapInArrow(read, "lead_id string, key bigint")
    none = -1 - F.pmod(F.xxhash64("lead_id"), F.lit(count))
    keyed = rows.join(routes, "lead_id", "left").select(
        F.coalesce("key", none).alias("key"), *(F.col(name) for name in rows.columns)
    )
    return _dealt(keyed, count)


def _dealt(keyed: "DataFrame", partitions: int) -> "DataFrame":
    return keyed.repartition(partitions, "key").sortWithinPartitions("key")


def files_of(log: EventLog) -> tuple[tuple[str, ...], ...]:
    """Return the files of each bucket of the log, as workers open them."""
    return tuple(tuple(str(f.resolve()) for f in files) for files in event_buckets(log))
