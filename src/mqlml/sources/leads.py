"""What only the leads table has: an order that stands for time, an outcome, attributes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from mqlml.errors import Fault, SchemaError
from mqlml.sources import casting
from mqlml.sources.fields import Field, contract_fields
from mqlml.sources.settings import AttributeSettings, LeadSource, OutcomeColumn, shape_of
from mqlml.sources.staging import StagedFile, is_nameless
from mqlml.sources.typed import FilePlan
from mqlml.sources.zones import instant
from mqlml.tables.contracts import LEADS, Attribute, Column, ColumnType, Known
from mqlml.tables.ingested import Note
from mqlml.tables.sql import literal, only_row, quoted

ORDER = "__order"
_FILE_STRIDE = 1_000_000_000
_MINUTE = 60_000_000
_NUMBER_SHARE = 0.99
_BLOCK = 32

Item = TypeVar("Item")


def wanted_columns(source: LeadSource) -> list[str]:
    """Return the file's columns that the settings name, each once."""
    attributes = source.attributes
    named = [
        *source.columns.values(),
        *([source.order] if source.order not in {None, "file"} else []),
        *([source.newest_by] if source.newest_by not in {None, "file"} else []),
        *([source.outcome.column] if source.outcome else []),
        *attributes.columns,
        *attributes.ignore,
        *attributes.outcome_side,
        *attributes.engagement,
        *attributes.types,
    ]
    return list(dict.fromkeys(name for name in named if name is not None))


def lead_fields(
    connection: duckdb.DuckDBPyConnection, source: LeadSource, staged: StagedFile, number: int
) -> tuple[Field, ...]:
    """Return the fields of the leads contract, with the order in place of created_at."""
    fields = {f.name: f for f in contract_fields("leads", source, staged.columns)}
    if "lead_id" not in source.columns and "lead_id" not in staged.columns:
        prefix = literal(f"{number + 1}-" if number else "")
        fields["lead_id"] = Field(fields["lead_id"].column, f"{prefix} || CAST(__row AS VARCHAR)")
    fields["outcome"] = _outcome_field(fields["outcome"].column, source.outcome)
    if source.order is not None:
        del fields["created_at"]
        fields[ORDER] = _order_field(connection, source, staged, number)
    return tuple(fields.values())


def _outcome_field(column: Column, outcome: OutcomeColumn | None) -> Field:
    if outcome is None:
        return Field(column, "CAST(NULL AS VARCHAR)")
    value = quoted(outcome.column)
    otherwise = f"'unlisted: ' || {value}" if outcome.negative else "'false'"
    cases = [
        f"WHEN {value} IS NULL THEN NULL",
        f"WHEN {value} IN ({casting.words(outcome.positive)}) THEN 'true'",
    ]
    if outcome.negative:
        cases.append(f"WHEN {value} IN ({casting.words(outcome.negative)}) THEN 'false'")
    if outcome.open:
        cases.append(f"WHEN {value} IN ({casting.words(outcome.open)}) THEN NULL")
    remedy = "list the value in outcome.positive, negative or open, or in 'missing'"
    return Field(column, f"CASE {' '.join(cases)} ELSE {otherwise} END", remedy=remedy)


def _order_field(
    connection: duckdb.DuckDBPyConnection, source: LeadSource, staged: StagedFile, number: int
) -> Field:
    as_number = Column(ORDER, ColumnType.NUMBER, required=True)
    if source.order == "file":
        return Field(as_number, f"CAST({number * _FILE_STRIDE} + __row AS VARCHAR)")
    text = quoted(source.order or "")
    if source.order_values:
        places = {value: str(place) for place, value in enumerate(source.order_values)}
        cases = " ".join(f"WHEN {literal(v)} THEN {literal(p)}" for v, p in places.items())
        listed = f"CASE {text} {cases} WHEN NULL THEN NULL ELSE 'unlisted: ' || {text} END"
        shown = ", ".join(source.order_values[:15])
        return Field(as_number, listed, remedy=f"add the value to order_values, now: {shown}")
    kind = as_number if _is_mostly_number(connection, text, source, staged) else None
    remedy = f"fill {source.order} in the source, or name another order"
    return Field(kind or Column(ORDER, ColumnType.TEXT, required=True), text, remedy=remedy)


def _is_mostly_number(
    connection: duckdb.DuckDBPyConnection, text: str, source: LeadSource, staged: StagedFile
) -> bool:
    clean = casting.cleaned(text, source.missing)
    read = casting.number(casting.plain_number("x", source.decimal))
    rows = f"(SELECT {clean} AS x FROM read_parquet({literal(staged.parts)}))"
    (is_most,) = only_row(connection, f"SELECT count({read}) * 2 > count(x) FROM {rows}")
    return bool(is_most)


def check_one_order(plans: Sequence[FilePlan]) -> None:
    """Raise SchemaError if the order is a number in one leads file and text in another."""
    kinds = {p.staged.name: f.column.type for p in plans for f in p.fields if f.name == ORDER}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        what = "order is a number in one file and text in another"
        mend = "name columns of one kind, or list order_values"
        raise SchemaError(Fault(what, "sources.leads.order", found, mend))


def attribute_columns(
    connection: duckdb.DuckDBPyConnection, source: LeadSource, staged: StagedFile
) -> tuple[dict[str, str], list[Note]]:
    """Return SQL for the text of each attribute of one file, by name, and notes on changes.

    A column without a name and without values is dropped. An attribute that is
    called like a column of the contract is renamed `source_NAME`.
    """
    chosen = _chosen(source, staged)
    passed, notes = {}, []
    for column in chosen:
        if is_nameless(column) and _is_empty(connection, column, staged):
            notes.append(Note("leads", staged.name, column, "dropped: no name and no value"))
            continue
        name = attribute_name(column)
        if name != column:
            what = f"attribute renamed to {name!r}: its name belongs to the table"
            notes.append(Note("leads", staged.name, column, what))
        text = casting.mapped(quoted(column), source.values.get(column, {}))
        passed[name] = casting.plain_number(text, ",") if source.decimal == "," else text
    return passed, notes


def attribute_name(column: str) -> str:
    """Return the attribute's name for a source column: its own, unless the contract has it.

    >>> attribute_name("Country"), attribute_name("Outcome")
    ('Country', 'source_Outcome')
    """
    return f"source_{column}" if column.lower() in LEADS.names else column


def _chosen(source: LeadSource, staged: StagedFile) -> Sequence[str]:
    shape = shape_of(source)
    if shape is not None:
        known = {name.lower() for name in staged.columns}
        return [name for name, column in shape.attributes.items() if column.lower() in known]
    return source.attributes.columns or _unmapped(source, staged)


def _unmapped(source: LeadSource, staged: StagedFile) -> list[str]:
    used = {*source.columns.values(), *source.attributes.ignore, source.order}
    if source.outcome is not None:
        used.add(source.outcome.column)
    implicit = {n for n in ("lead_id", "created_at", "account_id") if n not in source.columns}
    if source.order is not None:
        implicit.discard("created_at")
    return [c for c in staged.columns if c not in used and c not in implicit]


def _is_empty(connection: duckdb.DuckDBPyConnection, column: str, staged: StagedFile) -> bool:
    clean = casting.cleaned(quoted(column), ())
    source = f"read_parquet({literal(staged.parts)})"
    return only_row(connection, f"SELECT count({clean}) FROM {source}") == (0,)


def rank_by_order(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the order of the kept leads by times one minute apart; ties share their time."""
    first = instant("2000-01-01", "UTC", "order")
    rank = f"dense_rank() OVER (ORDER BY {ORDER})"
    connection.execute(
        f"CREATE OR REPLACE TABLE leads_kept AS SELECT * EXCLUDE ({ORDER}),"
        f" make_timestamptz({first} + {rank} * {_MINUTE}) AS created_at FROM leads_kept"
    )


@dataclass(frozen=True)
class AttributeColumn:
    """A lead's attribute with SQL for its typed value, and how many values were lost to it."""

    spec: Attribute
    sql: str
    lost: int = 0


def type_attributes(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], settings: AttributeSettings
) -> list[AttributeColumn]:
    """Return how each attribute of the kept leads is stored.

    Without a declared type a column is a number if at least 99 % of its filled
    values are, and none looks like a code with leading zeros. Raises SchemaError
    if most values of a declared number or flag cannot be read.
    """
    looks = _looks(connection, names, settings)
    typed, faults = [], []
    for name in names:
        look = looks[name]
        kind = ColumnType(settings.types.get(name) or look.guess)
        known = Known.OUTCOME if name in settings.outcome_side else Known.CREATION
        lost = look.filled - look.read if kind is not ColumnType.TEXT else 0
        if lost * 2 > look.filled:
            mend = f"declare it 'text' in attributes.types.{name}"
            where = f"leads.attributes.types.{name}"
            found = f"{lost} of {look.filled}"
            faults.append(Fault(f"most values are not a {kind}", where, found, mend))
        typed.append(
            AttributeColumn(Attribute(name, kind, known), _typed_sql(quoted(name), kind), lost)
        )
    if faults:
        raise SchemaError(*faults)
    return typed


@dataclass(frozen=True)
class _Look:
    """How many values a column has, how many can be read, and whether they look like codes."""

    filled: int
    read: int
    is_code: bool

    @property
    def guess(self) -> ColumnType:
        is_number = 0 < self.read >= self.filled * _NUMBER_SHARE and not self.is_code
        return ColumnType.NUMBER if is_number else ColumnType.TEXT


def _looks(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], settings: AttributeSettings
) -> dict[str, _Look]:
    """Return a look at every attribute, read by its declared type, else as a number."""
    looks: dict[str, _Look] = {}
    for block in in_blocks(names):
        figures = []
        for name in block:
            column = quoted(name)
            kind = ColumnType(settings.types.get(name, ColumnType.NUMBER))
            is_code = f"coalesce(bool_or(regexp_matches({column}, '^[+-]?0\\d')), false)"
            figures += [f"count({column})", f"count({_typed_sql(column, kind)})", is_code]
        row = only_row(connection, f"SELECT {', '.join(figures)} FROM leads_kept")
        looks |= {n: _Look(*row[3 * place : 3 * place + 3]) for place, n in enumerate(block)}
    return looks


def in_blocks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the columns of a wide table in blocks, since one query over all needs much memory."""
    for start in range(0, len(items), _BLOCK):
        yield items[start : start + _BLOCK]


def _typed_sql(column: str, kind: ColumnType) -> str:
    if kind is ColumnType.NUMBER:
        read = casting.number(casting.plain_number(column, "."))
        return f"CASE WHEN isfinite({read}) THEN {read} END"
    return casting.flag(column) if kind is ColumnType.FLAG else column
