"""Promotions that the ledger does not tell of, because their run was killed before its entry.

The alias in MLflow is set last but one, the ledger's entry last. A kill between the two
leaves a champion of which the workspace knows nothing; the next training, retraining or
monitoring writes the entry that is missing.
"""

from typing import TYPE_CHECKING

from mqlml.errors import Check
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import RunRow
    from mqlml.tracking.store import MlflowStore

_KINDS = ("train", "retrain")


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
    return {str(e.payload["run_id"]) for e in entries if e.payload.get("promoted")}
