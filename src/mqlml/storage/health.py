"""Is the workspace sound: who is at work, what cannot be read, what a killed run left behind."""

import os

from mqlml.errors import Check, DataError
from mqlml.storage.ledger import read_entries
from mqlml.storage.locks import holder, is_held
from mqlml.storage.manifest import check_files
from mqlml.storage.score_runs import all_runs, run_faults
from mqlml.storage.scores import check_scores
from mqlml.storage.snapshot import CURRENT, current_snapshot, snapshot_facts
from mqlml.storage.workspace import Workspace

_LEFTOVER_ENDS = (".new", ".old")


def check_workspace(workspace: Workspace) -> tuple[Check, ...]:
    """Return one check each for the folder, who is at work, tables, ledger, scores and leftovers.

    Every byte of tables and scores is read and compared with its digest. Nothing is
    changed. A workspace that does not exist yet is sound.
    """
    if not workspace.root.exists():
        return (Check("workspace", ok=True, found=f"{workspace.root} is not there yet"),)
    writable = os.access(workspace.root, os.W_OK | os.X_OK)
    return (
        Check(
            "workspace",
            ok=writable,
            found=str(workspace.root) + ("" if writable else " cannot be written"),
            mend="" if writable else "choose a folder that you may write to with --workspace",
        ),
        _job(workspace),
        _tables(workspace),
        _ledger(workspace),
        _scores(workspace),
        _runs(workspace),
        _leftovers(workspace),
    )


def _job(workspace: Workspace) -> Check:
    at_work = is_held(workspace.lock_file)
    found = holder(workspace.lock_file) if at_work else "nobody is at work"
    return Check("job at work", ok=True, found=found)


def _tables(workspace: Workspace) -> Check:
    # A first ingest that was stopped may leave folders, but nothing that counts.
    if not (workspace.tables / CURRENT).exists():
        return Check("tables", ok=True, found="nothing is ingested yet")
    try:
        manifest = snapshot_facts(workspace.root)
        check_files(current_snapshot(workspace.root), manifest, verify=True)
    except DataError as error:
        return _failed("tables", error)
    found = f"snapshot {manifest.digest}, {len(manifest.files)} files as their manifest says"
    return Check("tables", ok=True, found=found)


def _ledger(workspace: Workspace) -> Check:
    try:
        count = len(read_entries(workspace.ledger))
    except DataError as error:
        return _failed("ledger", error)
    return Check("ledger", ok=True, found=f"{count} entries")


def _scores(workspace: Workspace) -> Check:
    try:
        count = check_scores(workspace.scores)
    except DataError as error:
        return _failed("scores", error)
    return Check("scores", ok=True, found=f"{count} score files")


def _runs(workspace: Workspace) -> Check:
    """Return whether every run in the ledger has its scores, byte for byte, and none is amiss."""
    try:
        runs = all_runs(workspace.ledger)
        faults = run_faults(workspace.ledger, workspace.scores)
    except DataError as error:
        return _failed("scoring runs", error)
    if faults:
        return _failed("scoring runs", DataError(*faults))
    return Check("scoring runs", ok=True, found=f"{len(runs)} runs, their scores as given")


def _failed(name: str, error: DataError) -> Check:
    found = "; ".join(f"{fault.where} {fault.what}" for fault in error.faults)
    mends = dict.fromkeys(fault.mend for fault in error.faults)
    return Check(name, ok=False, found=found, mend="; ".join(mends))


def _leftovers(workspace: Workspace) -> Check:
    # A job at work has such files of its own; they are no leftovers.
    names = [] if is_held(workspace.lock_file) else _hidden(workspace)
    if not names:
        return Check("leftovers of killed runs", ok=True, found="none")
    return Check(
        "leftovers of killed runs",
        ok=False,
        found=", ".join(names),
        mend="run the killed command again: it sweeps them away before it starts",
    )


def _hidden(workspace: Workspace) -> list[str]:
    return sorted(
        str(path.relative_to(workspace.root))
        for folder in (workspace.root, *workspace.folders)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.name.startswith(".") and path.suffix in _LEFTOVER_ENDS
    )
