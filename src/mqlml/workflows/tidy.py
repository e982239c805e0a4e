"""`mqlml tidy`: what a workspace need not keep.

Kept for good: the ledger, MLflow's runs and models, the score files, the reports of trainings.
Kept for some weeks: pages of monitorings, scores and ingests (MLflow holds the monitorings'
anyway), and shadow scores. Kept while they are in use: unpacked bundles of the champion, the
one before and the challenger; any other is fetched again when somebody asks for it.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mqlml import timeline
from mqlml.storage.ledger import read_entries
from mqlml.storage.stamps import STAMP_PATTERN, unstamp
from mqlml.wiring import open_store
from mqlml.workflows.project import Project
from mqlml.workflows.shadow import FOLDER

_SCORES_PAGE = re.compile(r"scores-(\d{8}T\d{6})(?:Z|\.\d+Z)")
_STAMP = re.compile(STAMP_PATTERN)


@dataclass(frozen=True)
class Tidied:
    """What was swept out: how many files and folders, and how many bytes they took."""

    pages: int
    shadows: int
    bundles: int
    freed_bytes: int

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "pages": self.pages,
            "shadow_files": self.shadows,
            "bundles": self.bundles,
            "freed_bytes": self.freed_bytes,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        if not self.pages + self.shadows + self.bundles:
            yield "nothing to sweep out"
            return
        yield (
            f"swept out {self.pages} pages, {self.shadows} shadow files and {self.bundles} "
            f"unpacked bundles: {self.freed_bytes / 1e6:.1f} MB"
        )


def tidy(project: Project, *, as_of: int) -> Tidied:
    """Sweep out what is older than `monitoring.keep_weeks` at `as_of` and can be had again."""
    weeks = project.settings.monitoring.keep_weeks
    oldest = as_of - round(weeks * timeline.MICROS_PER_WEEK)
    with project.workspace.lock("tidy"):
        pages = [*_old_score_pages(project, oldest), *_old_monitor_pages(project, oldest)]
        shadows = [*_old_shadows(project, oldest)]
        bundles = [*_idle_bundles(project)]
        freed = sum(_size(path) for path in (*pages, *shadows, *bundles))
        for path in (*pages, *shadows):
            path.unlink()
        for folder in bundles:
            shutil.rmtree(folder)
    return Tidied(len(pages), len(shadows), len(bundles), freed)


def _old_score_pages(project: Project, oldest: int) -> Iterator[Path]:
    """Yield the pages of score runs of all leads before `oldest`."""
    for path in sorted(project.workspace.reports.glob("scores-*.html")):
        found = _SCORES_PAGE.match(path.name)
        if found and timeline.is_seen(_micros(found[1]), oldest):
            yield path


def _micros(text: str) -> int:
    from datetime import UTC, datetime

    at = datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return round(at.timestamp()) * timeline.MICROS_PER_SECOND


def _old_monitor_pages(project: Project, oldest: int) -> Iterator[Path]:
    """Yield the pages of monitorings before `oldest`; their runs in MLflow have them too."""
    for entry in read_entries(project.workspace.ledger, kind="monitor"):
        path = project.workspace.reports / f"monitor-{str(entry.payload['run_id'])[:8]}.html"
        if timeline.is_seen(entry.as_of, oldest) and path.exists():
            yield path


def _old_shadows(project: Project, oldest: int) -> Iterator[Path]:
    for path in sorted((project.workspace.root / FOLDER).glob("*")):
        found = _STAMP.search(path.name)
        if found and timeline.is_seen(unstamp(found[0]), oldest):
            yield path


def _idle_bundles(project: Project) -> Iterator[Path]:
    """Yield unpacked bundles of this model that are neither champion, previous nor challenger."""
    name = project.settings.name
    store = open_store(project.settings, project.workspace, project.secrets)
    refs = (store.champion(name), store.previous(name), store.challenger(name))
    used = {f"{ref.name}-v{ref.version}-{ref.run_id[:8]}" for ref in refs if ref is not None}
    for folder in sorted(project.workspace.bundles.glob(f"{name}-v*")):
        if folder.is_dir() and folder.name not in used:
            yield folder


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
