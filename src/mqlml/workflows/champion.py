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
    """Return the workspace's copy of a version's bundle, fetched if it is not there or damaged."""
    folder = project.workspace.bundles / f"{ref.name}-v{ref.version}-{ref.run_id[:8]}"
    try:
        load_bundle(folder)
    except BundleError:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return store.download_bundle(ref, folder)
    return folder
