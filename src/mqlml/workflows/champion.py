"""The model that scores today, fetched from MLflow once and kept in the workspace.

Who was champion when MLflow was last asked is remembered, so that a tracking server which is
down keeps nobody from scoring.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mqlml.errors import BundleError, Fault, MqlmlError, is_away
from mqlml.modeling.bundle import Bundle, load_bundle
from mqlml.storage.atomic import replace_file
from mqlml.wiring import open_store
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import ModelRef
    from mqlml.tracking.store import MlflowStore


_REMEMBERED = "champion.json"


@dataclass(frozen=True)
class Loaded:
    """A registered model version and its bundle.

    `is_remembered` says that MLflow could not be asked whether it is champion still.
    """

    ref: "ModelRef"
    bundle: Bundle
    is_remembered: bool = False

    @property
    def version(self) -> str:
        """Return the registered version."""
        return self.ref.version


def load_champion(project: Project, version: str | None = None) -> Loaded:
    """Return the champion, or one version; BundleError if there is none.

    While the tracking server is down the champion of the last time serves, if the workspace
    still has it; whoever runs the command is told.
    """
    store = open_store(project.settings, project.workspace, project.secrets)
    try:
        return fetch(store, project, version)
    except MqlmlError as error:
        known = _remembered(project) if version is None else None
        if known is None or not is_away(error):
            raise
        why = error.faults[0].what
    project.workspace.say(
        f"note: {why}: version {known.version} serves, the champion of the last time"
    )
    return known


def known_version(project: Project, store: "MlflowStore") -> str:
    """Return the champion's version; while MLflow is away that of the last time; "" if none."""
    try:
        champion = store.champion(project.settings.name)
    except MqlmlError as error:
        if not is_away(error):
            raise
        known = _remembered(project)
        return "" if known is None else known.version
    return "" if champion is None else champion.version


def fetch(store: "MlflowStore", project: Project, version: str | None = None) -> Loaded:
    """Return the champion of `store`, or one version; BundleError if there is none."""
    name = project.settings.name
    ref = store.champion(name) if version is None else store.version(name, version)
    if ref is None:
        mend = "run 'mqlml train' first; if it was not published, see its gates"
        raise BundleError(Fault("no champion yet", f"model {name!r}", mend=mend))
    loaded = Loaded(ref, load_bundle(bundle_folder(store, project, ref)))
    if version is None:
        _remember(project, ref)
    return loaded


def _remember(project: Project, ref: "ModelRef") -> None:
    path = project.workspace.root / _REMEMBERED
    content = json.dumps(asdict(ref), sort_keys=True).encode()
    if not path.exists() or path.read_bytes() != content:
        replace_file(path, content)


def _remembered(project: Project) -> Loaded | None:
    """Return the champion of the last time, if the workspace has it whole."""
    from mqlml.tracking.records import ModelRef

    try:
        ref = ModelRef(**json.loads((project.workspace.root / _REMEMBERED).read_bytes()))
        bundle = load_bundle(_folder(project, ref))
    except (OSError, ValueError, TypeError, BundleError):
        return None
    return Loaded(ref, bundle, is_remembered=True) if ref.name == project.settings.name else None


def _folder(project: Project, ref: "ModelRef") -> Path:
    return project.workspace.bundles / f"{ref.name}-v{ref.version}-{ref.run_id[:8]}"


def bundle_folder(store: "MlflowStore", project: Project, ref: "ModelRef") -> Path:
    """Return the workspace's copy of a version's bundle, fetched if it is not there or damaged.

    Fetched under the workspace's lock, so call it without holding it: another
    job's lock would sweep a half-fetched bundle away.
    """
    folder = _folder(project, ref)
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
