"""Which systems' exports lie below a folder, told by names and columns of files."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import MqlmlError
from mqlml.sources.delimited import header_of
from mqlml.sources.export_files import ExportFile, folder_files, is_called, is_file_of
from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.ndjson import bodies_of
from mqlml.sources.spelling import lower_names, snake_names
from mqlml.sources.text_files import open_text
from mqlml.sources.vendors.registry import SYSTEMS

_FIRST_LINES = 50


@dataclass(frozen=True)
class FoundExport:
    """The export of one system: its folder, its files with the mappings that read each.

    `columns` are those of each file; files are named from `root` on.
    """

    system: System
    folder: Path
    files: Mapping[str, tuple[FileMapping, ...]]
    columns: Mapping[str, tuple[str, ...]]
    root: Path

    def mappings(self, table: str) -> list[FileMapping]:
        """Return the mappings that fill a table from files that are there."""
        return [m for found in self.files.values() for m in found if m.table == table]

    @property
    def event_types(self) -> list[str]:
        """Return the names of the event types that the mappings give by themselves."""
        given: dict[str, None] = {}
        for one in self.mappings("events"):
            given |= dict.fromkeys(one.values.get("type", {}).values())
            if "type" in one.constants:
                given[one.constants["type"]] = None
        return list(given)


def found_exports(folder: Path) -> tuple[tuple[FoundExport, ...], tuple[Path, ...]]:
    """Return the exports below a folder, leads' systems first, and the data files of no export.

    A file belongs to the system that knows most of its columns, and only if it has every
    column that the system's mapping needs.
    """
    files = list(folder_files(folder, folder, str(folder)))
    read: dict[str, dict[str, _Reading]] = {}
    rest: list[ExportFile] = []
    for one in files:
        best = max(_readings(one), key=lambda reading: reading.known, default=None)
        if best is None:
            rest.append(one)
        else:
            read.setdefault(best.system.name, {})[one.shown] = best
    exports = [_export(SYSTEMS[name], folder, found) for name, found in read.items()]
    exports.sort(key=lambda export: (not export.mappings("leads"), export.system.name))
    joined = {one.shown for one in rest for export in exports if _is_joined(one, export.system)}
    left = [one.path for one in rest if one.shown not in joined and one.path and one.stem]
    return tuple(exports), tuple(path for path in left if path is not None)


@dataclass(frozen=True)
class _Reading:
    """One way to read a file: by which system, and how many of the columns that one knows."""

    known: int
    system: System
    mappings: tuple[FileMapping, ...]
    columns: tuple[str, ...]


def _export(system: System, folder: Path, found: Mapping[str, _Reading]) -> FoundExport:
    parents = [str((folder / shown).parent) for shown in found]
    return FoundExport(
        system,
        Path(os.path.commonpath(parents)),
        files={shown: one.mappings for shown, one in found.items()},
        columns={shown: one.columns for shown, one in found.items()},
        root=folder,
    )


def _readings(one: ExportFile) -> Iterator[_Reading]:
    """Yield every system that can read a file, with how many of the columns it knows."""
    columns: tuple[str, ...] | None = None
    for system in SYSTEMS.values():
        mappings = [m for m in system.files if is_file_of(one, m, system)]
        if not mappings:
            continue
        if columns is None:
            columns = tuple(columns_of(one.path or Path()))
        bare = [m for m in mappings if m.header]
        found = tuple(bare[0].header) if bare else columns
        there = lower_names(snake_names(sorted(found)) if system.is_snake else found)
        fitting = tuple(m for m in mappings if _tells(m) and _tells(m) <= there)
        if fitting:
            known = {name for m in fitting for name in (*m.required, *m.optional, *m.signature)}
            yield _Reading(len(lower_names(known) & there), system, fitting, found)


def _tells(mapping: FileMapping) -> frozenset[str]:
    """Return the columns by which a file of the kind is known, in small letters."""
    return lower_names(mapping.told_by or mapping.required)


def _is_joined(one: ExportFile, system: System) -> bool:
    tables = {join.file for mapping in system.files for join in mapping.joins}
    tables |= {m.file for m in system.files if m.file}
    return any(is_called(one, table, system) for table in tables)


def columns_of(path: Path) -> Sequence[str]:
    """Return the names of a file's columns at a glance; none if it cannot be read.

    Of lines of JSON the keys of the first objects are taken.
    """
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if ending.lower() in {".parquet", ".pq"}:
        try:
            return list(pq.read_schema(path).names)
        except (OSError, pa.ArrowInvalid):
            return ()
    if ending.lower() in {".json", ".ndjson", ".jsonl"}:
        return list(dict.fromkeys(_keys(path)))
    return header_of(path)


def _keys(path: Path) -> Iterator[str]:
    try:
        with open_text(path, path.name, None) as text:
            for _, line in zip(range(_FIRST_LINES), text, strict=False):
                for body in bodies_of(line):
                    try:
                        found = json.loads(body)
                    except (ValueError, RecursionError):
                        continue
                    yield from found if isinstance(found, dict) else ()
    except (MqlmlError, OSError):
        return
