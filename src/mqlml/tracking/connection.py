"""The way to a tracking server or store: checked once, quickly, before MLflow tries for minutes."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mqlml.errors import Fault, MissingExtraError
from mqlml.tracking.faults import told
from mqlml.tracking.library import mlflow
from mqlml.tracking.sqlite import make_database, sqlite_uri

_CONNECT_TIMEOUT_S = 5


class Connection:
    """A store at `uri`; without one, the SQLite file `database`. Nothing happens before use.

    Artefacts go into the folder `artifacts`, unless a server keeps them itself.
    """

    def __init__(self, uri: str | None, *, database: Path, artifacts: Path) -> None:
        self.database = None if uri else database
        self.uri = _with_driver(uri) if uri else sqlite_uri(database)
        self.artifacts = artifacts
        self._client: Any = None

    @property
    def is_there(self) -> bool:
        """Return whether there is anything to read; a server is taken to be there."""
        return self.database is None or self.database.exists()

    def client(self) -> Any:
        """Return MLflow's client, with the SQLite store made if it is missing.

        Raises:
            DataError: The database is damaged, locked, or cannot be written.
            BundleError: The server cannot be reached.
        """
        if self._client is None:
            if self.database is not None:
                make_database(self.database, self.artifacts)
            elif not self.is_server:
                _try_once(self.uri)
            self._client = mlflow().MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        return self._client

    def location(self, name: str) -> str | None:
        """Return where the artefacts of model `name` go; None where a server decides."""
        return None if self.is_server else (self.artifacts / name).resolve().as_uri()

    @property
    def is_server(self) -> bool:
        """Return whether the store is behind a tracking server, rather than a database."""
        return self.uri.startswith(("http://", "https://"))


def _with_driver(uri: str) -> str:
    """Return `uri` with the PostgreSQL driver that is installed here."""
    scheme, _, rest = uri.partition("://")
    if scheme not in {"postgresql", "postgres"} or find_spec("psycopg2"):
        return uri
    if not find_spec("psycopg"):
        raise MissingExtraError(
            Fault(
                "an MLflow store in PostgreSQL needs psycopg",
                mend="pip install 'mqlml[postgres]'",
            )
        )
    return f"postgresql+psycopg://{rest}"


def _try_once(uri: str) -> None:
    # MLflow itself tries ten times, with ever longer naps, two minutes in all.
    with told(uri):
        import sqlalchemy

        arguments = {"connect_timeout": _CONNECT_TIMEOUT_S} if "postgresql" in uri else {}
        engine = sqlalchemy.create_engine(
            uri, connect_args=arguments, poolclass=sqlalchemy.pool.NullPool
        )
        with engine.connect():
            pass
