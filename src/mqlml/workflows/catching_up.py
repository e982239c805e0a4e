"""The first thing that a command does with MLflow: settle the champion, tell what was kept back."""

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from mqlml.errors import Check, MqlmlError, is_away
from mqlml.storage.ledger import Entry, write_entry
from mqlml.tracking.records import ChampionChange, LoggedModel
from mqlml.workflows.kept_back import (
    FOLDER,
    KeptBack,
    Then,
    forget_kept_back,
    read_kept_back,
    unless_away,
    waiting_folders,
)
from mqlml.workflows.project import Project
from mqlml.workflows.promotions import appoint, settle_champion

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore

_KEPT_BACK = "kept_back"


def catch_up(project: Project, store: "MlflowStore", *, as_of: int) -> bool:
    """Settle the champion, then tell what was kept back; return False if MLflow is away.

    Call it while holding the workspace's lock; `as_of` is the moment of the command at work.
    """
    try:
        settle_champion(project, store, as_of=as_of)
        tell_kept_back(project, store)
    except MqlmlError as error:
        unless_away(error)
        return False
    return True


def tell_kept_back(project: Project, store: "MlflowStore") -> int:
    """Return how many records MLflow has been told; one that it refuses waits on, and is named.

    Call it while holding the workspace's lock. Each is told once, also when a job is killed in
    between: its key is a tag of its run.
    """
    told = 0
    for folder in waiting_folders(project):
        try:
            _tell(project, store, read_kept_back(folder))
            told += 1
        except MqlmlError as error:
            if is_away(error):
                raise
            project.workspace.say(f"note: {folder.name} waits on: {error.faults[0].what}")
    _sweep(project)
    if told:
        records = "record that was" if told == 1 else "records that were"
        project.workspace.say(f"note: MLflow now has {told} {records} kept back")
    return told


def _sweep(project: Project) -> None:
    """Remove what a killed job left that is no record, or no longer one."""
    whole = set(waiting_folders(project))
    for path in (project.workspace.root / FOLDER).glob("*"):
        if path.is_dir() and path not in whole:
            shutil.rmtree(path, ignore_errors=True)


def _tell(project: Project, store: "MlflowStore", kept: KeptBack) -> None:
    name = project.settings.name
    tags = {**kept.run.tags, f"mqlml.{_KEPT_BACK}": kept.key}
    run = replace(kept.run, tags=tags)
    logged = kept.logged or store.recorded(name, kept.key)
    if kept.training is not None:
        record = replace(kept.training, run=run)
        logged = logged or store.log_training(record, publish=kept.publish)
        _follow(project, store, kept, logged)
    elif kept.then is not None and logged is not None:
        _follow(project, store, kept, logged)
    else:
        run_id = store.log_run(run) if logged is None else logged.run_id
        payload = {"kept_back": kept.key, "run_id": run_id}
        write_entry(project.workspace.ledger, Entry("recorded", run.as_of, payload))
    forget_kept_back(kept.folder)


def _follow(project: Project, store: "MlflowStore", kept: KeptBack, logged: LoggedModel) -> None:
    """Let the version become what was decided, unless another became champion meanwhile."""
    then = kept.then
    if then is None:
        return
    name = project.settings.name
    champion = store.champion(name)
    now = "" if champion is None else champion.version
    is_champion = bool(logged.version) and now == logged.version
    if logged.version and not is_champion:
        if then.promote and now == then.compared:
            appoint(project, store, _change(kept, then, logged.version, now))
            is_champion = True
        elif then.promote or then.payload.get("waits") or not store.challenger(name):
            store.propose(name, logged.version)
    payload = {
        **then.payload,
        "run_id": logged.run_id,
        "version": logged.version,
        "reason": then.reason,
        "promoted": is_champion,
        "kept_back": kept.key,
    }
    write_entry(project.workspace.ledger, Entry(then.kind, kept.run.as_of, payload))


def _change(kept: KeptBack, then: Then, version: str, previous: str) -> ChampionChange:
    return ChampionChange(
        number=0,
        kind=then.kind,
        as_of=kept.run.as_of,
        version=version,
        previous=previous,
        reason=then.reason,
        why=then.why,
    )


def check_kept_back(project: Project) -> Check:
    """Return whether anything waits for MLflow."""
    waiting = waiting_folders(project)
    if not waiting:
        return Check("records for MLflow", ok=True, found="none waits")
    found = f"{len(waiting)} wait in {project.workspace.root / FOLDER}"
    mend = "start MLflow's server, or close what locks its database; then run 'mqlml monitor'"
    return Check("records for MLflow", ok=False, found=found, mend=mend)
