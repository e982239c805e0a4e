"""Who became champion when and why, as the workspace's ledger tells it, and MLflow's registry.

A change is written on the version in MLflow, then the alias moves, then the ledger's entry is
written. A kill in between leaves one champion and an entry that is missing: the next command
that settles writes it. An alias that somebody moved in MLflow is obeyed, and told too.
"""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from mqlml.errors import Check, MqlmlError, is_away
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import ChampionChange, LoggedModel, ModelRef, RunRow
    from mqlml.tracking.store import MlflowStore

CHANGED = "champion"
BY_HAND = "by hand"
PASSED = "it passed every gate"
_KINDS = ("train", "retrain")


def champion_changes(project: Project) -> "tuple[ChampionChange, ...]":
    """Return every change of champion that the ledger tells of, in the order they were made."""
    from mqlml.tracking.records import ChampionChange

    entries = read_entries(project.workspace.ledger, kind=CHANGED)
    changes = [ChampionChange(**{**e.payload, "as_of": e.as_of}) for e in entries]
    return tuple(sorted(changes, key=lambda change: change.number))


def appoint(project: Project, store: "MlflowStore", change: "ChampionChange") -> "ChampionChange":
    """Return the change by which `change.version` is now champion, numbered and told.

    The version was loaded once more before. Call it while holding the workspace's lock, after
    `settle_champion`.
    """
    numbered = replace(change, number=1 + _latest_number(project, store))
    store.appoint(project.settings.name, numbered)
    _tell(project, numbered)
    _add_to_timeline(project, store, numbered)
    return numbered


def _add_to_timeline(project: Project, store: "MlflowStore", change: "ChampionChange") -> None:
    """Mark the change on the model's time line, which no promotion fails for."""
    if not change.version.isdigit():
        return
    figures = {"champion_version": float(change.version)}
    try:
        store.log_timeline(project.settings.name, figures, as_of=change.as_of)
    except MqlmlError as error:
        if not is_away(error):
            raise


def promote_trained(
    project: Project,
    store: "MlflowStore",
    logged: "LoggedModel",
    *,
    as_of: int,
    why: str = PASSED,
) -> None:
    """Make a version that was trained and published champion. Call it like `appoint`."""
    from mqlml.tracking.records import ChampionChange

    before = store.champion(project.settings.name)
    previous = "" if before is None else before.version
    appoint(
        project,
        store,
        ChampionChange(0, "train", as_of, logged.version, previous, "manual", why),
    )


def settle_champion(project: Project, store: "MlflowStore", *, as_of: int) -> None:
    """Bring ledger and aliases in line with MLflow's champion; what was not told yet is told.

    Call it while holding the workspace's lock; `as_of` is the moment of the command at work.
    """
    tell_promotion(project, store)
    champion = store.champion(project.settings.name)
    if champion is None:
        return
    changes, written = champion_changes(project), store.change_of(champion)
    last = changes[-1] if changes else None
    if last is not None and last.version == champion.version:
        store.settle(champion, last)
        return
    if _is_untold(written, champion, last) and written is not None:
        store.settle(champion, written)
        _tell(project, written)
        return
    found = _by_hand(champion, last, number=1 + _latest_number(project, store), as_of=as_of)
    store.note_change(champion, found)
    _record(project, store, found)
    _tell(project, found)
    project.workspace.say(f"note: {found.why}")


def _is_untold(
    written: "ChampionChange | None", champion: "ModelRef", last: "ChampionChange | None"
) -> bool:
    """Return whether the champion's own account of its promotion only lacks its entry."""
    return (
        written is not None
        and written.version == champion.version
        and (last is None or written.number > last.number)
    )


def _by_hand(
    champion: "ModelRef", last: "ChampionChange | None", *, number: int, as_of: int
) -> "ChampionChange":
    from mqlml.tracking.records import ChampionChange

    before = "" if last is None else last.version
    instead = f" instead of version {before}" if before else ""
    why = f"somebody made version {champion.version} champion in MLflow{instead}; it is obeyed"
    return ChampionChange(number, BY_HAND, as_of, champion.version, before, BY_HAND, why)


def _record(project: Project, store: "MlflowStore", change: "ChampionChange") -> None:
    from mqlml.tracking.records import RunRecord

    record = RunRecord(
        name=project.settings.name,
        kind="champion",
        as_of=change.as_of,
        reason=change.reason,
        decision=change.why,
        model_version=change.version,
        tags={"from_version": change.previous, "to_version": change.version},
    )
    store.log_run(record)


def _tell(project: Project, change: "ChampionChange") -> None:
    payload = asdict(change)
    del payload["as_of"]
    write_entry(project.workspace.ledger, Entry(CHANGED, change.as_of, payload))


def _latest_number(project: Project, store: "MlflowStore") -> int:
    changes = champion_changes(project)
    told = changes[-1].number if changes else 0
    champion = store.champion(project.settings.name)
    written = None if champion is None else store.change_of(champion)
    return max(told, 0 if written is None else written.number)


def untold_promotion(project: Project, store: "MlflowStore") -> "RunRow | None":
    """Return the champion's run if no entry of the ledger tells of its promotion.

    On a server that others use too, champions of other workspaces are no business of ours:
    None.
    """
    settings = project.settings
    if settings.tracking.uri or settings.tracking.uri_env:
        return None
    champion = store.champion(settings.name)
    if champion is None or champion.run_id in _told(project):
        return None
    if store.change_of(champion) is None:
        return None  # the alias was moved by hand: no run of ours promoted it
    return next((run for run in store.runs(settings.name) if run.run_id == champion.run_id), None)


def tell_promotion(project: Project, store: "MlflowStore") -> None:
    """Write the ledger's entry of the champion's promotion if it is missing.

    Call it while holding the workspace's lock.
    """
    run = untold_promotion(project, store)
    if run is None:
        return
    payload = {
        "run_id": run.run_id,
        "version": run.version,
        "reason": run.reason,
        "promoted": True,
    }
    write_entry(project.workspace.ledger, Entry(run.kind, run.at, payload))


def check_promotion(project: Project, store: "MlflowStore") -> Check:
    """Return whether the ledger tells of the champion's promotion."""
    run = untold_promotion(project, store)
    if run is None:
        return Check("champion's promotion", ok=True, found="none is missing in the ledger")
    found = f"version {run.version} was promoted by a {run.kind} that was killed before its entry"
    mend = "run 'mqlml monitor', or the killed command again: both write the entry"
    return Check("champion's promotion", ok=False, found=found, mend=mend)


def _told(project: Project) -> set[str]:
    entries = [e for kind in _KINDS for e in read_entries(project.workspace.ledger, kind=kind)]
    return {str(e.payload["run_id"]) for e in entries}
