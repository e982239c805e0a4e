"""Folders of exports become sources: every file that a mapping knows, and notes on the rest."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mqlml.errors import ConfigError, DataError, Fault, MqlmlError, nearest
from mqlml.sources.casting import check_time_format
from mqlml.sources.export_files import Catalogue, ExportFile, export_files, is_called, is_file_of
from mqlml.sources.mapping import IGNORE, FileMapping, Reading, System, lead_id_of
from mqlml.sources.row_sql import path_text
from mqlml.sources.settings import (
    ExportSource,
    RowShape,
    Shaped,
    ShapedLeads,
    ShapedTable,
    SourceSettings,
    TableSource,
)
from mqlml.sources.typed import raise_together
from mqlml.sources.vendors.registry import SYSTEMS
from mqlml.sources.zones import checked_zone
from mqlml.tables.contracts import REASON_NAMES, STAGE_NAMES, VERDICT_NAMES
from mqlml.tables.ingested import Note

_UNITS = {"s": 1, "ms": 1_000}
_NAMES = {"stages": STAGE_NAMES, "verdicts": VERDICT_NAMES, "reasons": REASON_NAMES}


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
        faults += _name_faults(export, where)
        faults += _time_faults(export, where)
    return faults


def _time_faults(export: ExportSource, where: str) -> list[Fault]:
    faults: list[Fault] = []
    try:
        checked_zone(export.timezone or "UTC", f"{where}.timezone")
    except ConfigError as error:
        faults += error.faults
    try:
        check_time_format(export.time_format, f"{where}.time_format")
    except ConfigError as error:
        faults += error.faults
    return faults


def _name_faults(export: ExportSource, where: str) -> Iterator[Fault]:
    """Yield what is wrong with the canonical names that the config gives own ones."""
    for setting, known in _NAMES.items():
        for own, name in getattr(export, setting).items():
            if name not in (*known, IGNORE):
                mend = nearest(name, [*known, IGNORE])
                yield Fault("not a valid name", f"{where}.{setting}.{own}", repr(name), mend)


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
            files = export_files(export, data_dir, catalogue)
            for table, source in _sources(export, files, notes):
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


def _sources(
    export: ExportSource, files: Sequence[ExportFile], notes: list[Note]
) -> Iterator[tuple[str, TableSource]]:
    system = SYSTEMS[export.system]
    reading = _reading(export, system, files)
    count, unread = 0, dict[str, list[str]]()
    for one in files:
        mappings = [m for m in system.files if is_file_of(one, m, system)]
        readable = [m for m in mappings if _is_readable(m, system, reading)]
        if not readable:
            why = _why_unread(one, mappings, system, reading)
            unread.setdefault(why, []).append(one.name)
        for mapping in readable:
            count += 1
            is_path = system.is_any_id and reading.lead_id not in mapping.ids
            own = lead_id_of(mapping, reading, path_text(reading.lead_id) if is_path else None)
            source = _declared(mapping.source(one.shown, own, reading), export)
            yield mapping.table, one.placed(source)
    if count == 0:
        known = ", ".join(dict.fromkeys(map(_called, system.files)))
        mend = f"its files are called {known}; check the folder and --data"
        raise DataError(Fault(f"no file of an export of {system.name}", export.shown, "", mend))
    for why, names in unread.items():
        notes.append(Note("", export.shown, "", f"{why}: {', '.join(names)}"))


def unfound_attributes(exports: Sequence[ExportSource], names: Collection[str]) -> list[Note]:
    """Return a note for each attribute that a config chose of an export and that is not there.

    `names` are those of the attributes that were found.
    """
    notes = []
    for export in exports:
        prefixes = {mapping.prefix for mapping in SYSTEMS[export.system].files}
        for chosen in export.attributes:
            if not {chosen.removeprefix(prefix) for prefix in prefixes} & set(names):
                what = f"attribute {chosen!r} is in no file"
                notes.append(Note("", export.shown, "", what))
    return notes


def _called(mapping: FileMapping) -> str:
    if not mapping.file and mapping.signature:
        return f"anything, with the columns {', '.join(mapping.signature)}"
    return mapping.file or "*.json, *.parquet"


def _declared(source: Shaped, export: ExportSource) -> Shaped:
    """Return the source with what the config says of the people's attributes."""
    if not isinstance(source, ShapedLeads):
        return source
    said = {"types": export.types, "outcome_side": export.outcome_side}
    attributes = source.attributes.model_copy(update=said)
    return source.model_copy(update={"attributes": attributes})


def _reading(export: ExportSource, system: System, files: Sequence[ExportFile]) -> Reading:
    """Return how the config says to read the export's files, with those to join them with."""
    own = {"stage": export.stages, "verdict": export.verdicts, "reason": export.reasons}
    partners: dict[str, tuple[TableSource, ...]] = {}
    shape = RowShape(is_snake=system.is_snake)
    for name in sorted(_tables(system)):
        found = [one for one in files if is_called(one, name, system)]
        if found:
            partners[name] = tuple(
                one.placed(ShapedTable(file=one.shown, shape=shape)) for one in found
            )
    return Reading(
        lead_id=export.lead_id or system.lead_id,
        is_master=export.master,
        timezone=export.timezone or system.timezone,
        declared_zone=export.timezone,
        time_format=export.time_format,
        units_per_second=_UNITS[export.epoch or system.epoch],
        attributes=export.attributes,
        reason=export.reason,
        names={c: {n.lower(): to for n, to in names.items()} for c, names in own.items()},
        partners=partners,
        is_snake=system.is_snake,
    )


def _tables(system: System) -> set[str]:
    """Return the names of the export's tables that have a mapping or are joined."""
    joined = {join.file for mapping in system.files for join in mapping.joins}
    better = {file for mapping in system.files for file in mapping.better}
    return {mapping.file for mapping in system.files if mapping.file} | joined | better


def _is_readable(mapping: FileMapping, system: System, reading: Reading) -> bool:
    if (mapping.table == "leads" or mapping.is_masters) and not reading.is_master:
        return False
    own = reading.lead_id if reading.is_master else None
    if mapping.own_kind not in {"", own} or (mapping.foreign_kind and mapping.foreign_kind == own):
        return False
    return system.is_any_id or mapping.table != "leads" or reading.lead_id in mapping.ids


def _why_unread(
    one: ExportFile, mappings: Sequence[FileMapping], system: System, reading: Reading
) -> str:
    if mappings and not reading.is_master:
        return "not read, the leads are another system's"
    if mappings:
        ids = ", ".join(sorted({name for m in mappings for name in m.ids}))
        return f"not read, rows without {reading.lead_id}, only with {ids}"
    if any(is_called(one, table, system) for table in _tables(system)):
        return "looked up by rows of other files"
    return "not read, nothing that mqlml uses"
