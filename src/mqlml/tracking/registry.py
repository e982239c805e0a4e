"""The registry: which versions of a model there are, and which one is the champion.

A version is registered only after its files are in the store and were loaded
back from there; the alias is set last of all. A run killed at any moment leaves
the champion that was, or the new one, and never a version that cannot be loaded.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from mqlml.errors import BundleError, Fault
from mqlml.reports.words import day
from mqlml.tracking.library import mlflow
from mqlml.tracking.model_files import BUNDLE_PATH, write_model
from mqlml.tracking.races import written
from mqlml.tracking.records import LoggedModel, ModelRef, TrainingRecord

CHAMPION = "champion"
RETRAIN = "mqlml.retrain"
_READY = "READY"
_MODEL_ID = "mqlml.model_id"
_GONE = ("No such artifact", "No such file", "Not Found", "not found", "NoSuchKey")

BundleCheck = Callable[[Path], object]


def begin_model(client: Any, experiment: str, run_id: str) -> Any:
    """Return a new model of MLflow's, pending until `upload_model` is through."""
    from mlflow.entities import LoggedModelOutput

    model = client.create_logged_model(
        experiment, name="model", source_run_id=run_id, model_type="mqlml"
    )
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return model


def upload_model(client: Any, model: Any, record: TrainingRecord, *, check: BundleCheck) -> None:
    """Write the bundle into the store, load it back from there, and call the model ready."""
    try:
        _write_and_check(client, model, record, check=check)
    except BaseException:
        with suppress(mlflow().MlflowException, OSError):
            client.finalize_logged_model(model.model_id, "FAILED")
        raise
    client.finalize_logged_model(model.model_id, _READY)


def _write_and_check(
    client: Any, model: Any, record: TrainingRecord, *, check: BundleCheck
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = write_model(
            record, Path(temporary), model_id=model.model_id, run_id=model.source_run_id
        )
        client.log_model_artifacts(model.model_id, str(folder))
    with tempfile.TemporaryDirectory() as temporary:
        check(_fetch(client, model.artifact_location, Path(temporary)))


_ABOUT = (
    "Scores leads: the calibrated probability that one converts. The version with the alias "
    "*champion* is in use, *challenger* waits for a person's yes, *previous* served before. "
    "Each version's run has a model card (`model_card.md`), the page of its training "
    "(`report.html`), its criteria, plan and gates, and what the search for leaks found."
)


def register(client: Any, model: Any, record: TrainingRecord) -> LoggedModel:
    """Return the new version of the registered model; the champion stays who it is."""
    # A server looks a model up by its id; a database store would ask MLflow's global
    # address for it, which we leave alone, so it gets the place itself.
    is_http = client.tracking_uri.startswith("http")
    source = f"models:/{model.model_id}" if is_http else model.artifact_location
    library = mlflow()
    name = record.run.name
    try:
        client.create_registered_model(name, description=_ABOUT)
    except library.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name,
        source=source,
        run_id=model.source_run_id,
        model_id=model.model_id,
        tags={
            _MODEL_ID: str(model.model_id),
            "mqlml.as_of": str(record.run.as_of),
            "mqlml.reason": record.run.reason,
        },
        description=f"Trained as of {day(record.run.as_of)} ({record.run.reason}). "
        f"{record.run.summary}".rstrip(),
    )
    return LoggedModel(model.source_run_id, name, str(version.version))


def mark_for_retraining(client: Any, name: str, *, known_from: int) -> tuple[str, ...]:
    """Tag the versions of a model that were trained at or after `known_from`; return them."""
    found = [
        version
        for version in client.search_model_versions(f"name = '{name}'")
        if int(version.tags.get("mqlml.as_of", known_from)) >= known_from
    ]
    for version in found:
        written(partial(client.set_model_version_tag, name, version.version, RETRAIN, "erasure"))
    return tuple(sorted((str(version.version) for version in found), key=int))


def is_marked(client: Any, ref: ModelRef) -> bool:
    """Return whether a version is marked for retraining."""
    return RETRAIN in client.get_model_version(ref.name, ref.version).tags


def find_champion(client: Any, name: str) -> ModelRef | None:
    """Return the version with the alias `champion`, or None if there is none.

    Raises:
        BundleError: The alias points to a model that was never finished.
    """
    version = find_alias(client, name, CHAMPION)
    return None if version is None else _ready(client, version)


def find_alias(client: Any, name: str, alias: str) -> Any:
    """Return MLflow's version with an alias, finished or not, or None."""
    library = mlflow()
    try:
        return client.get_model_version_by_alias(name, alias)
    except library.MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def find_version(client: Any, name: str, version: str) -> ModelRef:
    """Return one version of a model; BundleError if there is none or it is unfinished."""
    library = mlflow()
    try:
        found = client.get_model_version(name, version)
    except library.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise BundleError(
            Fault(
                "no such model version",
                where=f"model {name}",
                found=f"version {version}",
                mend="see `mqlml runs` for the versions there are",
            )
        ) from error
    return _ready(client, found)


def try_bundle(client: Any, ref: ModelRef, *, check: BundleCheck) -> None:
    """Load the version's bundle from the store; BundleError if that fails."""
    with tempfile.TemporaryDirectory() as temporary:
        check(_fetch(client, _location(client, ref), Path(temporary)))


def fetch_bundle(client: Any, ref: ModelRef, into: Path, *, check: BundleCheck) -> Path:
    """Return the folder `into`, which holds the version's bundle, checked; whole or not at all.

    A bundle that is there already is replaced.

    Raises:
        BundleError: The bundle is missing, altered or from a newer mqlml, or
            `into` holds something that is no bundle.
    """
    _check_target(into)
    into.parent.mkdir(parents=True, exist_ok=True)
    # The name is one that the workspace sweeps away when this process is killed.
    aside = Path(tempfile.mkdtemp(prefix=f".{into.name}.", suffix=".new", dir=into.parent))
    try:
        bundle = _fetch(client, _location(client, ref), aside)
        check(bundle)
        _swap(bundle, into, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return into


def _check_target(into: Path) -> None:
    from mqlml.modeling.bundle import MANIFEST

    if into.is_dir() and (not any(into.iterdir()) or (into / MANIFEST).exists()):
        return
    if into.exists():
        raise BundleError(
            Fault(
                "what is there is no bundle, so it is not replaced",
                where=str(into),
                mend="name a folder that is new, empty, or holds a bundle",
            )
        )


def _swap(fresh: Path, target: Path, aside: Path) -> None:
    if target.exists():
        target.rename(aside / "old")
    fresh.rename(target)


def _location(client: Any, ref: ModelRef) -> str:
    return str(client.get_model_version_download_uri(ref.name, ref.version))


def _fetch(client: Any, location: str, into: Path) -> Path:
    """Return the bundle of the model at `location`, copied from there into the folder `into`."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(location, tracking_uri=client.tracking_uri)
    try:
        found = repository.download_artifacts(BUNDLE_PATH, str(into))
    except (mlflow().MlflowException, OSError) as error:
        if not any(sign in str(error) for sign in _GONE):
            raise
        raise _missing(location) from error
    return Path(os.fspath(found))


def _missing(location: str) -> BundleError:
    return BundleError(
        Fault(
            "the files of the model are not where MLflow keeps them",
            where=location,
            found="no bundle there",
            mend="put the folder back, or train again; moving a workspace breaks its MLflow store",
        )
    )


def is_ready(client: Any, version: Any) -> bool:
    """Return whether a version of MLflow's is finished, with the model behind it."""
    return _state(client, version) == _READY


def _ready(client: Any, version: Any) -> ModelRef:
    state = _state(client, version)
    if state != _READY:
        raise BundleError(
            Fault(
                "the model version was never finished",
                where=f"model {version.name} version {version.version}",
                found=f"state {state}",
                mend="train again, or point the alias `champion` to an older version in MLflow",
            )
        )
    number = str(version.version)
    return ModelRef(version.name, number, version.run_id, f"models:/{version.name}/{number}")


def _state(client: Any, version: Any) -> str:
    """Return the state of a version, and of the model behind it where that is known."""
    model_id = version.tags.get(_MODEL_ID) or version.model_id
    if version.status != _READY or not model_id:
        return str(version.status)
    return str(client.get_logged_model(model_id).status)
