"""The manifest of a snapshot: what it holds, and the size and SHA-256 of every file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mqlml.errors import DataError, Fault
from mqlml.tables.contracts import Attribute, Column, ColumnType, Known
from mqlml.tables.ingested import FileCount, Note

MANIFEST_NAME = "manifest.json"
FORMAT = 2  # 2: aliases, and bot_reason of events
_MEND = "run 'mqlml ingest' again"


@dataclass(frozen=True)
class FileMark:
    """Size and SHA-256 of one file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Everything about a snapshot that is not in its tables.

    `digest` covers the tables, the specs and `data_end`, not the account of how
    they were read: the same rows from other files have the same digest.
    """

    data_end: int
    event_rows: int
    files: dict[str, FileMark]
    digest: str
    is_order_time: bool = False
    attribute_specs: tuple[Attribute, ...] = ()
    properties: tuple[Column, ...] = ()
    counts: tuple[FileCount, ...] = ()
    notes: tuple[Note, ...] = ()
    orphans: dict[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON, byte-equal for equal manifests."""
        values = {"format": FORMAT, **asdict(self)}
        return (json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def mark_files(folder: Path) -> dict[str, FileMark]:
    """Return the marks of all files below `folder`, by relative POSIX path."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): mark_file(p) for p in paths}


def mark_file(path: Path) -> FileMark:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        return FileMark(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def content_digest(facts: dict[str, Any], files: dict[str, FileMark]) -> str:
    """Return 32 hex digits that change with any byte of the files or any fact."""
    marks = {name: mark.sha256 for name, mark in files.items()}
    text = json.dumps({"facts": facts, "files": marks}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a snapshot folder; DataError if it cannot be understood."""
    path = folder / MANIFEST_NAME
    try:
        values = json.loads(path.read_bytes())
        if values.pop("format") != FORMAT:
            mend = "use the version of mqlml that wrote it, or run 'mqlml ingest' again"
            raise DataError(Fault("snapshot has another format", str(path), mend=mend))
        return _manifest(values)
    except FileNotFoundError:
        raise DataError(Fault("snapshot has no manifest", str(path), mend=_MEND)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = type(error).__name__
        raise DataError(Fault("manifest is damaged", str(path), found, _MEND)) from error


def _manifest(values: dict[str, Any]) -> Manifest:
    specs = [
        Attribute(a["name"], ColumnType(a["type"]), Known(a["known"]))
        for a in values.pop("attribute_specs")
    ]
    properties = [
        Column(c["name"], ColumnType(c["type"]), c["required"]) for c in values.pop("properties")
    ]
    return Manifest(
        attribute_specs=tuple(specs),
        properties=tuple(properties),
        files={name: FileMark(**mark) for name, mark in values.pop("files").items()},
        counts=tuple(FileCount(**count) for count in values.pop("counts")),
        notes=tuple(Note(**note) for note in values.pop("notes")),
        **values,
    )


def check_files(folder: Path, manifest: Manifest, *, verify: bool = False) -> None:
    """Raise one DataError naming every file that is absent, cut or (with `verify`) altered."""
    faults = [
        Fault(f"file of the snapshot is {problem}", str(folder / name), mend=_MEND)
        for name, mark in manifest.files.items()
        if (problem := _problem(folder / name, mark, verify=verify))
    ]
    if faults:
        raise DataError(*faults)


def _problem(path: Path, mark: FileMark, *, verify: bool) -> str:
    if not path.is_file():
        return "missing"
    if path.stat().st_size != mark.size:
        return "cut or altered: its size differs from the manifest"
    if verify and mark_file(path) != mark:
        return "altered: its SHA-256 differs from the manifest"
    return ""


def named(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Return dataclass values as plain mappings for JSON."""
    return [asdict(item) for item in items]
