"""One canonical column as a source gives it: SQL for its text, and how to read it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.sources import casting
from mqlml.sources.row_sql import address, written
from mqlml.sources.settings import EventSource, TableSource, shape_of
from mqlml.tables.checking import OPEN_NAMES, VALID_NAMES
from mqlml.tables.contracts import CONTRACTS, Column, ColumnType
from mqlml.tables.sql import literal, quoted


@dataclass(frozen=True)
class Field:
    """A canonical column, SQL for its text over the source's columns, and its valid names."""

    column: Column
    text: str
    valid: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def name(self) -> str:
        """Return the canonical name."""
        return self.column.name

    @property
    def shown(self) -> str:
        """Return the name as people know it."""
        return self.name.removeprefix("__")

    @property
    def is_read(self) -> bool:
        """Return whether the text is read as something else than text."""
        return self.column.type is not ColumnType.TEXT


def contract_columns(table: str, source: TableSource) -> tuple[Column, ...]:
    """Return the columns of a table, with the extra properties of an events source."""
    columns = CONTRACTS[table].columns
    if isinstance(source, EventSource):
        extra = (Column(n, ColumnType(t)) for n, t in source.properties.items())
        return (*columns, *extra)
    return columns


def contract_fields(table: str, source: TableSource, found: Collection[str]) -> tuple[Field, ...]:
    """Return one field per column of the table; `found` are the columns of the file.

    A column that is not mapped is taken from the file's column of the same name,
    if there is one and no export's mapping says all; a constant fills what is
    then still missing.
    """
    if shape_of(source) is not None:
        found = ()
    fields = []
    for column in contract_columns(table, source):
        text = column_text(column.name, source, found)
        if column.name == "event_id" and not is_given(column.name, source, found):
            text = _content_id(source, found)
        if column.name in source.kinds:
            text = _of_kind(text, source.kinds[column.name])
        valid = VALID_NAMES.get((table, column.name), ())
        known = valid or OPEN_NAMES.get((table, column.name), ())
        if known:
            low = f"lower({text})"
            text = f"CASE WHEN {low} IN ({casting.words(known)}) THEN {low} ELSE {text} END"
        if column.name == "arrived_at":
            column = Column(column.name, column.type)
        fields.append(Field(column, text, valid, _remedy(column, source)))
    return tuple(fields)


def _of_kind(text: str, kind: str) -> str:
    """Return SQL for an id as all systems write it; e-mail addresses in small letters."""
    value = f"nullif({address(text)}, '')" if kind == "email" else text
    return f"({written(kind, value)})"


def _remedy(column: Column, source: TableSource) -> str:
    shape = shape_of(source)
    if shape is None:
        return ""
    if column.name in shape.remedies:
        return shape.remedies[column.name]
    if column.name == "lead_id":
        own = shape.lead_from
        return f"set exports.lead_id to an id that these rows have, or fill {own} in the source"
    return ""


def is_given(name: str, source: TableSource, found: Collection[str]) -> bool:
    """Return whether the source gives the canonical column at all."""
    return name in source.columns or name in source.constants or name in found


def column_text(name: str, source: TableSource, found: Collection[str]) -> str:
    """Return SQL for the text of a canonical column, with the source's constants and values."""
    given = source.columns.get(name, name if name in found else None)
    parts = [quoted(given)] if given is not None else []
    if name in source.constants:
        parts.append(literal(source.constants[name]))
    text = f"coalesce({', '.join(parts)})" if len(parts) > 1 else "".join(parts)
    return casting.mapped(text or "CAST(NULL AS VARCHAR)", source.values.get(name, {}))


def _content_id(source: TableSource, found: Collection[str]) -> str:
    """Return SQL for an id made of everything in the row, whatever the order of its columns."""
    cells = ", ".join(f"{literal(name)}: {quoted(name)}" for name in sorted(found))
    constants = ", ".join(
        f"{literal('=' + name)}: {literal(value)}"
        for name, value in sorted(source.constants.items())
    )
    row = ", ".join(part for part in (cells, constants) if part)
    return f"substr(md5(CAST(to_json({{{row}}}) AS VARCHAR)), 1, 20)"


def mapping_faults(table: str, source: TableSource, where: str) -> list[Fault]:
    """Return what is wrong with the names a source's settings use for canonical columns."""
    names = [column.name for column in contract_columns(table, source)]
    faults = []
    for setting, used in (
        ("columns", source.columns),
        ("constants", source.constants),
        ("kinds", source.kinds),
    ):
        faults += [
            Fault(
                f"{table} have no column {name!r}", f"{where}.{setting}", "", nearest(name, names)
            )
            for name in used
            if name not in names
        ]
    for name, mapping in source.values.items():
        valid = {**VALID_NAMES, **OPEN_NAMES}.get((table, name), ())
        faults += [
            Fault("not a valid name", f"{where}.values.{name}", repr(to), nearest(to, valid))
            for to in dict.fromkeys(mapping.values())
            if valid and to and to not in valid
        ]
    return faults


def raise_config(faults: Sequence[Fault]) -> None:
    """Raise one ConfigError with the faults, if there are any."""
    if faults:
        raise ConfigError(*faults)
