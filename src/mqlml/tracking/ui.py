"""How to look at the store with MLflow's own pages."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from mqlml.tracking.connection import Connection

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class UiCommand:
    """A command to start, with what to add to its environment, and where the pages will be.

    Without a command the pages are served already, by the tracking server.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    address: str


def ui_command(connection: Connection, *, port: int = 5000) -> UiCommand:
    """Return how to open MLflow's pages on this store, on this machine only.

    The store's address goes by the environment: it may hold a password, and
    commands can be read by everyone on the machine.
    """
    if connection.is_server:
        return UiCommand((), {}, connection.uri)
    command = (
        *(sys.executable, "-m", "mlflow", "ui"),
        *("--host", _HOST, "--port", str(port), "--workers", "1"),
    )
    environment = {
        "MLFLOW_BACKEND_STORE_URI": connection.uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": str(connection.artifacts),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    return UiCommand(command, environment, f"http://{_HOST}:{port}")
