"""Sources → checked tables in the workspace; every row is kept, a duplicate, or quarantined."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mqlml import timeline
from mqlml.config import settings_digest
from mqlml.errors import DataError
from mqlml.sources.generic import read_sources, source_files
from mqlml.storage.atomic import replace_file
from mqlml.storage.snapshot import read_tables, snapshot_facts, write_tables
from mqlml.tables.contracts import Tables
from mqlml.tables.ingested import FileCount
from mqlml.workflows.project import Project, shown_instant

Say = Callable[[str], None]

_SEEN = "ingested.json"


@dataclass(frozen=True)
class IngestResult:
    """What became of each file's rows."""

    counts: tuple[FileCount, ...]
    notes: tuple[str, ...]
    data_end: str
    snapshot: str
    orphans: dict[str, int]

    @property
    def quarantined(self) -> int:
        """Return how many rows broke a contract."""
        return sum(count.quarantined for count in self.counts)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "files": [asdict(count) for count in self.counts],
            "quarantined": self.quarantined,
            "orphans": self.orphans,
            "data_end": self.data_end,
            "snapshot": self.snapshot,
            "notes": list(self.notes),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: a line per file, and that the rows add up."""
        for count in self.counts:
            parts = [f"{count.kept:,} kept"]
            parts += [f"{count.filtered:,} not selected"] if count.filtered else []
            parts += [f"{count.duplicates:,} duplicates", f"{count.quarantined:,} quarantined"]
            more = f" + {count.made:,} made from them" if count.made else ""
            yield f"{count.file} → {count.table}: {count.rows:,} rows{more} = {' + '.join(parts)}"
        for table, rows in self.orphans.items():
            if rows:
                yield f"{table}: {rows:,} rows of unknown leads, kept"
        yield from self.notes
        yield f"data end {self.data_end}, snapshot {self.snapshot}"


def ingest(project: Project, *, say: Say) -> IngestResult:
    """Read all sources into a new snapshot of the workspace's tables, whole or not at all."""
    with project.workspace.lock("ingest"):
        _ingest(project, say)
    facts = snapshot_facts(project.workspace.root)
    return IngestResult(
        counts=tuple(facts.counts),
        notes=tuple(str(remark) for remark in facts.notes),
        data_end=shown_instant(facts.data_end),
        snapshot=facts.digest,
        orphans=dict(facts.orphans),
    )


def current_tables(project: Project, *, say: Say, as_of: int | None = None) -> Tables:
    """Return the tables as they were known at `as_of`, ingesting first if a source changed.

    Sources are compared by their content and settings; databases are always read.
    """
    with project.workspace.lock("ingest"):
        fingerprint = _fingerprint(project)
        seen = project.workspace.root / _SEEN
        is_fresh = fingerprint is not None and seen.exists()
        if not (is_fresh and json.loads(seen.read_text())["sources"] == fingerprint):
            _ingest(project, say)
        tables = _read(project, say)
    return tables if as_of is None else as_known_at(tables, as_of)


def _read(project: Project, say: Say) -> Tables:
    try:
        return read_tables(project.workspace.root)
    except DataError:
        # A damaged snapshot is rebuilt from the sources, which are the truth.
        _ingest(project, say)
        return read_tables(project.workspace.root)


def _ingest(project: Project, say: Say) -> None:
    say("reading the sources")
    fingerprint = _fingerprint(project)
    settings = project.settings
    root = project.workspace.root
    # A killed ingest leaves this folder behind; by its name the next job's lock sweeps it away.
    with tempfile.TemporaryDirectory(dir=root, prefix=".ingest.", suffix=".new") as folder:
        ingested = read_sources(
            settings.sources,
            project.data_dir,
            timezone=settings.timezone,
            workdir=Path(folder),
            secrets=project.secrets,
        )
        write_tables(root, ingested)
    replace_file(root / _SEEN, json.dumps({"sources": fingerprint}).encode())


def _fingerprint(project: Project) -> str | None:
    """Return a digest of the sources' settings and content; None if one is a database."""
    files = source_files(project.settings.sources, project.data_dir)
    if files is None:
        return None
    digest = hashlib.sha256(settings_digest(project.settings.sources).encode())
    digest.update(str(project.settings.timezone).encode())
    for path in files:
        digest.update(str(path).encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def as_known_at(tables: Tables, as_of: int) -> Tables:
    """Return the tables with everything removed that was not known at `as_of`.

    Events and dated attributes stay: features look at them point by point. With
    times made from an order column nothing is removed.
    """
    if tables.is_order_time:
        return tables
    return replace(
        tables,
        leads=_known(tables.leads, "created_at", as_of, inclusive=True),
        stages=_known(tables.stages, "entered_at", as_of),
        verdicts=_known(tables.verdicts, "given_at", as_of),
        handovers=_known(tables.handovers, "at", as_of),
        data_end=min(tables.data_end, as_of),
    )


def _known(frame: Any, column: str, as_of: int, *, inclusive: bool = False) -> Any:
    times = frame[column].dt.as_unit("us").astype("int64").to_numpy()
    keep = timeline.is_known(times, as_of) if inclusive else timeline.is_seen(times, as_of)
    return frame[keep].reset_index(drop=True)
