"""Folders of exports become sources: every file that a mapping knows, and notes on the rest."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mqlml.errors import ConfigError, DataError, Fault, MqlmlError, nearest
from mqlml.sources.mapping import FileMapping, LeadId, System
from mqlml.sources.row_sql import path_text
from mqlml.sources.settings import ExportSource, SourceSettings, TableSource, WarehouseTable
from mqlml.sources.typed import raise_together
from mqlml.sources.vendors.registry import SYSTEMS
from mqlml.sources.zones import checked_zone
from mqlml.tables.ingested import Note
from mqlml.tables.sql import quoted

_DATA_FILE = re.compile(
    r"(?P<stem>.+)\.(csv|tsv|ndjson|jsonl|json|parquet|pq)(\.gz)?", re.IGNORECASE
)
_SHARD = r"(_data)?([-_.]\d+)*"

# The names of the tables in the warehouse's schema that an export names, sorted.
Catalogue = Callable[[ExportSource], Sequence[str]]


@dataclass(frozen=True)
class Expanded:
    """Settings with a source for every file of the exports, and notes on files left alone."""

    settings: SourceSettings
    notes: tuple[Note, ...]


def export_faults(exports: Sequence[ExportSource], warehouses: Collection[str]) -> list[Fault]:
    """Return what is wrong with the settings of exports before any folder is looked into."""
    faults: list[Fault] = []
    for number, export in enumerate(exports):
        where = f"sources.exports.{number}"
        system = SYSTEMS.get(export.system)
        if system is None:
            mend = nearest(export.system, sorted(SYSTEMS))
            faults.append(Fault("unknown system", f"{where}.system", repr(export.system), mend))
        elif export.lead_id is not None:
            faults += _id_faults(system, export.lead_id, f"{where}.lead_id")
        if export.warehouse is not None and export.warehouse not in warehouses:
            mend = nearest(export.warehouse, list(warehouses))
            what, found = "no such warehouse", repr(export.warehouse)
            faults.append(Fault(what, f"{where}.warehouse", found, mend))
        try:
            checked_zone(export.timezone or "UTC", f"{where}.timezone")
        except ConfigError as error:
            faults += error.faults
    return faults


def _id_faults(system: System, lead_id: str, where: str) -> list[Fault]:
    if system.is_any_id:
        try:
            path_text(lead_id)
        except ConfigError as error:
            return [Fault(f.what, where, f.found or lead_id, f.mend) for f in error.faults]
        return []
    names = sorted({name for one in system.files for name in one.ids})
    if lead_id in names:
        return []
    what = f"an export of {system.name} has no such id"
    return [Fault(what, where, repr(lead_id), nearest(lead_id, names))]


def expand_exports(settings: SourceSettings, data_dir: Path, catalogue: Catalogue) -> Expanded:
    """Return the settings with the exports' files among the sources, in the order of their names.

    `catalogue` tells the tables of an export that lies in a warehouse. Raises DataError for
    a folder that is missing or holds no file of its system; the faults of all folders together.
    """
    found: dict[str, list[TableSource]] = {}
    notes: list[Note] = []
    errors: list[MqlmlError] = []
    for export in settings.exports:
        try:
            for table, source in _sources(export, _origins(export, data_dir, catalogue), notes):
                found.setdefault(table, []).append(source)
        except MqlmlError as error:
            errors.append(error)
    raise_together(errors)
    added = {table: (*getattr(settings, table), *sources) for table, sources in found.items()}
    expanded = settings.model_copy(update={**added, "exports": ()})
    if not expanded.leads:
        mend = "add a 'leads' source, or the export's table of people"
        raise ConfigError(Fault("no export holds leads", "sources.leads", mend=mend))
    return Expanded(expanded, tuple(notes))


@dataclass(frozen=True)
class _Origin:
    """One file or table of an export: its name, and where a source reads it."""

    name: str
    stem: str
    is_text: bool
    file: str | None = None
    table: WarehouseTable | None = None


def _origins(export: ExportSource, data_dir: Path, catalogue: Catalogue) -> Iterator[_Origin]:
    if export.folder is not None:
        for path in _files(data_dir / export.folder, export.folder):
            name = _DATA_FILE.fullmatch(path.name)
            is_inside = path.is_relative_to(data_dir)
            shown = path.relative_to(data_dir).as_posix() if is_inside else str(path)
            is_text = ".csv" in path.suffixes or ".tsv" in path.suffixes
            yield _Origin(path.name, name["stem"] if name else "", is_text, file=shown)
        return
    for table_name in catalogue(export):
        key = export.keys.get(table_name, ())
        full = f"{export.schema_name}.{table_name}" if export.schema_name else table_name
        table = WarehouseTable(
            warehouse=export.warehouse or "",
            name=full,
            watermark=export.watermark if key else None,
            key=key,
        )
        yield _Origin(table_name, table_name, is_text=False, table=table)


def _sources(
    export: ExportSource, origins: Iterator[_Origin], notes: list[Note]
) -> Iterator[tuple[str, TableSource]]:
    system = SYSTEMS[export.system]
    lead_id = export.lead_id or system.lead_id
    count, unread = 0, dict[str, list[str]]()
    for origin in origins:
        mappings = [m for m in system.files if _is_of(origin, m, system.name)]
        readable = [m for m in mappings if system.is_any_id or lead_id in m.ids]
        if not readable:
            unread.setdefault(_why_unread(mappings, lead_id), []).append(origin.name)
        for mapping in readable:
            count += 1
            yield mapping.table, _source(export, system, mapping, origin)
    if count == 0:
        known = ", ".join(dict.fromkeys(m.file or "*.json, *.parquet" for m in system.files))
        mend = f"its files are called {known}; check the folder and --data"
        raise DataError(Fault(f"no file of an export of {system.name}", export.shown, "", mend))
    for why, names in unread.items():
        notes.append(Note("", export.shown, "", f"not read, {why}: {', '.join(names)}"))


def _source(
    export: ExportSource, system: System, mapping: FileMapping, origin: _Origin
) -> TableSource:
    chosen = export.lead_id or system.lead_id
    own = mapping.ids.get(chosen)
    source = mapping.source(
        origin.file or origin.name,
        LeadId(chosen.split(".")[0], path_text(chosen))
        if own is None
        else LeadId(own, quoted(own)),
        timezone=export.timezone or system.timezone,
        attributes=export.attributes if mapping.table == "leads" else (),
    )
    if origin.table is None:
        return source
    return source.model_copy(update={"file": None, "format": None, "table": origin.table})


def _files(folder: Path, shown: str) -> list[Path]:
    if not folder.is_dir():
        mend = "name the folder that holds the export's files; check --data"
        raise DataError(Fault("no such folder", shown, str(folder), mend))
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _is_of(origin: _Origin, mapping: FileMapping, system: str) -> bool:
    if not origin.stem:
        return False
    if not mapping.file:
        return not origin.is_text
    pattern = rf"({re.escape(system)}_)?{mapping.file}{_SHARD}"
    return re.fullmatch(pattern, origin.stem, re.IGNORECASE) is not None


def _why_unread(mappings: Sequence[FileMapping], lead_id: str) -> str:
    if not mappings:
        return "nothing that mqlml uses"
    ids = ", ".join(sorted({name for one in mappings for name in one.ids}))
    return f"rows without {lead_id}, only with {ids}"
