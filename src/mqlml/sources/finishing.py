"""What can only be decided over a whole table: order, attribute types, reasons."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from mqlml.errors import Fault, SchemaError
from mqlml.sources import casting, leads
from mqlml.sources.personal import is_personal_name, personal_attributes
from mqlml.sources.settings import AttributeSettings, LeadSource, SourceSettings, shape_of
from mqlml.sources.typed import SQL_TYPES
from mqlml.tables.contracts import (
    CONTRACTS,
    LEADS,
    REASON_NAMES,
    Attribute,
    Column,
    ColumnType,
    Known,
)
from mqlml.tables.ingested import Note
from mqlml.tables.sql import literal, only_row, quoted

_NUMBER_SHARE = 0.99
_LAST_FILE = 1_000_000_000


@dataclass(frozen=True)
class Finished:
    """The attributes of the leads, and notes on what became of values."""

    specs: tuple[Attribute, ...]
    notes: tuple[Note, ...]

    def columns(self, table: str, properties: Sequence[Column]) -> tuple[Column, ...]:
        """Return the columns a table is written with."""
        columns = CONTRACTS[table].columns
        if table == "events":
            return (*columns, *properties)
        if table == "leads":
            flat = [a for a in self.specs if a.known is not Known.DATED]
            return (*columns, *(Column(a.name, a.type) for a in flat))
        return columns


def finish_tables(connection: duckdb.DuckDBPyConnection, settings: SourceSettings) -> Finished:
    """Finish the kept rows of leads, attributes and verdicts; return the attributes' specs.

    Raises SchemaError if a declared attribute cannot be read, or if a dated
    attribute is also a column of the leads.
    """
    if settings.leads[0].order is not None:
        leads.rank_by_order(connection)
    asked = {one.column for one in settings.consent}
    notes = _date_flat(connection, settings.leads, asked)
    # Dated values have no column of their own: what is no spec is no feature.
    dated = [
        spec
        for spec in _type_dated(connection)
        if spec.name not in asked
        and (spec.name in _allowed(settings) or not is_personal_name(spec.name))
    ]
    flat, more = _type_leads(connection, settings.leads)
    flat, personal = personal_attributes(connection, flat, _allowed(settings) - asked)
    flat = [_never(spec) if spec.name in asked else spec for spec in flat]
    notes += [*more, *(note for note in personal if note.column not in asked)]
    taken = {spec.name for spec in flat} & {spec.name for spec in dated}
    if taken:
        mend = "list it in sources.leads.attributes.ignore, so that its dated values count"
        faults = [Fault("attribute is in leads and in attributes", n, "", mend) for n in taken]
        raise SchemaError(*sorted(faults, key=str))
    notes += _close_reasons(connection)
    return Finished((*flat, *dated), tuple(notes))


def _date_flat(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[LeadSource], kept: Collection[str]
) -> list[Note]:
    """Leave exports' columns of leads that are dated attributes too to these, which know more.

    What an export says of a person is what holds today; only the history knows since
    when. A lead without a history keeps the value, as known at creation. Columns that are
    `kept` stay as they are.
    """
    given = {n for s in sources if (shape := shape_of(s)) is not None for n in shape.attributes}
    by_hand = {n for s in sources if shape_of(s) is None for n in s.attributes.columns}
    columns = (given - by_hand - set(kept)) & set(connection.table("leads_kept").columns)
    dated = connection.execute("SELECT DISTINCT name FROM attributes_kept ORDER BY name").fetchall()
    return [_dated(connection, name) for (name,) in dated if name in columns]


def _dated(connection: duckdb.DuckDBPyConnection, name: str) -> Note:
    """Turn a column of leads into dated values of those who have none, and drop it."""
    column, text = quoted(name), literal(name)
    (moved,) = only_row(
        connection,
        f"""
        INSERT INTO attributes_kept BY NAME
        SELECT {_LAST_FILE} AS __file, __row, lead_id, {text} AS name, {column} AS value,
            created_at AS known_at
        FROM leads_kept ANTI JOIN
            (SELECT lead_id FROM attributes_kept WHERE name = {text}) USING (lead_id)
        WHERE {column} IS NOT NULL
        """,
    )
    connection.execute(f"ALTER TABLE leads_kept DROP COLUMN {column}")
    what = "counts as its history says, and from creation for leads without one"
    return Note("leads", "", name, what, int(moved))


def _allowed(settings: SourceSettings) -> set[str]:
    """Return the attributes that are features although they tell who a person is."""
    names = (n for source in settings.leads for n in source.attributes.allow_personal)
    return {leads.attribute_name(name) for name in names}


def _never(spec: Attribute) -> Attribute:
    return Attribute(spec.name, spec.type, Known.PERSONAL)


def _type_leads(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[LeadSource]
) -> tuple[list[Attribute], list[Note]]:
    found = connection.table("leads_kept").columns
    names = [name for name in found if not name.startswith("__") and name not in LEADS.names]
    typed = leads.type_attributes(connection, names, _joined(sources))
    # One column at a time: a query over all columns of a wide table needs gigabytes.
    for one in typed:
        if one.spec.type is not ColumnType.TEXT:
            column, kind = quoted(one.spec.name), SQL_TYPES[one.spec.type]
            change = f"ALTER {column} SET DATA TYPE {kind} USING {one.sql}"
            connection.execute(f"ALTER TABLE leads_kept {change}")
    notes = [
        Note(
            "leads", "", a.spec.name, f"values that are no {a.spec.type}, taken as missing", a.lost
        )
        for a in typed
        if a.lost
    ]
    return [a.spec for a in typed], notes


def _joined(sources: Sequence[LeadSource]) -> AttributeSettings:
    """Return what all leads files together say of attributes, by the attributes' names."""
    name = leads.attribute_name
    types = {name(n): kind for s in reversed(sources) for n, kind in s.attributes.types.items()}
    known_late = tuple(name(n) for s in sources for n in s.attributes.outcome_side)
    return AttributeSettings(types=types, outcome_side=known_late)


def _type_dated(connection: duckdb.DuckDBPyConnection) -> list[Attribute]:
    """Give dated attributes their types; numbers get one spelling, what is none becomes null."""
    read = casting.number(casting.plain_number("value", "."))
    rows = connection.execute(
        f"""
        SELECT name, count({read}) > 0 AND count({read}) >= {_NUMBER_SHARE} * count(value)
            AND NOT coalesce(bool_or(regexp_matches(value, '^[+-]?0\\d')), false)
        FROM attributes_kept GROUP BY name ORDER BY name
        """
    ).fetchall()
    numbers = [name for name, is_number in rows if is_number]
    if numbers:
        finite = f"CASE WHEN isfinite({read}) THEN CAST({read} AS VARCHAR) END"
        connection.execute(
            f"UPDATE attributes_kept SET value = {finite} WHERE name IN ({casting.words(numbers)})"
        )
    kinds = {True: ColumnType.NUMBER, False: ColumnType.TEXT}
    return [Attribute(name, kinds[bool(is_number)], Known.DATED) for name, is_number in rows]


def _close_reasons(connection: duckdb.DuckDBPyConnection) -> list[Note]:
    """Turn reasons outside the taxonomy into 'other'."""
    unknown = f"reason NOT IN ({casting.words(REASON_NAMES)})"
    (count,) = only_row(connection, f"SELECT count(*) FROM verdicts_kept WHERE {unknown}")
    if count == 0:
        return []
    connection.execute(f"UPDATE verdicts_kept SET reason = 'other' WHERE {unknown}")
    return [Note("verdicts", "", "reason", "unknown reasons, taken as 'other'", int(count))]
