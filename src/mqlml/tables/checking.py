"""Checked rows: the contract's conditions, repeated keys, and where every row went.

The steps work on a DuckDB table of typed rows with six columns beside the
contract's: `__file` and `__row` (where a row comes from), `__line`, `__passes`
(the source's filter lets it through), `__newest` (the larger, the newer a version of
the row; null where the source does not tell) and `__fault` (0 for a sound row).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from mqlml.tables.contracts import REASON_NAMES, STAGE_NAMES, VERDICT_NAMES, Column, ColumnType
from mqlml.tables.ingested import FileCount
from mqlml.tables.quarantine import Check
from mqlml.tables.sql import literal, quoted

VALID_NAMES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("stages", "stage"): STAGE_NAMES,
    ("verdicts", "verdict"): VERDICT_NAMES,
}
# An unknown reason is no broken row: it is the reason 'other'.
OPEN_NAMES: Mapping[tuple[str, str], tuple[str, ...]] = {("verdicts", "reason"): REASON_NAMES}


@dataclass(frozen=True)
class TimeRange:
    """Times a table may hold, in microseconds UTC, both ends included, with their words."""

    earliest: int
    latest: int
    earliest_text: str
    latest_text: str


@dataclass(frozen=True)
class CellNames:
    """What SQL calls the text of a column and what was read from it."""

    text: str
    read: str
    is_gap: str = "false"


def column_checks(
    column: Column, cell: CellNames, *, times: TimeRange, valid: Sequence[str] = (), zone: str = ""
) -> list[Check]:
    """Return the ways a value of `column` can break its contract, the first that holds counts."""
    name, checks = column.name.removeprefix("__"), []
    if column.required:
        checks.append(
            Check(name, f"{name} is missing", f"fill {name} in the source", f"{cell.text} IS NULL")
        )
    if valid:
        shown = ", ".join(valid[:15]) + (", …" if len(valid) > 15 else "")
        unknown = f"{cell.text} NOT IN ({', '.join(map(literal, valid))})"
        remedy = f"map it in the config's 'values' to one of: {shown}"
        checks.append(Check(name, f"{name} is not a valid name", remedy, unknown))
    checks += _TYPE_CHECKS[column.type](name, cell, times, zone)
    return checks


def _no_checks(_name: str, _cell: CellNames, _times: TimeRange, _zone: str) -> list[Check]:
    return []


def _unread(name: str, cell: CellNames, kind: str, remedy: str) -> Check:
    broken = f"({cell.text} IS NOT NULL AND {cell.read} IS NULL)"
    return Check(name, f"{name} is not a {kind}", remedy, broken)


def _time_checks(name: str, cell: CellNames, times: TimeRange, zone: str) -> list[Check]:
    remedy = "write times like the others of the column, or set 'time_format'"
    return [
        Check(
            name,
            f"{name} does not exist in {zone}: clocks go forward there",
            "export times with their offset or in UTC",
            cell.is_gap,
        ),
        _unread(name, cell, "time", remedy),
        Check(
            name,
            f"{name} lies before {times.earliest_text}",
            "correct it, or set sources.earliest",
            f"{cell.read} < {times.earliest}",
        ),
        Check(
            name,
            f"{name} lies after {times.latest_text}",
            "correct it, or set sources.data_end",
            f"{cell.read} > {times.latest}",
        ),
    ]


def _number_checks(name: str, cell: CellNames, _times: TimeRange, _zone: str) -> list[Check]:
    remedy = "write it like 1234.5, or set 'decimal'"
    return [
        _unread(name, cell, "number", remedy),
        Check(name, f"{name} is infinite", "leave it empty if unknown", f"isinf({cell.read})"),
    ]


def _flag_checks(name: str, cell: CellNames, _times: TimeRange, _zone: str) -> list[Check]:
    return [_unread(name, cell, "yes or no", "write true or false, or map it in 'values'")]


_TYPE_CHECKS = {
    ColumnType.TEXT: _no_checks,
    ColumnType.NUMBER: _number_checks,
    ColumnType.TIME: _time_checks,
    ColumnType.FLAG: _flag_checks,
}


def settle_repeats(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: Sequence[str],
    content: Sequence[str],
    *,
    ending: str | None = None,
) -> None:
    """Make the tables `TABLE_repeats` and `TABLE_kept` from the typed rows in `TABLE`.

    Of sound rows with one key the first (by file, then row) is kept. Later ones
    are repeats: `is_equal` if all of `content` is equal, else in conflict with it.
    Where a source says which row is the newest (`__newest`), that one is kept, and
    the older ones, which it corrects, are repeats as equal ones are. Of rows that
    differ in their `ending` alone the one that came last with an end is kept.
    """
    keys = ", ".join(map(quoted, key))
    same = " AND ".join(f"rows.{quoted(k)} IS NOT DISTINCT FROM many.{quoted(k)}" for k in key)
    values = f"hash({', '.join(quoted(name) for name in content if name != ending)})"
    is_open = "true" if ending is None else f"{quoted(ending)} IS NULL"
    first = f"CASE WHEN {is_open} THEN {{0}} ELSE -{{0}} END".format
    order = f"__newest DESC NULLS LAST, {is_open}, {first('__file')}, {first('__row')}"
    sound = "__passes AND __fault = 0"
    connection.execute(
        f"""
        CREATE TABLE {table}_repeats AS
        WITH many AS (
            SELECT {keys} FROM {table} WHERE {sound} GROUP BY ALL HAVING count(*) > 1
        ), ranked AS (
            SELECT __file, __row, __newest, {values} AS content,
                first_value({values}) OVER w AS first_content, row_number() OVER w AS position
            FROM {table} AS rows SEMI JOIN many ON {same}
            WHERE {sound}
            WINDOW w AS (PARTITION BY {keys} ORDER BY {order})
        )
        SELECT __file, __row, content = first_content OR __newest IS NOT NULL AS is_equal
        FROM ranked WHERE position > 1
        """
    )
    connection.execute(
        f"CREATE TABLE {table}_kept AS SELECT * FROM {table} AS rows"
        f" ANTI JOIN {table}_repeats AS r ON rows.__file = r.__file AND rows.__row = r.__row"
        f" WHERE {sound}"
    )


def file_counts(
    connection: duckdb.DuckDBPyConnection, table: str, files: Mapping[int, tuple[str, int, int]]
) -> tuple[FileCount, ...]:
    """Return the account of every file; `files` maps `__file` to its name, rows, and rows made.

    Each figure is counted on its own; AssertionError if they do not add up.
    """
    if not files:
        return ()
    counts = tuple(
        FileCount(
            name,
            table,
            rows,
            kept=went["kept"],
            duplicates=went["equal"],
            quarantined=went["broken"] + went["conflict"],
            filtered=went["filtered"],
            made=made,
        )
        for (name, rows, made), went in zip(
            files.values(), _whereabouts(connection, table, files), strict=True
        )
    )
    return checked_counts(counts)


def checked_counts(counts: Sequence[FileCount]) -> tuple[FileCount, ...]:
    """Return the account of files as it is; AssertionError if the rows of one do not add up."""
    lost = [count for count in counts if not count.is_balanced]
    if lost:
        raise AssertionError(f"rows were lost or made: {lost}")
    return tuple(counts)


def _whereabouts(
    connection: duckdb.DuckDBPyConnection, table: str, files: Iterable[int]
) -> list[dict[str, int]]:
    """Return, for each file, how many rows went where; every place is counted in its own table."""
    rows = connection.execute(
        f"""
        SELECT __file, place, count(*) FROM (
            SELECT __file, CASE WHEN NOT __passes THEN 'filtered' ELSE 'broken' END AS place
            FROM {table} WHERE NOT __passes OR __fault > 0
            UNION ALL
            SELECT __file, CASE WHEN is_equal THEN 'equal' ELSE 'conflict' END FROM {table}_repeats
            UNION ALL
            SELECT __file, 'kept' FROM {table}_kept
        ) GROUP BY ALL
        """
    ).fetchall()
    counted = {(file, place): count for file, place, count in rows}
    places = ("kept", "equal", "conflict", "broken", "filtered")
    return [{place: counted.get((file, place), 0) for place in places} for file in files]
