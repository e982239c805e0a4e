"""The model that scores today, fetched from MLflow once and kept in the workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mqlml.errors import BundleError, Fault
from mqlml.modeling.bundle import Bundle, load_bundle
from mqlml.wiring import open_store
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import ModelRef
    from mqlml.tracking.store import MlflowStore


@dataclass(frozen=True)
class Loaded:
    """A registered model version and its bundle."""

    ref: "ModelRef"
    bundle: Bundle

    @property
    def version(self) -> str:
        """Return the registered version."""
        return self.ref.version


def load_champion(project: Project, version: str | None = None) -> Loaded:
    """Return the champion, or one version; BundleError if there is none."""
    store = open_store(project.settings, project.workspace, project.secrets)
    return fetch(store, project, version)


def fetch(store: "MlflowStore", project: Project, version: str | None = None) -> Loaded:
    """Return the champion of `store`, or one version; BundleError if there is none."""
    name = project.settings.name
    ref = store.champion(name) if version is None else store.version(name, version)
    if ref is None:
        mend = "run 'mqlml train' first; if it was not published, see its gates"
        raise BundleError(Fault("no champion yet", f"model {name!r}", mend=mend))
    return Loaded(ref, load_bundle(bundle_folder(store, project, ref)))


def bundle_folder(store: "MlflowStore", project: Project, ref: "ModelRef") -> Path:
    """Return the workspace's copy of a version's bundle, fetched if it is not there or damaged.

    Fetched under the workspace's lock, so call it without holding it: another
    job's lock would sweep a half-fetched bundle away.
    """
    folder = project.workspace.bundles / f"{ref.name}-v{ref.version}-{ref.run_id[:8]}"
    if _is_sound(folder):
        return folder
    with project.workspace.lock("fetch the model"):
        # Another job may have fetched it while this one waited.
        return folder if _is_sound(folder) else store.download_bundle(ref, folder)


def _is_sound(folder: Path) -> bool:
    try:
        load_bundle(folder)
    except BundleError:
        return False
    return True
