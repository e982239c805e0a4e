"""Checked tables on their way out: Parquet files, the quarantine, orphans, the data's end."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from mqlml.sources.shaping import numbered_rows
from mqlml.sources.typed import SQL_TYPES, TypedFile
from mqlml.tables.contracts import CONFLICTS, CONTRACTS, MERGES, Column, ColumnType
from mqlml.tables.ingested import Note
from mqlml.tables.quarantine import QUARANTINE_COLUMNS
from mqlml.tables.sql import literal, only_row, quoted
from mqlml.tables.tombstones import Tombstones

_YEAR = 365 * 86_400_000_000


def write_table(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column], target: Path
) -> None:
    """Write the kept rows of a table, in the order of their files and rows."""
    shown = ", ".join(
        f"CAST({quoted(c.name)} AS {SQL_TYPES[c.type]}) AS {quoted(c.name)}" for c in columns
    )
    query = f"SELECT {shown} FROM {table}_kept ORDER BY __file, __row"
    _copy(connection, query, target / f"{table}.parquet")


def write_identity(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Write the merges, and what was not followed."""
    for contract in (MERGES, CONFLICTS):
        columns = ", ".join(map(quoted, contract.names))
        query = f"SELECT DISTINCT {columns} FROM {contract.table}_kept ORDER BY ALL"
        _copy(connection, query, target / f"{contract.table}.parquet")


def collect_quarantine(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[TypedFile]]
) -> None:
    """Make the table `quarantined`: every row that is neither kept nor a duplicate, whole."""
    columns = ", ".join(
        f"{quoted(name)} {'BIGINT' if name == 'line' else 'VARCHAR'}" for name in QUARANTINE_COLUMNS
    )
    connection.execute(f"CREATE TABLE quarantined ({columns})")
    for table, typed_files in files.items():
        refused = files_with_refused(connection, table)
        together: dict[object, list[TypedFile]] = {}
        for one in typed_files:
            if one.plan.number in refused:
                alike = (one.parsed, one.checks, one.plan.staged.columns)
                together.setdefault(alike, []).append(one)
        for group in together.values():
            connection.execute(f"INSERT INTO quarantined {_quarantined(table, group)}")


def files_with_refused(connection: duckdb.DuckDBPyConnection, table: str) -> set[int]:
    """Return the numbers of the table's files of which a row goes to the quarantine."""
    query = (
        f"SELECT DISTINCT __file FROM {table} WHERE __passes AND __fault > 0"
        f" UNION SELECT __file FROM {table}_repeats WHERE NOT is_equal"
    )
    return {number for (number,) in connection.execute(query).fetchall()}


def write_quarantine(
    connection: duckdb.DuckDBPyConnection, target: Path, erased: Tombstones
) -> None:
    """Write the table `quarantined`, each row with reason and remedy.

    Rows that name somebody who was erased are not written.
    """
    if erased.hashes:
        rows = connection.execute("SELECT rowid, raw FROM quarantined").fetchall()
        gone = [str(row) for row, raw in rows if erased.mentions(raw or "")]
        if gone:
            connection.execute(f"DELETE FROM quarantined WHERE rowid IN ({', '.join(gone)})")
    query = 'SELECT * FROM quarantined ORDER BY "table", file, line, reason, raw'
    _copy(connection, query, target / "quarantine.parquet")


def _quarantined(table: str, group: Sequence[TypedFile]) -> str:
    """Return SQL for the refused rows of files that were read together."""
    codes = ", ".join(
        f"({n}, {literal(c.column)}, {literal(c.reason)}, {literal(c.remedy)})"
        for n, c in enumerate(group[0].checks, start=1)
    )
    plans = [one.plan for one in group]
    names = ", ".join(f"({plan.number}, {literal(plan.staged.name)})" for plan in plans)
    key = " and ".join(CONTRACTS[table].key)
    conflict = literal(f"another row with the same {key} came first and says otherwise")
    cells = ", ".join(f"{literal(c)}: raw.{quoted(c)}" for c in plans[0].staged.columns)
    raw = numbered_rows([(plan.number, plan.staged) for plan in plans])
    return f"""
        WITH codes(code, "column", reason, remedy) AS (VALUES {codes}),
        names(__file, name) AS (VALUES {names}), faulty AS (
            SELECT rows.__file, rows.__row, rows.__line, codes."column",
                coalesce(rows.__broken, codes.reason) AS reason, codes.remedy
            FROM {table} AS rows JOIN codes ON codes.code = rows.__fault
            WHERE rows.__passes
            UNION ALL
            SELECT rows.__file, rows.__row, rows.__line, {literal(CONTRACTS[table].key[0])},
                {conflict}, 'keep one row per key in the source'
            FROM {table} AS rows JOIN {table}_repeats AS r
            ON rows.__file = r.__file AND rows.__row = r.__row
            WHERE NOT r.is_equal
        )
        SELECT {literal(table)}, names.name, faulty.__line, faulty."column",
            faulty.reason, faulty.remedy,
            coalesce(to_json(raw.__raw), to_json({{{cells}}}))::VARCHAR
        FROM faulty JOIN names USING (__file)
        JOIN {raw} AS raw ON raw.__file = faulty.__file AND raw.__row = faulty.__row
    """


def orphans(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return, per table, how many kept rows belong to no kept lead, aliases left out."""
    counted = {}
    for table in CONTRACTS:
        if table == "aliases":
            continue  # they may link to one another
        query = f"SELECT count(*) FROM {table}_kept ANTI JOIN leads_kept USING (lead_id)"
        (count,) = only_row(connection, query)
        if count:
            counted[table] = int(count)
    return counted


def latest_time(connection: duckdb.DuckDBPyConnection, live: Collection[int] = ()) -> int:
    """Return the latest time of any kept row in microseconds UTC; at least one lead is kept.

    Verdicts of the files `live` come after what the other sources hold, and do not count.
    """
    (latest,) = only_row(connection, f"SELECT epoch_us(max(t)) FROM ({_all_times(live)})")
    return int(latest)


def stray_end(connection: duckdb.DuckDBPyConnection, latest: int) -> list[Note]:
    """Return a note if hardly any row lies in the year before the latest time.

    One mistyped year would make the data look complete until then, and leads
    that were never given the time to convert look lost.
    """
    query = (
        f"SELECT count(*), count(*) FILTER (epoch_us(t) > {latest - _YEAR}) FROM ({_all_times()})"
    )
    rows, late = only_row(connection, query)
    if late * 200 >= rows:
        return []
    day = datetime.fromtimestamp(latest // 1_000_000, UTC).date().isoformat()
    what = (
        f"the data seem to end on {day}, but hardly any row lies in the year before: set data_end"
    )
    return [Note("", "", "", what, int(late))]


def _all_times(live: Collection[int] = ()) -> str:
    others = f" WHERE __file NOT IN ({', '.join(map(str, live))})" if live else ""
    return " UNION ALL ".join(
        f"SELECT CAST({quoted(column.name)} AS TIMESTAMPTZ) AS t FROM {table}_kept"
        f"{others if table == 'verdicts' else ''}"
        for table, contract in CONTRACTS.items()
        for column in contract.columns
        # When a link ends may lie in the future: no row says that the data reach until then.
        if column.type is ColumnType.TIME and column.name != "ended_at"
    )


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
