"""The champion's bundle comes into the workspace whole, whatever other jobs do meanwhile."""

import pytest
from tests.trainings import MARCH_2, NAME, saved_bundle, training_record

from mqlml.modeling.bundle import load_bundle
from mqlml.storage.locks import is_held
from mqlml.storage.workspace import Workspace
from mqlml.tracking.connection import Connection
from mqlml.tracking.store import MlflowStore
from mqlml.workflows.champion import bundle_folder
from mqlml.workflows.project import Project


@pytest.fixture
def project(tmp_path):
    """Return a project with an empty workspace; what it predicts plays no part here."""
    return Project(settings=None, data_dir=tmp_path, workspace=Workspace(tmp_path / "w").create())


def store_of(project, check):
    connection = Connection(
        None, database=project.workspace.database, artifacts=project.workspace.artifacts
    )
    return MlflowStore(connection, check=check)


@pytest.fixture
def champion(project, tmp_path):
    """Return the champion of the project's store."""
    store = store_of(project, load_bundle)
    logged = store.log_training(training_record(saved_bundle(tmp_path / "bundle")))
    return store.promote(NAME, logged.version, as_of=MARCH_2, reason="first")


def test_a_bundle_is_fetched_under_the_lock_that_keeps_other_jobs_from_sweeping(project, champion):
    held = []

    def check(folder):
        held.append(is_held(project.workspace.lock_file))
        return load_bundle(folder)

    folder = bundle_folder(store_of(project, check), project, champion)
    assert held == [True]
    assert load_bundle(folder).name == NAME
    assert not is_held(project.workspace.lock_file)


def test_a_bundle_that_is_there_needs_neither_store_nor_lock(project, champion):
    folder = bundle_folder(store_of(project, load_bundle), project, champion)
    with project.workspace.lock("train"):
        assert bundle_folder(None, project, champion) == folder


def test_a_bundle_that_another_job_fetched_meanwhile_is_not_fetched_again(
    project, champion, monkeypatch
):
    store = store_of(project, load_bundle)
    lock = Workspace.lock

    def late(workspace, purpose):
        monkeypatch.setattr(Workspace, "lock", lock)
        bundle_folder(store, project, champion)
        return lock(workspace, purpose)

    monkeypatch.setattr(Workspace, "lock", late)
    assert load_bundle(bundle_folder(None, project, champion)).name == NAME


def test_a_damaged_bundle_is_fetched_again(project, champion):
    store = store_of(project, load_bundle)
    folder = bundle_folder(store, project, champion)
    (folder / "plan.json").write_bytes(b"{}")
    assert bundle_folder(store, project, champion) == folder
    assert load_bundle(folder).name == NAME
