"""Typed rows of files that were read before, kept so that only new and changed files are read.

What was read of a file lies in a folder of its own, named by a digest of everything that it
is made from: the file's bytes and name, the settings of its source, the times that may be,
this version of mqlml. A folder appears whole or not at all. Files of leads are always read,
for what their columns mean is told by all of them together, and so are files whose rows are
joined with those of others.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mqlml import __version__
from mqlml.sources.door import Door, source_names, stage_source
from mqlml.sources.settings import LeadSource, TableSource, shape_of
from mqlml.sources.staging import StagedFile
from mqlml.sources.typed import FilePlan, TypedFile
from mqlml.tables.ingested import Note
from mqlml.tables.quarantine import Check
from mqlml.tables.sql import literal

_FORMAT = 1
_ABOUT = "about.json"
_SPLIT = 1_000_000


@dataclass(frozen=True)
class OneFile:
    """A source of exactly one file, where its typed rows are kept, and a number of its own."""

    source: TableSource
    number: int
    folder: Path | None


def one_by_one(door: Door, table: str, number: int, source: TableSource) -> Iterator[OneFile]:
    """Yield a source file by file if their rows may be kept, else as it is."""
    if not _is_keepable(door, source):
        yield OneFile(source, number, None)
        return
    for place, name in enumerate(source_names(door, source)):
        one = source.model_copy(update={"file": name})
        folder = (door.kept or Path()) / _key(door, table, one)
        yield OneFile(one, number * _SPLIT + place, folder)


def _is_keepable(door: Door, source: TableSource) -> bool:
    shape = shape_of(source)
    is_alone = shape is None or (not shape.joins and shape.each is None)
    is_file = source.file is not None and not isinstance(source, LeadSource)
    return door.kept is not None and door.keeps_files and is_file and is_alone


def _key(door: Door, table: str, source: TableSource) -> str:
    with (door.data_dir / (source.file or "")).open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    made_of = [_FORMAT, __version__, table, content, door.timezone, asdict(door.times)]
    text = json.dumps([*made_of, repr(source)], sort_keys=True)
    return "file-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def kept_file(door: Door, table: str, number: int, one: OneFile) -> TypedFile | None:
    """Return what was read of a file before, as file `number` of its table; None if nothing was."""
    if one.folder is None:
        return None
    try:
        about = json.loads((one.folder / _ABOUT).read_bytes())
        is_whole = about["parts"] == _sizes(one.folder)
    except (OSError, ValueError, KeyError):
        return None
    # A file without a row has no part to select from; it is read again in no time.
    if not is_whole or not about["parts"]:
        return None
    door.used.add(one.folder)
    staged = StagedFile(
        about["name"], one.folder, tuple(about["columns"]), about["rows"], made=about["made"]
    )
    checks = tuple(Check(**check) for check in about["checks"])
    notes = tuple(Note(**note) for note in about["notes"])
    plan = FilePlan(table, number, staged, one.source, ())
    return TypedFile(plan, "", "", checks, notes)


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.parquet"))}


def selected(kept: Sequence[TypedFile]) -> list[TypedFile]:
    """Return kept files of one table with the SQL that selects the rows of all of them."""
    if not kept:
        return []
    listed = ", ".join(literal(one.plan.staged.parts) for one in kept)
    numbers = ", ".join(_numbered(one.plan) for one in kept)
    select = (
        "SELECT n.__file, r.* EXCLUDE (__path)"
        " REPLACE (coalesce(n.newest, r.__newest) AS __newest)"
        f" FROM read_parquet([{listed}], union_by_name = true, filename = '__path',"
        " hive_partitioning = false) AS r"
        f" JOIN (VALUES {numbers}) AS n(folder, __file, newest)"
        " ON n.folder = parse_dirpath(r.__path)"
    )
    return [replace(one, select=select) for one in kept]


def _numbered(plan: FilePlan) -> str:
    # A file's number changes with the files before it.
    newest = str(plan.number) if plan.source.newest_by == "file" else "NULL"
    folder = literal(plan.staged.folder.as_posix())
    return f"({folder}, {plan.number}, CAST({newest} AS DOUBLE))"


def keep_files(door: Door, typed: Sequence[tuple[TypedFile, Path]]) -> None:
    """Keep the rows of files that were read together, each in its folder."""
    if door.kept is None or not typed:
        return
    fresh = door.workdir / f"keep-{typed[0][0].plan.parsed}"
    numbers = ", ".join(str(one.plan.number) for one, _ in typed)
    door.connection.execute(
        f"COPY (SELECT * FROM ({typed[0][0].select}) WHERE __file IN ({numbers}))"
        f" TO {literal(str(fresh))} (FORMAT parquet, PARTITION_BY (__file))"
    )
    door.kept.mkdir(parents=True, exist_ok=True)
    for one, folder in typed:
        made = fresh / f"__file={one.plan.number}"
        made.mkdir(parents=True, exist_ok=True)
        (made / _ABOUT).write_text(json.dumps(_about(one, made)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
        door.used.add(folder)
    shutil.rmtree(fresh, ignore_errors=True)


def _about(one: TypedFile, folder: Path) -> dict[str, object]:
    staged = one.plan.staged
    return {
        "name": staged.name,
        "columns": staged.columns,
        "rows": staged.rows,
        "made": staged.made,
        "checks": [asdict(check) for check in one.checks],
        "notes": [asdict(note) for note in one.notes],
        "parts": _sizes(folder),
    }


def staged_again(door: Door, one: TypedFile) -> TypedFile:
    """Return a kept file with its rows as they came, which the quarantine shows whole."""
    table, number = one.plan.table, (one.plan.number + 1) * _SPLIT * _SPLIT
    (staged,) = stage_source(door, table, number, one.plan.source, wanted=())
    return replace(one, plan=replace(one.plan, staged=staged))
