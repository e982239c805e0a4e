"""`mqlml erase`: a person goes from everything that the workspace holds, and does not come back.

An erasure is begun by one small file; from then on it is finished, by the next command if
this one is killed. Every step may be done twice.
"""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mqlml.delivery.memory import DELIVERIES, without_leads
from mqlml.errors import DataError, Fault
from mqlml.sources.identifying import hasher
from mqlml.storage.atomic import replace_file
from mqlml.storage.erasing import erase_scores, erase_tables, find_people
from mqlml.storage.postgres import delete_scores
from mqlml.storage.scrubbing import scrub_folder, scrubbed
from mqlml.storage.tombstones import (
    Erasing,
    begin_erasing,
    end_erasing,
    erasing_under_way,
    read_tombstones,
    write_tombstones,
)
from mqlml.wiring import open_store, secret
from mqlml.workflows.catching_up import tell_kept_back
from mqlml.workflows.ingest import KEPT, SEEN
from mqlml.workflows.kept_back import FOLDER
from mqlml.workflows.project import Project
from mqlml.workflows.verdict_store import erase_verdicts


@dataclass(frozen=True)
class EraseResult:
    """What went, and which models had learnt from it."""

    leads: int
    ids: int
    rows: int
    scores: int
    files: int
    models: tuple[str, ...]
    is_elsewhere: bool = False

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "leads": self.leads,
            "ids": self.ids,
            "rows": self.rows,
            "scores": self.scores,
            "files": self.files,
            "retrain": list(self.models),
            "sources_untouched": True,
            "mlflow_server_untouched": self.is_elsewhere,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield (
            f"erased {self.leads:,} leads with {self.ids:,} ids: {self.rows:,} rows of tables,"
            f" {self.scores:,} scores, mentions in {self.files:,} files and records"
        )
        if self.models:
            versions = ", ".join(self.models)
            yield f"trained with their rows and marked for retraining: version {versions}"
            yield "next: mqlml retrain"
        yield "your source files still hold them: erase them there too; they are not read again"
        if self.is_elsewhere:
            yield "artefacts on the MLflow server were not searched: they are outside the workspace"


def erase(project: Project, leads: Collection[str], *, salt: str) -> EraseResult:
    """Erase people by an id of theirs; `salt` is for the first tombstones of a workspace.

    Raises DataError, with nothing changed, if one of the ids is nobody's.
    """
    with project.workspace.lock("erase"):
        root = project.workspace.root
        gone = read_tombstones(root)
        asked = {one for one in _spelled(project, leads) if gone.of(one) not in gone.hashes}
        if not asked:
            return EraseResult(0, 0, 0, 0, 0, ())
        _database(project)  # a variable that is not set is told before anything is begun
        erasing, unknown = find_people(root, asked)
        if unknown:
            found = f"{len(unknown)} of {len(leads)} ids"
            mend = "give a lead_id or an alias as it stands in the tables; nothing was changed"
            raise DataError(Fault("no such lead", "--lead", found, mend))
        texts = tuple(sorted({*erasing.texts, *leads} - set(erasing.ids)))
        begin_erasing(root, replace(erasing, texts=texts))
        return _finish(project, salt)


def finish_erasure(project: Project, *, salt: str) -> EraseResult | None:
    """Finish what a killed erasure began; None if there is nothing to finish."""
    if erasing_under_way(project.workspace.root) is None:
        return None
    with project.workspace.lock("erase"):
        # Another job may have finished it while this one waited.
        is_open = erasing_under_way(project.workspace.root) is not None
        return _finish(project, salt) if is_open else None


def _spelled(project: Project, leads: Collection[str]) -> set[str]:
    """Return the ids as the tables have them: hashed, where they were hashed at the door."""
    name = project.settings.sources.identity.hash_key_env
    if name is None:
        return set(leads)
    return set(map(hasher(project.secrets.get(name), name), leads))


def _finish(project: Project, salt: str) -> EraseResult:
    workspace, root = project.workspace, project.workspace.root
    erasing = erasing_under_way(root)
    if erasing is None:
        raise AssertionError("nothing was begun")
    _forbid(root, erasing, salt)
    rows = erase_tables(root, read_tombstones(root))
    scores = erase_scores(workspace.scores, workspace.ledger, workspace.reports, erasing)
    scores += _erase_database(project, erasing)
    _forget_told(root / DELIVERIES, erasing)
    rows += erase_verdicts(project, erasing)
    store = open_store(project.settings, workspace, project.secrets)
    tell_kept_back(project, store)  # so that what waited is searched and marked as well
    models = store.mark_for_retraining(project.settings.name, known_from=erasing.known_from)
    files = store.scrub(partial(scrubbed, words=erasing.words))
    for folder in (workspace.reports, workspace.artifacts, workspace.bundles, root / FOLDER):
        files += scrub_folder(folder, erasing.words)
    # The next command reads the sources again, with the person left out.
    (root / SEEN).unlink(missing_ok=True)
    # What was read from a warehouse is read again, without them.
    shutil.rmtree(root / KEPT, ignore_errors=True)
    end_erasing(root)
    ids = len(erasing.ids)
    return EraseResult(erasing.leads, ids, rows, scores, files, models, store.is_elsewhere)


def _forget_told(folder: Path, erasing: Erasing) -> None:
    for path in sorted(folder.glob("*.txt")):
        told = path.read_text(encoding="ascii", errors="replace")
        kept = without_leads(told, erasing.ids)
        if kept != told:
            replace_file(path, kept.encode("ascii", errors="replace"))


def _forbid(root: Path, erasing: Erasing, salt: str) -> None:
    known = read_tombstones(root)
    tombstones = known if known.salt else replace(known, salt=salt)
    write_tombstones(root, tombstones.with_ids(erasing.words))


def _erase_database(project: Project, erasing: Erasing) -> int:
    url = _database(project)
    if url is None:
        return 0
    return delete_scores(url, project.settings.scoring.postgres_table, erasing.ids)


def _database(project: Project) -> str | None:
    name = project.settings.scoring.postgres_url_env
    return secret(project.secrets, name, "scoring.postgres_url_env") if name else None
