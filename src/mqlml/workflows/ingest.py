"""Sources → checked tables in the workspace; every row is kept, a duplicate, or quarantined."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mqlml import timeline
from mqlml.config import settings_digest
from mqlml.errors import DataError
from mqlml.sources.generic import Before, read_sources, source_files
from mqlml.sources.retry import Earlier
from mqlml.storage.atomic import replace_file
from mqlml.storage.snapshot import (
    current_snapshot,
    has_merges,
    read_conflicts,
    read_tables,
    snapshot_facts,
    snapshot_rows,
    write_tables,
)
from mqlml.storage.tombstones import read_tombstones
from mqlml.tables.contracts import Tables
from mqlml.tables.ingested import FileCount
from mqlml.workflows.ingest_page import write_ingest_page
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.robots import RobotFacts, robot_facts
from mqlml.workflows.verdict_store import verdicts_digest, with_verdicts_given

Say = Callable[[str], None]

SEEN = "ingested.json"
KEPT = "warehouse"


@dataclass(frozen=True)
class IngestResult:
    """What became of each file's rows."""

    counts: tuple[FileCount, ...]
    notes: tuple[str, ...]
    data_end: str
    snapshot: str
    orphans: dict[str, int]
    report: Path
    silent: tuple[str, ...] = ()
    robots: RobotFacts = field(default_factory=lambda: RobotFacts({}))
    conflicts: dict[str, int] = field(default_factory=dict)
    conflict_file: str = ""

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
            "robots": self.robots.document(),
            "identity": {"conflicts": self.conflicts, "file": self.conflict_file},
            "data_end": self.data_end,
            "snapshot": self.snapshot,
            "notes": list(self.notes),
            "silent": list(self.silent),
            "report": str(self.report),
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
        yield from (f"warning: {text}" for text in self.silent)
        if self.conflicts:
            yield f"ids and links that were not followed: {self.conflict_file}"
        if self.robots.events:
            yield self.robots.sentence()
        yield f"data end {self.data_end}, snapshot {self.snapshot}"
        yield f"report: {self.report}"


def ingest(project: Project, *, say: Say, full: bool = False) -> IngestResult:
    """Read all sources into a new snapshot of the workspace's tables, whole or not at all.

    With `full` everything is read again: rows of files and of tables with a watermark that were
    kept from before are forgotten.
    """
    with project.workspace.lock("ingest"):
        if full:
            shutil.rmtree(project.workspace.root / KEPT, ignore_errors=True)
        _ingest(project, say)
    return _result(project)


def retry_quarantine(project: Project, *, say: Say) -> IngestResult:
    """Read the quarantined rows again by the present config, into a new snapshot.

    Rows that were kept before stay as they were read then; where that cannot be, since leads
    were merged or ids are hashed, all sources are read again. Raises DataError if nothing
    was ingested yet.
    """
    with project.workspace.lock("ingest"):
        root = project.workspace.root
        is_hashed = project.settings.sources.identity.hash_key_env is not None
        if is_hashed or has_merges(root):
            _ingest(project, say)
            return _result(project)
        say("reading the quarantine")
        folder, facts = current_snapshot(root), snapshot_facts(root)
        seen = _seen(root)
        files = _files_digest(project)
        earlier = Earlier(
            snapshot_rows(root), folder / "quarantine.parquet", facts.counts, facts.notes
        )
        _read_into(project, earlier)
        # What the sources hold beside the quarantine may have changed since; then it is unseen.
        if files is not None and seen.get("files") == files:
            _remember(project, files)
    return _result(project)


def _result(project: Project) -> IngestResult:
    root = project.workspace.root
    facts = snapshot_facts(root)
    conflicts = read_conflicts(root)["reason"].value_counts()
    report, silent = write_ingest_page(project)
    return IngestResult(
        robots=robot_facts(project, read_tables(root)),
        conflicts={str(reason): int(count) for reason, count in sorted(conflicts.items())},
        conflict_file=str(current_snapshot(root) / "conflicts.parquet"),
        counts=tuple(facts.counts),
        notes=tuple(str(remark) for remark in facts.notes),
        data_end=shown_instant(facts.data_end),
        snapshot=facts.digest,
        orphans=dict(facts.orphans),
        report=report,
        silent=silent,
    )


def current_tables(project: Project, *, say: Say, as_of: int | None = None) -> Tables:
    """Return the tables as they were known at `as_of`, ingesting first if a source changed.

    Sources are compared by their content and settings; databases are always read.
    """
    with project.workspace.lock("ingest"):
        files = _files_digest(project)
        now = _now(project, files)
        if files is None or _seen(project.workspace.root) != now:
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
    files = _files_digest(project)
    _read_into(project, None)
    _remember(project, files)


def _read_into(project: Project, earlier: Earlier | None) -> None:
    """Make a new snapshot of the sources, or of an earlier snapshot and its quarantine."""
    settings = project.settings
    root = project.workspace.root
    erased = read_tombstones(root)
    # A killed ingest leaves this folder behind; by its name the next job's lock sweeps it away.
    with tempfile.TemporaryDirectory(dir=root, prefix=".ingest.", suffix=".new") as folder:
        ingested = read_sources(
            with_verdicts_given(project),
            project.data_dir,
            timezone=settings.timezone,
            workdir=Path(folder),
            secrets=project.secrets,
            # Whose rows may not be kept, nobody knows before all of them are read.
            before=Before(None if erased.hashes else root / KEPT, earlier, erased),
        )
        write_tables(root, ingested)


def _remember(project: Project, files: str | None) -> None:
    """Note which files and settings the current snapshot is made of."""
    seen = _now(project, files)
    replace_file(project.workspace.root / SEEN, json.dumps(seen).encode())


def _now(project: Project, files: str | None) -> dict[str, str | None]:
    """Return what a snapshot of the sources as they are now is made of."""
    made_of = {"files": files, "settings": _settings_digest(project)}
    verdicts = verdicts_digest(project)
    return {**made_of, "verdicts": verdicts} if verdicts else made_of


def _seen(root: Path) -> dict[str, Any]:
    path = root / SEEN
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _settings_digest(project: Project) -> str:
    return f"{settings_digest(project.settings.sources)} {project.settings.timezone}"


def _files_digest(project: Project) -> str | None:
    """Return a digest of the sources' content; None if one is a database."""
    files = source_files(project.settings.sources, project.data_dir)
    if files is None:
        return None
    digest = hashlib.sha256()
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
        merges=_merges_known(tables.merges, as_of),
        data_end=min(tables.data_end, as_of),
    )


def _known(frame: Any, column: str, as_of: int, *, inclusive: bool = False) -> Any:
    times = frame[column].dt.as_unit("us").astype("int64").to_numpy()
    keep = timeline.is_known(times, as_of) if inclusive else timeline.is_seen(times, as_of)
    return frame[keep].reset_index(drop=True)


def _merges_known(merges: Any, as_of: int) -> Any:
    """Return the merges known by then; an end that was not is not there yet."""
    known = _known(merges, "known_at", as_of)
    # What has no end is the smallest of all numbers here, and stays missing.
    ended = known["ended_at"].dt.as_unit("us").astype("int64").to_numpy()
    is_ended = timeline.is_seen(ended, as_of)
    return known.assign(ended_at=known["ended_at"].where(is_ended))
