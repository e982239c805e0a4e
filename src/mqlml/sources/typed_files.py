"""The files of all sources, read and typed: what is new, and what is kept from before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from mqlml.errors import MqlmlError
from mqlml.sources import leads
from mqlml.sources.delimited import check_columns
from mqlml.sources.door import Door, stage_source
from mqlml.sources.fields import contract_fields
from mqlml.sources.kept_files import keep_files, kept_file, one_by_one, selected, staged_again
from mqlml.sources.reshaping import reshaped
from mqlml.sources.retry import Earlier, Retried, retried_files, retried_sources
from mqlml.sources.setting_faults import LATEST, sources_by_table
from mqlml.sources.settings import LeadSource, LiveTable, SourceSettings, TableSource, shape_of
from mqlml.sources.spelling import lower_names
from mqlml.sources.staging import StagedFile
from mqlml.sources.typed import FilePlan, TypedFile, grouped, raise_together, type_files
from mqlml.sources.written import files_with_refused
from mqlml.tables.contracts import CONTRACTS
from mqlml.tables.ingested import Note


def typed_files(
    door: Door, settings: SourceSettings, earlier: Earlier | None
) -> tuple[dict[str, list[TypedFile]], list[Note]]:
    """Return the typed files of every table; raises the faults of all files together."""
    errors: list[MqlmlError] = []
    retried = (
        None if earlier is None else Retried(earlier, retried_sources(door, earlier, settings))
    )
    files: dict[str, list[TypedFile]] = {table: [] for table in CONTRACTS}
    notes: list[Note] = []
    for table, sources in sources_by_table(settings).items():
        read = _read(door, table, sources, retried, errors)
        files[table] = _typed(door, read, errors)
        told = {plan.number: plan_notes for plan, plan_notes, _ in read.plans}
        for one in files[table]:
            notes += [*one.notes, *told.get(one.plan.number, ())]
    raise_together(errors)
    leads.check_one_order([one.plan for one in files["leads"]])
    return files, notes


@dataclass
class _Read:
    """Files of one table: what was staged, with notes and where its rows are kept, and the rest."""

    plans: list[tuple[FilePlan, list[Note], Path | None]] = field(default_factory=list)
    kept: list[TypedFile] = field(default_factory=list)

    @property
    def place(self) -> int:
        return len(self.plans) + len(self.kept)


def _read(
    door: Door,
    table: str,
    sources: Sequence[TableSource],
    retried: Retried | None,
    errors: list[MqlmlError],
) -> _Read:
    """Return the table's files, staged or kept from before; what is wrong goes to `errors`."""
    read = _Read()
    seen: set[Path | None] = set()
    for number, source in enumerate(sources):
        try:
            for named in one_by_one(door, table, number, source):
                # A file that is named twice is read twice.
                one = replace(named, folder=None) if named.folder in seen else named
                seen.add(one.folder)
                kept = kept_file(door, table, read.place, one)
                if kept is not None:
                    read.kept.append(kept)
                    continue
                for raw in _staged(door, table, one.number, one.source, retried):
                    name = f"{table}-{number}-{read.place}-shaped"
                    staged = reshaped(door, raw, one.source, name)
                    plan, notes = _plan(door.connection, table, one.source, staged, read.place)
                    read.plans.append((plan, notes, one.folder))
        except MqlmlError as error:
            errors.append(error)
    return read


def _typed(door: Door, read: _Read, errors: list[MqlmlError]) -> list[TypedFile]:
    """Return the typed files in the order of their numbers; what is wrong goes to `errors`."""
    typed = selected(read.kept)
    folders = {plan.number: folder for plan, _, folder in read.plans}
    for group in grouped([plan for plan, _, _ in read.plans]):
        try:
            found = type_files(_ever(door, group[0].source), group)
        except MqlmlError as error:
            errors.append(error)
            continue
        typed += found
        # A file alone is no folder that grows: when it changes it is read anew anyway.
        if read.place > 1:
            keepable = [(one, folders[one.plan.number]) for one in found]
            keep_files(door, [(one, folder) for one, folder in keepable if folder is not None])
    return sorted(typed, key=lambda one: one.plan.number)


def _ever(door: Door, source: TableSource) -> Door:
    """Return the door; for a table that is written while we read, one without an end of time."""
    if not isinstance(source, LiveTable):
        return door
    return replace(door, times=replace(door.times, latest=LATEST, latest_text="2098"))


def _staged(
    door: Door, table: str, number: int, source: TableSource, retried: Retried | None
) -> list[StagedFile]:
    wanted = _wanted(source)
    if retried is None:
        signature = _signature(source)
        staged = stage_source(door, table, number, source, wanted=() if signature else wanted)
        return [one for one in staged if not signature or _is_of_layout(one, signature, wanted)]
    staged = retried_files(door, retried, table, number, source)
    for one in staged:
        check_columns(one.columns, wanted, one.name)
    return staged


def _signature(source: TableSource) -> tuple[str, ...]:
    """Return the columns by which a table's layout shows; files were told by theirs before."""
    shape = shape_of(source)
    return () if shape is None or source.table is None else shape.signature


def _is_of_layout(one: StagedFile, signature: Sequence[str], wanted: Sequence[str]) -> bool:
    if not lower_names(signature) <= lower_names(one.columns):
        return False
    check_columns(one.columns, wanted, one.name)
    return True


def _wanted(source: TableSource) -> list[str]:
    shape = shape_of(source)
    if shape is not None:
        return list(shape.required)
    if isinstance(source, LeadSource):
        return leads.wanted_columns(source)
    newest = [source.newest_by] if source.newest_by not in {None, "file"} else []
    return [name for name in dict.fromkeys([*source.columns.values(), *newest]) if name]


def _plan(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: TableSource,
    staged: StagedFile,
    place: int,
) -> tuple[FilePlan, list[Note]]:
    if not isinstance(source, LeadSource):
        fields = contract_fields(table, source, staged.columns)
        return FilePlan(table, place, staged, source, fields), []
    passed, notes = leads.attribute_columns(connection, source, staged)
    fields = leads.lead_fields(connection, source, staged, place)
    return FilePlan(table, place, staged, source, fields, passed), notes


def with_raw(door: Door, table: str, files: list[TypedFile]) -> list[TypedFile]:
    """Return the files, those kept from before staged again if a row of theirs was refused."""
    refused = files_with_refused(door.connection, table)
    return [
        staged_again(door, one) if not one.parsed and one.plan.number in refused else one
        for one in files
    ]
