"""Quarantined rows on their second way in: read by the present settings, nothing else is.

The rows that were kept before stay as they were read then and come first where a key stands
twice. What is still refused goes back to the quarantine, and so do rows whose source is no
longer in the settings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mqlml.errors import DataError, Fault
from mqlml.sources.door import Door, source_names
from mqlml.sources.setting_faults import sources_by_table
from mqlml.sources.settings import LeadSource, SourceSettings, TableSource, shape_of
from mqlml.sources.staging import PartWriter, StagedFile
from mqlml.tables.checking import checked_counts
from mqlml.tables.contracts import CONTRACTS
from mqlml.tables.ingested import FileCount, Note
from mqlml.tables.quarantine import QUARANTINE_COLUMNS
from mqlml.tables.robots import RULES
from mqlml.tables.sql import literal, quoted

_EARLIER_FILE = -1
# What a rule marked is looked at again by the rules of today; what the source marked stays.
_OF_RULE = f"bot_reason IN ({', '.join(map(literal, RULES))})"
_UNMARKED = ", ".join(
    f"CASE WHEN {_OF_RULE} THEN NULL ELSE {name} END AS {name}" for name in ("is_bot", "bot_reason")
)


@dataclass(frozen=True)
class Earlier:
    """What an earlier ingest left: the files of its tables, its quarantine and its account."""

    tables: Mapping[str, str]
    quarantine: Path
    counts: tuple[FileCount, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Retried:
    """An earlier ingest, and per table the files whose quarantined rows are read again."""

    earlier: Earlier
    names: Mapping[str, set[str]]


def check_retry(settings: SourceSettings) -> None:
    """Raise DataError if rows cannot be added to what was read before."""
    if any(source.order is not None for source in settings.leads):
        mend = "run 'mqlml ingest' without it"
        what = "an order in place of time needs all rows, so the quarantine cannot be retried"
        raise DataError(Fault(what, "sources.leads.order", "", mend))


def retried_sources(door: Door, earlier: Earlier, settings: SourceSettings) -> dict[str, set[str]]:
    """Return, per table, the files whose quarantined rows can be read by one source of it.

    A file that two sources read into one table is none, for nobody can tell whose rows they
    are; neither are leads that are known by the number of their row.
    """
    found: dict[str, set[str]] = {}
    for table, sources in sources_by_table(settings).items():
        names = [name for source in sources for name in source_names(door, source)]
        once = {name for name in names if names.count(name) == 1}
        numbered = {
            name
            for source in sources
            if isinstance(source, LeadSource) and not _has_id(earlier, source)
            for name in source_names(door, source)
        }
        # What depends on the rows before it cannot be told from refused rows alone.
        windowed = {
            name
            for source in sources
            if (shape := shape_of(source)) is not None and shape.windows
            for name in source_names(door, source)
        }
        found[table] = once - numbered - windowed
    return found


def _has_id(earlier: Earlier, source: LeadSource) -> bool:
    if "lead_id" in source.columns:
        return True
    query = f"SELECT bool_and(json_exists(raw, '$.lead_id')) FROM {_rows(earlier)} WHERE file = ?"
    with duckdb.connect(":memory:") as connection:
        ((has_column,),) = connection.execute(query, [source.file]).fetchall()
    return bool(has_column)


def retried_files(
    door: Door, retried: Retried, table: str, number: int, source: TableSource
) -> list[StagedFile]:
    """Return the quarantined rows of a source's files, staged as they were read."""
    staged = []
    for place, name in enumerate(source_names(door, source)):
        if name in retried.names[table]:
            rows = door.connection.execute(
                f"SELECT line, reason, raw FROM {_rows(retried.earlier)}"
                ' WHERE "table" = ? AND file = ? ORDER BY line, reason, raw',
                [table, name],
            ).fetchall()
            # Lines that are no rows stay what they are, whatever the mapping says.
            if any(raw.startswith("{") for _, _, raw in rows):
                staged.append(_staged(name, rows, door.workdir / f"{table}-{number}-{place}"))
    return staged


def _staged(name: str, rows: Sequence[tuple[int, str, str]], target: Path) -> StagedFile:
    read = [(line, reason, json.loads(raw)) for line, reason, raw in rows]
    columns = tuple(dict.fromkeys(n for _, _, raw in read if isinstance(raw, dict) for n in raw))
    writer = PartWriter(target)
    lines = [line for line, _, _ in read]
    faults = {
        place: (reason, str(raw))
        for place, (_, reason, raw) in enumerate(read)
        if not isinstance(raw, dict)
    }
    cells = {n: pa.array([_cell(raw, n) for _, _, raw in read], pa.string()) for n in columns}
    writer.add_part(lines, cells, faults)
    return StagedFile(name, target, columns, writer.rows)


def _cell(raw: Any, name: str) -> str | None:
    value = raw.get(name) if isinstance(raw, dict) else None
    return None if value is None else str(value)


def earlier_rows(connection: duckdb.DuckDBPyConnection, earlier: Earlier, table: str) -> str:
    """Return SQL for the rows that were kept before, as rows of a file before all others.

    Attributes of leads are text again, until their types are decided over all rows.
    """
    source = earlier.tables[table]
    names = connection.sql(f"SELECT * FROM {source} LIMIT 0").columns
    own = CONTRACTS[table].names
    columns = [
        f"CAST({quoted(n)} AS VARCHAR) AS {quoted(n)}"
        if table == "leads" and n not in own
        else quoted(n)
        for n in names
    ]
    if table == "events":
        source = f"(SELECT * REPLACE ({_UNMARKED}) FROM {source})"
    head = (
        f"{_EARLIER_FILE} AS __file, CAST(row_number() OVER () AS BIGINT) AS __row,"
        " CAST(0 AS BIGINT) AS __line, CAST(NULL AS VARCHAR) AS __broken, true AS __passes,"
        " CAST(NULL AS DOUBLE) AS __newest, 0 AS __fault"
    )
    return f"SELECT {', '.join([head, *columns])} FROM {source}"


def carry_quarantine(
    connection: duckdb.DuckDBPyConnection, earlier: Earlier, retried: Mapping[str, Sequence[str]]
) -> None:
    """Put the rows that were not retried into the new quarantine, as they were."""
    columns = ", ".join(map(quoted, QUARANTINE_COLUMNS))
    again = [
        f'("table" = {literal(table)} AND file = {literal(name)})'
        for table, names in retried.items()
        for name in names
    ]
    condition = f" WHERE NOT ({' OR '.join(again)})" if again else ""
    connection.execute(f"INSERT INTO quarantined SELECT {columns} FROM {_rows(earlier)}{condition}")


def joined_counts(earlier: Earlier, retried: Sequence[FileCount]) -> list[FileCount]:
    """Return the account of all files, with what became of the rows that were retried.

    Raises AssertionError if a row was lost or made.
    """
    again = {(count.table, count.file): count for count in retried}
    joined = []
    for old in earlier.counts:
        new = again.pop((old.table, old.file), None)
        if new is None:
            joined.append(old)
            continue
        joined.append(
            replace(
                old,
                kept=old.kept + new.kept,
                duplicates=old.duplicates + new.duplicates,
                quarantined=new.quarantined,
                filtered=old.filtered + new.filtered,
                made=old.made + new.made,
            )
        )
    return list(checked_counts([*joined, *again.values()]))


def _rows(earlier: Earlier) -> str:
    return f"read_parquet({literal(str(earlier.quarantine))})"
