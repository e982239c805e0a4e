"""Finding the files of one source and staging their rows as text."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from mqlml.errors import ConfigError, DataError, Fault
from mqlml.sources.bare import stage_bare
from mqlml.sources.columnar import stage_parquet
from mqlml.sources.database import stage_postgres
from mqlml.sources.delimited import check_columns, stage_delimited
from mqlml.sources.increments import kept_folder, stage_increment
from mqlml.sources.ndjson import stage_ndjson
from mqlml.sources.settings import RowShape, TableSource, Warehouse, WarehouseTable, shape_of
from mqlml.sources.staging import StagedFile
from mqlml.sources.warehouse import Tables, open_warehouse
from mqlml.tables.checking import TimeRange
from mqlml.tables.tombstones import Tombstones

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_MAY_BE_EMPTY = frozenset({"attributes", "verdicts", "handovers", "aliases"})


@dataclass(frozen=True)
class Door:
    """What reading a source needs beside its settings.

    `kept` is where rows of warehouses' tables and of files stay between two ingests;
    without it they are read in full. Rows of files do not stay there unless `keeps_files`.
    """

    connection: duckdb.DuckDBPyConnection
    data_dir: Path
    workdir: Path
    times: TimeRange
    timezone: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    warehouses: Mapping[str, Warehouse] = field(default_factory=dict)
    kept: Path | None = None
    keeps_files: bool = False
    opened: dict[str, Tables] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)
    is_retry: bool = False
    erased: Tombstones = field(default_factory=Tombstones)
    # One file may feed several tables; it is staged once.
    staged: dict[tuple[str | None, ...], StagedFile] = field(default_factory=dict)

    def tables(self, warehouse: str) -> Tables:
        """Return the tables of a warehouse, opened once."""
        if warehouse not in self.opened:
            self.opened[warehouse] = open_warehouse(
                warehouse, self.warehouses, self.secrets, self.data_dir
            )
        return self.opened[warehouse]


def stage_source(
    door: Door, table: str, number: int, source: TableSource, *, wanted: Collection[str]
) -> list[StagedFile]:
    """Return the staged files of one source, in the order of their names.

    Raises ConfigError, SchemaError or DataError about the first file that cannot
    be read, in which a `wanted` column is absent, or that has no rows.
    """
    if source.postgres is not None:
        target = door.workdir / f"{table}-{number}"
        staged = [stage_postgres(source.postgres, door.secrets, target, wanted=wanted)]
    elif source.table is not None:
        target = door.workdir / f"{table}-{number}"
        staged = [_stage_table(door, source.table, target, wanted)]
    else:
        paths = existing_paths(door.data_dir, source.file or "")
        targets = [door.workdir / f"{table}-{number}-{n}" for n in range(len(paths))]
        staged = [
            _stage_once(door, path, target, source, wanted)
            for path, target in zip(paths, targets, strict=True)
        ]
    may_be_empty = table in _MAY_BE_EMPTY or shape_of(source) is not None
    for one in staged:
        if one.rows == 0 and not may_be_empty:
            mend = "export it again, or take it out of the config"
            raise DataError(Fault("file has a header and no rows", one.name, mend=mend))
    return staged


def source_names(door: Door, source: TableSource) -> list[str]:
    """Return what the files or the table of a source are called in accounts and quarantine."""
    if source.table is not None:
        return [_table_name(source.table)]
    if source.postgres is not None:
        return [source.postgres.table]
    paths = existing_paths(door.data_dir, source.file or "")
    return [_shown(path, door.data_dir) for path in paths]


def _table_name(table: WarehouseTable) -> str:
    return f"{table.warehouse}.{table.name}"


def _stage_table(
    door: Door, table: WarehouseTable, target: Path, wanted: Collection[str]
) -> StagedFile:
    key = ("table", table.model_dump_json())
    if key not in door.staged:
        tables = door.tables(table.warehouse)
        if door.kept is None or table.watermark is None:
            found = tables.stage(table.name, target, since=None, wanted=wanted)
        else:
            folder = kept_folder(door.kept, table, door.warehouses[table.warehouse])
            door.used.add(folder)
            found = stage_increment(tables, table, folder, target, wanted=wanted)
        door.staged[key] = replace(found, name=_table_name(table))
    check_columns(door.staged[key].columns, wanted, door.staged[key].name)
    return door.staged[key]


def existing_paths(data_dir: Path, pattern: str) -> list[Path]:
    """Return the file at a path, or the sorted files of a pattern; DataError if there is none."""
    path = data_dir / pattern
    if path.is_file():
        return [path]
    if path.is_dir():
        mend = "name a file, or a pattern such as 'folder/*.csv'"
        raise DataError(Fault("is a folder, not a file", pattern, mend=mend))
    base = Path(path.anchor) if Path(pattern).is_absolute() else data_dir
    is_pattern = any(sign in pattern for sign in "*?[")
    found = base.glob(path.relative_to(base).as_posix()) if is_pattern else ()
    paths = sorted(p for p in found if p.is_file())
    if not paths:
        what = "no file matches" if is_pattern else "no such file"
        raise DataError(Fault(what, pattern, str(path), "check the path and --data"))
    return paths


def _stage_once(
    door: Door, path: Path, target: Path, source: TableSource, wanted: Collection[str]
) -> StagedFile:
    shape = shape_of(source)
    bare = "bare" if shape is not None and shape.header else ""
    key = (str(path), source.format, source.delimiter, source.encoding, bare)
    if key not in door.staged:
        door.staged[key] = stage_file(
            door.connection,
            path,
            name=_shown(path, door.data_dir),
            target=target,
            source=source,
            wanted=wanted,
        )
    check_columns(door.staged[key].columns, wanted, door.staged[key].name)
    return door.staged[key]


def stage_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    name: str,
    target: Path,
    source: TableSource,
    wanted: Collection[str] = (),
) -> StagedFile:
    """Return one file's rows as text, staged in `target`; its format is declared or its ending's.

    Raises ConfigError, SchemaError or DataError if it cannot be read.
    """
    kind = source.format or _format(path, name)
    shape = shape_of(source) or RowShape()
    if shape.header:
        return stage_bare(path, name, target, columns=shape.header, encoding=source.encoding)
    if kind == "csv":
        return stage_delimited(
            path,
            name,
            target,
            wanted=wanted,
            delimiter=source.delimiter,
            encoding=source.encoding,
            is_snake=shape.is_snake,
        )
    if kind in {"ndjson", "webhooks"}:
        has_lists = kind == "webhooks"
        return stage_ndjson(path, name, target, encoding=source.encoding, has_lists=has_lists)
    return stage_parquet(connection, path, name, target)


def _shown(path: Path, data_dir: Path) -> str:
    """Return the path below the data directory, so that notes do not depend on where it lies."""
    return path.relative_to(data_dir).as_posix() if path.is_relative_to(data_dir) else str(path)


def _format(path: Path, name: str) -> str:
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    kind = _FORMATS.get(suffix.lower())
    if kind is None:
        mend = "set 'format: csv', ndjson or parquet"
        raise ConfigError(Fault("format cannot be told from the name", name, suffix, mend))
    return kind
