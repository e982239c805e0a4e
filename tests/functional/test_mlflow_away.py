"""While MLflow is away its records wait in the workspace; none is lost, none is told twice."""

import os
import signal
import sqlite3
import sys
from contextlib import contextmanager
from shutil import copytree

import pytest
from tests.functional.test_mlflow_server import free_port, served, store_at
from tests.trainings import saved_bundle, training_record, with_run

from mqlml.cli.main import run
from mqlml.modeling.bundle import load_bundle
from mqlml.storage.ledger import read_entries
from mqlml.tracking import runs
from mqlml.wiring import open_store
from mqlml.workflows.catching_up import tell_kept_back
from mqlml.workflows.champion import load_champion
from mqlml.workflows.kept_back import Recording, Then, waiting_folders
from mqlml.workflows.project import open_project
from mqlml.workflows.promotions import PASSED, champion_changes

pytestmark = pytest.mark.usefixtures("brief_locks")

DAY, WEEK_LATER = "2025-12-08", "2025-12-15"


@contextmanager
def locked(workspace):
    """Let another program hold MLflow's database, as a viewer or a backup does."""
    other = sqlite3.connect(workspace / "mlflow.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def project(company, workspace):
    return open_project(company, workspace=workspace)


@pytest.fixture
def words(company, workspace):
    return ("--config", company, "--workspace", workspace, "--json")


def kinds(project):
    return sorted(
        row.kind for row in open_store(project.settings, project.workspace, {}).runs("small")
    )


def test_a_look_while_the_database_is_locked_is_recorded_once_by_the_next(
    mqlml, words, workspace, project
):
    with locked(workspace):
        look = mqlml("monitor", *words, "--as-of", DAY)
    assert look.code == 0, look.err
    assert "the store is locked by another program: what was done is kept" in look.err
    assert (kinds(project), len(waiting_folders(project))) == (["train"], 1)
    assert "1 wait in" in mqlml("doctor", *words[:4]).out
    later = mqlml("monitor", *words, "--as-of", WEEK_LATER)
    assert "MLflow now has 1 record that was kept back" in later.err
    assert (kinds(project), waiting_folders(project)) == (["monitor", "monitor", "train"], [])
    (entry,) = read_entries(workspace / "ledger", kind="recorded")
    assert entry.payload["kept_back"] == look.document["run_id"]
    client = open_store(project.settings, project.workspace, {})._connection.client()
    told = client.get_run(entry.payload["run_id"])
    assert told.data.tags["mqlml.as_of"] == "1765152000000000"
    files = {file.path for file in client.list_artifacts(told.info.run_id)}
    assert {"report.html", "changes.json", "pictures"} <= files


def test_a_training_while_the_database_is_locked_becomes_champion_later(
    mqlml, words, workspace, project
):
    with locked(workspace):
        training = mqlml("train", *words, "--as-of", DAY)
    assert training.code == 0, training.err
    document = training.document
    assert (document["waits_for_mlflow"], document["published"]) == (True, False)
    assert load_champion(project).version == "1"
    assert mqlml("monitor", *words, "--as-of", DAY).document["model"]["version"] == "1"
    assert load_champion(project).version == "2"
    assert [(c.version, c.kind, c.why) for c in champion_changes(project)] == [
        ("1", "train", "it passed every gate"),
        ("2", "train", "it passed every gate"),
    ]
    assert mqlml("doctor", *words[:4]).code == 0


def test_a_version_registered_right_before_the_database_is_locked_becomes_champion_later(
    mqlml, words, workspace, project, monkeypatch
):
    from mqlml.workflows import train

    promote = train.promote_trained

    def promote_while_locked(*arguments, **named):
        with locked(workspace):
            promote(*arguments, **named)

    monkeypatch.setattr(train, "promote_trained", promote_while_locked)
    document = mqlml("train", *words, "--as-of", DAY).document
    assert (document["model"]["version"], document["waits_for_mlflow"]) == ("2", True)
    assert load_champion(project).version == "1"
    assert mqlml("monitor", *words, "--as-of", DAY).code == 0
    assert (load_champion(project).version, kinds(project).count("train")) == ("2", 2)
    entries = read_entries(workspace / "ledger", kind="train")
    told = [e.payload["promoted"] for e in entries if e.payload["version"] == "2"]
    assert sorted(told) == [False, True]


def test_a_training_that_waited_does_not_overturn_who_became_champion_meanwhile(
    mqlml, words, workspace, project
):
    with locked(workspace):
        assert mqlml("train", *words, "--as-of", DAY).code == 0
    aside = workspace.parent / "aside"
    (workspace / "spool").rename(aside)
    assert mqlml("train", *words, "--as-of", WEEK_LATER).code == 0
    copytree(aside, workspace / "spool")
    mqlml("monitor", *words, "--as-of", WEEK_LATER)
    store = open_store(project.settings, project.workspace, {})
    assert (store.champion("small").version, store.challenger("small").version) == ("2", "3")
    assert kinds(project).count("train") == 3


@pytest.mark.parametrize("place", ["forget_kept_back", "appoint"])
def test_a_job_killed_while_it_tells_what_was_kept_back_tells_it_once(
    mqlml, words, workspace, project, place, monkeypatch
):
    with locked(workspace):
        assert mqlml("train", *words, "--as-of", DAY).code == 0
    arguments = [str(word) for word in ("monitor", *words, "--as-of", DAY)]
    if (pid := os.fork()) == 0:
        from mqlml.workflows import catching_up

        monkeypatch.setattr(catching_up, place, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        run(arguments)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert run(arguments) == 0
    assert (kinds(project), waiting_folders(project)) == (["monitor", "train", "train"], [])
    assert load_champion(project).version == "2"
    assert [c.number for c in champion_changes(project)] == [1, 2]


@pytest.mark.slow
def test_a_server_stopped_in_the_middle_of_a_record_gets_it_whole_when_it_is_back(
    company, tmp_path, monkeypatch
):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{tmp_path}/served.db"]
    command += ["--artifacts-destination", str(tmp_path / "served")]
    project = open_project(company, workspace=tmp_path / "w")
    record = with_run(training_record(saved_bundle(tmp_path / "bundle")), name="small")
    store, log_figures = store_at(address, tmp_path), runs.log_figures
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    then = Then("train", promote=True, compared="", reason="first", why=PASSED)
    with served(command, address, tmp_path) as server, project.workspace.lock("train"):

        def stopped(*arguments, **named):
            log_figures(*arguments, **named)
            os.killpg(server.pid, signal.SIGSTOP)

        monkeypatch.setattr(runs, "log_figures", stopped)
        try:
            logged = Recording(project, store, then).log_training(record)
        finally:
            os.killpg(server.pid, signal.SIGCONT)
        assert (logged.version, len(waiting_folders(project))) == ("", 1)
        monkeypatch.setattr(runs, "log_figures", log_figures)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "600")
        assert tell_kept_back(project, store) == 1
        (row,) = store.runs("small")
        champion = store.champion("small")
        back = store.download_bundle(champion, tmp_path / "back")
    assert (row.kind, row.decision, champion.run_id) == ("train", "promoted", row.run_id)
    assert load_bundle(back).plan == load_bundle(record.bundle).plan
