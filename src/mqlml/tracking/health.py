"""Is the MLflow store sound: can it be reached, and does its champion load."""

from importlib.metadata import version

from mqlml.errors import Check, MqlmlError
from mqlml.tracking.faults import shown
from mqlml.tracking.store import MlflowStore


def check_store(store: MlflowStore, name: str) -> tuple[Check, ...]:
    """Return one check each for MLflow, the store, the champion of `name`, and unfinished runs.

    Nothing is made: a store that is not there yet is sound. When the store
    cannot be reached, nothing further is asked of it.
    """
    library = Check("MLflow", ok=True, found=f"version {version('mlflow')}")
    if not store.is_there:
        return library, Check("MLflow store", ok=True, found="nothing is trained yet")
    try:
        unfinished = store.unfinished(name)
    except MqlmlError as error:
        return library, _failed("MLflow store", error)
    reached = Check("MLflow store", ok=True, found=shown(store.uri))
    return library, reached, _champion(store, name), _unfinished(unfinished)


def _champion(store: MlflowStore, name: str) -> Check:
    try:
        ref = store.champion(name)
        if ref is not None:
            store.try_bundle(ref)
    except MqlmlError as error:
        return _failed("champion", error)
    found = f"version {ref.version} loads" if ref else "no model is promoted yet"
    return Check("champion", ok=True, found=found)


def _unfinished(run_ids: tuple[str, ...]) -> Check:
    # They are either at work now, or were killed; neither is ever listed or used.
    found = f"{len(run_ids)} begun and not finished, never used" if run_ids else "none"
    return Check("unfinished runs", ok=True, found=found)


def _failed(name: str, error: MqlmlError) -> Check:
    fault = error.faults[0]
    found = "; ".join(part for part in (fault.where, fault.what, fault.found) if part)
    return Check(name, ok=False, found=found, mend=fault.mend)
