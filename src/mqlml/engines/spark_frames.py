"""Tables and points as Spark's, dealt to tasks: what Spark is asked to move.

Rows are sealed where they are read (see `spark_blobs`) and only the blobs are moved: all of a
lead to one task by a hash of its id, or all of an account. Where the events lie in the
snapshot's buckets they do not move at all: the points go to the bucket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from mqlml.engines.spark_blobs import Part, arrow_array
from mqlml.engines.spark_session import quiet
from mqlml.errors import Fault, SchemaError, nearest
from mqlml.features.event_files import event_files
from mqlml.features.plan import Plan
from mqlml.features.table_features import ACCEPTED, FLAT_OUTCOME
from mqlml.tables.contracts import (
    ATTRIBUTES,
    EVENTS,
    LEADS,
    STAGES,
    VERDICTS,
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
_LEAD = {column.name: column for column in LEADS.columns}
# What rates look at of a verdict: not who gave it, nor the note.
_JUDGED = ("given_at", "verdict", "reason")


@dataclass(frozen=True)
class SparkTables:
    """The tables that features are made from, as Spark's.

    `leads` has lead_id, created_at and the attributes known at creation, and account_id
    and outcome where a plan asks for accounts or rates of a flat outcome; `attributes` the dated
    ones (see ATTRIBUTES), `events` the columns of EVENTS. `stages` (see STAGES) and
    `verdicts` (lead_id, given_at, verdict, reason) may be left out where the plan does not
    read them.
    """

    leads: "DataFrame"
    attributes: "DataFrame"
    events: "DataFrame"
    attribute_specs: tuple[Attribute, ...]
    properties: tuple[Column, ...] = ()
    stages: "DataFrame | None" = None
    verdicts: "DataFrame | None" = None

    @property
    def event_columns(self) -> tuple[Column, ...]:
        """Return the columns of the events: the contract's, then the properties."""
        return (*EVENTS.columns, *self.properties)

    def frame(self, part: str) -> "DataFrame":
        """Return the table of a part; SchemaError if it was left out."""
        found = {
            "lead": self.leads,
            "dated": self.attributes,
            "event": self.events,
            "stage": self.stages,
            "verdict": self.verdicts,
        }[part]
        if found is None:
            what, mend = f"the plan reads {part}s, which are not there", f"SparkTables its {part}s"
            raise SchemaError(Fault(what, part, mend=f"give {mend}"))
        return found


def spark_tables(session: "SparkSession", tables: Tables) -> SparkTables:
    """Return a loaded snapshot's tables as Spark's."""
    created = created_names(tables.attribute_specs)
    asked = dict.fromkeys(("lead_id", "created_at", "account_id", "outcome", *created))
    return SparkTables(
        leads=to_spark(session, tables.leads[[name for name in asked if name in tables.leads]]),
        attributes=to_spark(session, tables.attributes[list(ATTRIBUTES.names)]),
        events=_events(session, tables.events),
        attribute_specs=tables.attribute_specs,
        properties=tables.events.properties,
        stages=to_spark(session, tables.stages[list(STAGES.names)]),
        verdicts=to_spark(session, tables.verdicts[["lead_id", *_JUDGED]]),
    )


def _events(session: "SparkSession", log: EventLog) -> "DataFrame":
    if event_files(log):
        return session.read.parquet(log.folder.resolve().as_uri())
    columns = {c.name: _TYPES[c.type] for c in (*EVENTS.columns, *log.properties)}
    return session.createDataFrame([], ddl(columns))


def events_of_strangers(tables: SparkTables) -> int:
    """Return how many events have a lead that `leads` does not hold.

    They are kept, and count for points of their lead; of the lead itself nothing is known.
    """
    leads = tables.leads.select(tables.leads["lead_id"].cast("string").alias("lead_id")).distinct()
    events = tables.events.select(tables.events["lead_id"].cast("string").alias("lead_id"))
    return int(events.join(leads, "lead_id", "left_anti").count())


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


def table_parts(specs: Sequence[Attribute], plan: Plan) -> tuple[Part, ...]:
    """Return the parts beside events and points that the plan's columns are made from."""
    dated = part_of("dated", ATTRIBUTES.columns[1:])
    return (lead_part(specs, plan), dated, *outcome_parts(plan))


def outcome_parts(plan: Plan) -> tuple[Part, ...]:
    """Return the parts of stages and verdicts if a column or a rate is made from them."""
    outcomes = {rate.outcome.stage for rate in plan.rates}
    parts = []
    if plan.stages or outcomes - {FLAT_OUTCOME, ACCEPTED}:
        parts.append(part_of("stage", STAGES.columns[1:]))
    if ACCEPTED in outcomes:
        judged = [column for column in VERDICTS.columns if column.name in _JUDGED]
        parts.append(part_of("verdict", judged))
    return tuple(parts)


def lead_part(specs: Sequence[Attribute], plan: Plan) -> Part:
    """Return the part of the leads: created_at, what is known at creation, what else is read."""
    created = [Column(s.name, s.type) for s in specs if s.known is Known.CREATION]
    more = [_LEAD["account_id"]] if is_by_account(plan) else []
    more += (
        [_LEAD["outcome"]] if any(rate.outcome.stage == FLAT_OUTCOME for rate in plan.rates) else []
    )
    return part_of("lead", (_LEAD["created_at"], *created, *more))


def is_by_account(plan: Plan) -> bool:
    """Return whether the plan's columns need whole accounts, not only whole leads."""
    return bool(plan.accounts or plan.account_leads)


def created_names(specs: Sequence[Attribute]) -> list[str]:
    """Return the attributes that are columns of the leads, known at creation."""
    return [s.name for s in specs if s.known is Known.CREATION]


def point_part(points: "DataFrame") -> Part:
    """Return the part of the points: as_of in microseconds, then what else they carry."""
    kinds = {f.name: f.dataType.simpleString() for f in points.schema.fields}
    names = ("as_of", *(name for name in kinds if name not in {"lead_id", "as_of"}))
    return Part("point", names, ("bigint", *(kinds[name] for name in names[1:])))


def part_of(name: str, columns: Sequence[Column]) -> Part:
    """Return the part of a table with these columns beyond lead_id."""
    return Part(name, tuple(c.name for c in columns), tuple(_TYPES[c.type] for c in columns))


def missing_columns(frame: "DataFrame", part: Part) -> list[Fault]:
    """Return a fault for each column that a table lacks."""
    names = frame.columns
    return [
        Fault("column is missing", part.name, nearest(name, names), f"name a column '{name}'")
        for name in ("lead_id", *part.columns)
        if name not in names
    ]


def quoted(name: str) -> str:
    """Return a column's name as Spark reads it, whatever characters it has.

    >>> quoted("e.mail")
    '`e.mail`'
    """
    return "`" + name.replace("`", "``") + "`"


def ddl(columns: Mapping[str, str]) -> str:
    """Return columns with their Spark types as a schema.

    >>> ddl({"lead_id": "string", "job title": "string"})
    '`lead_id` string, `job title` string'
    """
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
