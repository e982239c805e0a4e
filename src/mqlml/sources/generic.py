"""The generic door: files and database tables of any shape become checked tables.

Every row of every file is accounted for: kept, a duplicate of a kept row, in
quarantine with its reason, or filtered out by the source's own condition.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from mqlml.errors import DataError, Fault, MqlmlError
from mqlml.sources import leads
from mqlml.sources.door import Door, existing_paths
from mqlml.sources.event_types import unknown_types
from mqlml.sources.exports import expand_exports, unfound_attributes
from mqlml.sources.fields import raise_config
from mqlml.sources.finishing import finish_tables
from mqlml.sources.identifying import identify
from mqlml.sources.increments import sweep_kept
from mqlml.sources.reshaping import joins_of
from mqlml.sources.retry import (
    Earlier,
    carry_quarantine,
    check_retry,
    earlier_rows,
    joined_counts,
)
from mqlml.sources.setting_faults import setting_faults, sources_by_table, time_range
from mqlml.sources.settings import ExportSource, LiveTable, SourceSettings
from mqlml.sources.typed import (
    SQL_TYPES,
    TypedFile,
    raise_together,
)
from mqlml.sources.typed_files import typed_files, with_raw
from mqlml.sources.written import (
    collect_quarantine,
    latest_time,
    orphans,
    stray_end,
    write_identity,
    write_quarantine,
    write_table,
)
from mqlml.tables.checking import file_counts, settle_repeats
from mqlml.tables.contracts import CONTRACTS, Column, ColumnType
from mqlml.tables.ingested import FileCount, Ingested, Note
from mqlml.tables.sql import literal, quoted
from mqlml.tables.tombstones import NO_TOMBSTONES, Tombstones, erased_sql, make_erased

_MINUTE = 60_000_000


@dataclass(frozen=True)
class Before:
    """What was before this reading.

    `kept` is the folder where rows that are read by a watermark stay for the next time.
    With `earlier` only its quarantined rows are read, and join the rows that it kept. Rows
    of who was `erased` are left out.
    """

    kept: Path | None = None
    earlier: Earlier | None = None
    erased: Tombstones = NO_TOMBSTONES


_NOTHING_BEFORE = Before()


def read_sources(
    settings: SourceSettings,
    data_dir: Path,
    *,
    timezone: str | None,
    workdir: Path,
    secrets: Mapping[str, str] | None = None,
    before: Before = _NOTHING_BEFORE,
) -> Ingested:
    """Return the checked tables of all sources, written as Parquet into `workdir`.

    Relative paths of the settings start at `data_dir`. Times without an offset
    are local to the source's `timezone`, else to `timezone`. `secrets` maps
    each database source's `url_env` to its URL. The faults of all files are raised
    together, as ConfigError, SchemaError or DataError after the first of them.
    """
    earlier = before.earlier
    times = time_range(settings, timezone)
    raise_config(setting_faults(settings))
    exports = settings.exports
    if earlier is not None:
        check_retry(settings)
    scratch = workdir / "scratch"
    try:
        shutil.rmtree(workdir / "checked", ignore_errors=True)
        scratch.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(":memory:") as connection:
            _limit(connection, scratch / "spill")
            door = Door(
                connection,
                data_dir,
                scratch,
                times,
                timezone,
                secrets or {},
                warehouses=settings.warehouse,
                kept=before.kept,
                # Where ids are hashed at the door, none stays behind it as it came.
                keeps_files=earlier is None and settings.identity.hash_key_env is None,
                is_retry=earlier is not None,
                erased=before.erased,
            )
            settings, unread = _expanded(settings, door)
            ingested = _ingest(door, settings, workdir / "checked", unread, earlier)
            if before.kept is not None and earlier is None:
                sweep_kept(before.kept, door.used)
            known = [spec.name for spec in ingested.attribute_specs]
            told = unfound_attributes(exports, known)
            return replace(ingested, notes=(*ingested.notes, *told))
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        found = str(error).splitlines()[0]
        mend = "free space on that disk, or give a workspace on another one"
        raise DataError(Fault("rows cannot be stored", str(workdir), found, mend)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _limit(connection: duckdb.DuckDBPyConnection, spill: Path) -> None:
    # Python's own share comes on top: together they stay below 2 GiB.
    connection.execute("SET memory_limit = '1200MB'")
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    connection.execute("SET TimeZone = 'UTC'")


def source_files(settings: SourceSettings, data_dir: Path) -> tuple[Path, ...] | None:
    """Return the files that the sources read, each once and sorted; None if one is a database.

    Raises one DataError naming every file that is missing and pattern that matches nothing.
    """
    if any(export.warehouse for export in settings.exports):
        return None
    if settings.exports:
        settings = expand_exports(settings, data_dir, _no_tables).settings
        raise_config(setting_faults(settings))
    sources = [s for listed in sources_by_table(settings).values() for s in listed]
    sources += [p for s in sources for join in joins_of(s) for p in join.sources]
    found: set[Path] = set()
    errors: list[MqlmlError] = []
    for source in sources:
        try:
            found.update(existing_paths(data_dir, source.file) if source.file else ())
        except MqlmlError as error:
            errors.append(error)
    raise_together(errors)
    has_database = any(s.postgres or s.table for s in sources)
    return None if has_database else tuple(sorted(found))


def _no_tables(_export: ExportSource) -> Sequence[str]:
    return ()


def _expanded(settings: SourceSettings, door: Door) -> tuple[SourceSettings, tuple[Note, ...]]:
    """Return the settings with the files of all exports, and notes on files left alone."""
    if not settings.exports:
        return settings, ()

    def catalogue(export: ExportSource) -> Sequence[str]:
        return door.tables(export.warehouse or "").names(export.schema_name)

    found = expand_exports(settings, door.data_dir, catalogue)
    raise_config(setting_faults(found.settings))
    return found.settings, found.notes


def _ingest(
    door: Door,
    settings: SourceSettings,
    target: Path,
    unread: Sequence[Note],
    earlier: Earlier | None,
) -> Ingested:
    files, notes = typed_files(door, settings, earlier)
    is_order_time = settings.leads[0].order is not None
    make_erased(door.connection, door.erased)
    counts = [c for t in CONTRACTS for c in _settle(door, t, files[t], earlier)]
    files = {t: with_raw(door, t, files[t]) for t in CONTRACTS}
    collect_quarantine(door.connection, files)
    if earlier is not None:
        retried = {t: [one.plan.staged.name for one in files[t]] for t in CONTRACTS}
        carry_quarantine(door.connection, earlier, retried)
        counts = joined_counts(earlier, counts)
        unread = [n for n in (*earlier.notes, *unread) if n not in notes]
    _check_leads(counts)
    identified = identify(door.connection, settings, door.secrets)
    finished = finish_tables(door.connection, settings)
    properties = (*_properties(settings), *identified.event_columns)
    target.mkdir()
    for table in CONTRACTS:
        columns = finished.columns(table, properties)
        write_table(door.connection, table, columns, target)
    write_identity(door.connection, target)
    write_quarantine(door.connection, target, door.erased)
    last = latest_time(door.connection, _live(files["verdicts"]))
    is_declared = settings.data_end is not None and not is_order_time
    strays = () if is_declared else stray_end(door.connection, last)
    unknown = unknown_types(door.connection, files["events"])
    told = (*unread, *notes, *identified.notes, *finished.notes, *unknown, *strays)
    return Ingested(
        target,
        tuple(counts),
        data_end=door.times.latest if is_declared else last + _MINUTE * is_order_time,
        attribute_specs=finished.specs,
        properties=properties,
        is_order_time=is_order_time,
        notes=tuple(dict.fromkeys(told)),
        orphans=orphans(door.connection),
    )


def _live(files: Sequence[TypedFile]) -> list[int]:
    """Return the numbers of files that do not say how far the data reach."""
    return [one.plan.number for one in files if isinstance(one.plan.source, LiveTable)]


def _settle(
    door: Door, table: str, files: list[TypedFile], earlier: Earlier | None
) -> tuple[FileCount, ...]:
    """Make the table of all files' rows, drop repeats, and return where every row went.

    Rows of people who were erased are left out, like those that a source's `where` leaves out.
    """
    connection = door.connection
    selects = [f"({one})" for one in dict.fromkeys(f.select for f in files)] or [_nothing(table)]
    if earlier is not None:
        selects.append(f"({earlier_rows(connection, earlier, table)})")
    connection.execute(f"CREATE TABLE {table} AS {' UNION ALL BY NAME '.join(selects)}")
    if door.erased.hashes:
        for column in ("lead_id", "alias") if table == "aliases" else ("lead_id",):
            is_erased = erased_sql(door.erased, column)
            connection.execute(f"UPDATE {table} SET __passes = false WHERE {is_erased}")
    for parsed in dict.fromkeys(one.parsed for one in files if one.parsed):
        connection.execute(f"DROP TABLE {parsed}")
    names = connection.table(table).columns
    content = [name for name in names if not name.startswith("__") or name == leads.ORDER]
    contract = CONTRACTS[table]
    settle_repeats(connection, table, contract.key, content, ending=contract.ending)
    staged = {one.plan.number: one.plan.staged for one in files}
    rows = {number: (one.name, one.rows - one.made, one.made) for number, one in staged.items()}
    return file_counts(connection, table, rows)


def _nothing(table: str) -> str:
    columns = ", ".join(
        f"CAST(NULL AS {SQL_TYPES[c.type]}) AS {quoted(c.name)}" for c in CONTRACTS[table].columns
    )
    head = (
        "0 AS __file, 0 AS __row, 0 AS __line, '' AS __broken, true AS __passes,"
        " CAST(NULL AS DOUBLE) AS __newest, 0 AS __fault"
    )
    return f"(SELECT {head}, {columns} WHERE false)"


def _check_leads(counts: list[FileCount]) -> None:
    of_leads = [c for c in counts if c.table == "leads"]
    if any(c.kept for c in of_leads):
        return
    found = "; ".join(f"{c.file}: {c.rows} rows, {c.quarantined} quarantined" for c in of_leads)
    mend = "check the mapping and 'where' of sources.leads"
    raise DataError(Fault("no lead could be kept", "sources.leads", found, mend))


def _properties(settings: SourceSettings) -> tuple[Column, ...]:
    types = {n: kind for source in settings.events for n, kind in source.properties.items()}
    return tuple(Column(name, ColumnType(kind)) for name, kind in types.items())
