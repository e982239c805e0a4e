"""The files of an export's folder, or the tables of its schema, and which kind each of them is."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.sources.delimited import header_of
from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.settings import ExportSource, TableSource, WarehouseTable
from mqlml.sources.spelling import is_bare, lower_names, snake_name, snake_names

_DATA_FILE = re.compile(
    r"(?P<stem>.+)\.(csv|tsv|ndjson|jsonl|json|parquet|pq)(\.gz)?", re.IGNORECASE
)
_SHARD = r"(_data)?([-_.]\d+)*"

Source = TypeVar("Source", bound=TableSource)
# The names of the tables in the warehouse's schema that an export names, sorted.
Catalogue = Callable[[ExportSource], Sequence[str]]


@dataclass(frozen=True)
class ExportFile:
    """One file of an export, or a table of its schema; `shown` is how a source names it."""

    name: str
    shown: str
    stem: str
    path: Path | None = None
    table: WarehouseTable | None = None

    @property
    def is_text(self) -> bool:
        """Return whether it is a CSV file."""
        return self.path is not None and bool({".csv", ".tsv"} & set(self.path.suffixes))

    def placed(self, source: Source) -> Source:
        """Return the source of a mapping, reading the table if it is one."""
        if self.table is None:
            return source
        return source.model_copy(update={"file": None, "format": None, "table": self.table})


def export_files(
    export: ExportSource, data_dir: Path, catalogue: Catalogue
) -> tuple[ExportFile, ...]:
    """Return the files or tables of an export; DataError for a folder that is missing."""
    if export.folder is None:
        return tuple(_tables(export, catalogue))
    return tuple(folder_files(data_dir / export.folder, data_dir, export.folder))


def folder_files(folder: Path, data_dir: Path, shown: str) -> Iterator[ExportFile]:
    """Yield the files below a folder, sorted by path, none hidden; DataError if it is missing."""
    if not folder.is_dir():
        mend = "name the folder that holds the export's files; check --data"
        raise DataError(Fault("no such folder", shown, str(folder), mend))
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not is_hidden:
            name = _DATA_FILE.fullmatch(path.name)
            is_inside = path.is_relative_to(data_dir)
            own = path.relative_to(data_dir).as_posix() if is_inside else str(path)
            yield ExportFile(path.name, own, name["stem"] if name else "", path=path)


def _tables(export: ExportSource, catalogue: Catalogue) -> Iterator[ExportFile]:
    for name in catalogue(export):
        key = export.keys.get(name, ())
        full = f"{export.schema_name}.{name}" if export.schema_name else name
        table = WarehouseTable(
            warehouse=export.warehouse or "",
            name=full,
            watermark=export.watermark if key else None,
            key=key,
        )
        yield ExportFile(name, full, name, table=table)


def is_file_of(one: ExportFile, mapping: FileMapping, system: System) -> bool:
    """Return whether a file is of the kind that the mapping reads, by its name or its columns."""
    if not one.stem:
        return False
    bare = [m.header for m in system.files if m.header]
    if bare and one.is_text and any(is_bare(columns_of(one), header) for header in bare):
        return is_bare(columns_of(one), mapping.header)
    if mapping.header:
        return False
    if mapping.file and not is_called(one, mapping.file, system):
        return False
    if mapping.file and one.table is not None:
        return True  # whether a table has the signature shows when it is read
    if mapping.signature:
        columns = columns_of(one)
        there = snake_names(columns) if system.is_snake else columns
        return lower_names(mapping.signature) <= lower_names(there)
    return bool(mapping.file) or not one.is_text


def columns_of(one: ExportFile) -> tuple[str, ...]:
    """Return the names of a CSV or Parquet file's columns at a glance, none if it has none."""
    if one.path is None:
        return ()
    if one.is_text:
        return header_of(one.path)
    if {".parquet", ".pq"} & {suffix.lower() for suffix in one.path.suffixes}:
        try:
            return tuple(pq.read_schema(one.path).names)
        except (pa.ArrowException, OSError):
            return ()
    return ()


def is_called(one: ExportFile, table: str, system: System) -> bool:
    """Return whether a file is called like a table of the system's export."""
    starts = "|".join(map(re.escape, (f"{system.name}_", *system.prefixes)))
    pattern = rf"({starts})?{re.escape(table)}{_SHARD}"
    stems = {one.stem, snake_name(one.stem)} if system.is_snake else {one.stem}
    return any(stem and re.fullmatch(pattern, stem, re.IGNORECASE) for stem in stems)
