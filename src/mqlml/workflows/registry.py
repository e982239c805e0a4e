"""What is in MLflow: the list of runs, the champion's bundle, the command of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml.errors import BundleError, Fault
from mqlml.modeling.bundle import save_bundle
from mqlml.storage.atomic import replace_folder
from mqlml.wiring import open_connection, open_store
from mqlml.workflows.champion import load_champion
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import champion_changes

if TYPE_CHECKING:
    from mqlml.tracking.records import ModelRef, RunRow
    from mqlml.tracking.ui import UiCommand


@dataclass(frozen=True)
class Runs:
    """All runs of a project, oldest first, and today's champion."""

    found: "tuple[RunRow, ...]"
    champion: "ModelRef | None"
    story: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """Return the answer for programs."""
        return [
            {
                "run_id": row.run_id,
                "kind": row.kind,
                "at": shown_instant(row.at),
                "model": {"name": row.name, "version": row.version or None},
                "reason": row.reason,
                "decision": row.decision,
            }
            for row in self.found
        ]

    def lines(self) -> Iterator[str]:
        """Yield the answer for people, a line per run, the champion marked."""
        if not self.found:
            yield "no runs yet"
        for row in self.found:
            version = f"v{row.version}" if row.version else "–"
            is_champion = self.champion is not None and row.run_id == self.champion.run_id
            mark = "  ← champion" if is_champion else ""
            yield (
                f"{shown_instant(row.at)[:10]}  {row.kind:<8} {version:<5} "
                f"{row.reason:<10} {row.decision}{mark}"
            )
        yield from self.story


def list_runs(project: Project) -> Runs:
    """Return what was trained, monitored and reviewed; empty before the first run."""
    store = open_store(project.settings, project.workspace, project.secrets)
    name = project.settings.name
    return Runs(store.runs(name), store.champion(name), _story(project))


def _story(project: Project) -> tuple[str, ...]:
    """Return since when which version was champion and why, a sentence each, oldest first."""
    from mqlml.tracking.aliases import change_words

    return tuple(
        f"v{change.version} champion since {shown_instant(change.as_of)[:10]}: "
        f"{change_words(change)}"
        for change in champion_changes(project)
    )


def export_champion(project: Project, out: Path | None) -> Path:
    """Return the folder that now holds the champion's bundle; refuses one that exists."""
    loaded = load_champion(project)
    folder = out or Path("models") / f"{project.settings.name}-v{loaded.version}"
    if folder.exists() and not folder.is_dir():
        raise BundleError(Fault("is not a folder", str(folder), mend="choose another --out"))
    if folder.exists() and any(folder.iterdir()) and not (folder / "manifest.json").exists():
        mend = "choose an empty folder, or one that holds a bundle"
        raise BundleError(Fault("the folder holds something else", str(folder), mend=mend))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(folder) as target:
        save_bundle(loaded.bundle, target)
    return folder


def ui_command(project: Project, port: int) -> "UiCommand":
    """Return how to open MLflow's own pages on this project's store."""
    from mqlml.tracking.ui import ui_command as command

    connection = open_connection(project.settings, project.workspace, project.secrets)
    return command(connection, port=port)
