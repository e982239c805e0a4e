"""A real tracking server on a real PostgreSQL, and PostgreSQL without a server."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.trainings import MARCH_2, NAME, local_store, saved_bundle, training_record

from mqlml.modeling.bundle import load_bundle
from mqlml.tracking.connection import Connection
from mqlml.tracking.health import check_store
from mqlml.tracking.store import MlflowStore
from mqlml.tracking.ui import ui_command

# A hang must end some day; how long a busy machine takes says nothing.
POLLS, NAP_S = 3_000, 0.2


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let requests of this process to a slow server take their time."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "600")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(command, address, folder: Path, environment=None):
    """Run a server until the block ends; it answers when the block, given its process, begins."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **(environment or {})},
        )
    try:
        for _ in range(POLLS):
            assert process.poll() is None, (folder / "server.log").read_text()
            try:
                with urlopen(address + "/health", timeout=60):  # noqa: S310 - our own server
                    break
            except (URLError, OSError):
                time.sleep(NAP_S)
        else:
            pytest.fail("the server does not answer: " + (folder / "server.log").read_text())
        yield process
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def store_at(uri, tmp_path) -> MlflowStore:
    place = tmp_path / "client"
    return MlflowStore(
        Connection(uri, database=place / "mlflow.db", artifacts=place / "mlartifacts")
    )


def goes_round(store: MlflowStore, tmp_path) -> None:
    """Train, promote, fetch back: what comes back is what was trained."""
    record = training_record(saved_bundle(tmp_path / "bundle"))
    logged = store.log_training(record)
    ref = store.promote(NAME, logged.version, as_of=MARCH_2, reason="first")
    assert store.champion(NAME) == ref
    folder = store.download_bundle(ref, tmp_path / "back")
    assert load_bundle(folder).plan == load_bundle(record.bundle).plan
    assert [row.decision for row in store.runs(NAME)] == ["promoted"]
    assert all(check.ok for check in check_store(store, NAME))


@pytest.mark.slow
def test_a_tracking_server_on_postgresql_keeps_trainings_and_the_champion(postgres_url, tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    backend = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    options = {
        "--backend-store-uri": backend,
        "--artifacts-destination": str(tmp_path / "served"),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    command = [sys.executable, "-m", "mlflow", "server"]
    for name, value in options.items():
        command += [name, value]
    with served(command, address, tmp_path):
        goes_round(store_at(address, tmp_path), tmp_path)
    assert list((tmp_path / "served").rglob("manifest.json"))
    assert not (tmp_path / "client").exists()


def test_a_store_in_postgresql_without_a_server_keeps_them_too(postgres_url, tmp_path):
    goes_round(store_at(postgres_url, tmp_path), tmp_path)
    assert list((tmp_path / "client" / "mlartifacts").rglob("manifest.json"))


@pytest.mark.slow
def test_the_pages_of_mlflow_open_on_the_workspace(tmp_path):
    store = local_store(tmp_path)
    store.log_training(training_record(saved_bundle(tmp_path / "bundle")))
    command = ui_command(
        Connection(None, database=tmp_path / "mlflow.db", artifacts=tmp_path / "mlartifacts"),
        port=free_port(),
    )
    with (
        served(command.command, command.address, tmp_path, command.environment),
        urlopen(command.address, timeout=600) as page,  # noqa: S310 - our own server
    ):
        assert b"<title>MLflow</title>" in page.read()
        assert store_at(command.address, tmp_path).runs(NAME) == store.runs(NAME)
