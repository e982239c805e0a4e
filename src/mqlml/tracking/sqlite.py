"""The SQLite store of a workspace: made whole and once, however many begin at the same time.

MLflow makes its tables in some seventy migrations, for seconds; two first
trainings at once break one another, and a killed one leaves half a database. So
the database is made in a folder beside its place and linked there in one step;
whoever comes second throws its own away. For the version of MLflow that is
locked, the outcome of the migrations is kept as SQL in `schemas/`.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mqlml.errors import DataError, Fault
from mqlml.tracking.library import hushed, mlflow

_WAIT_S = 5.0
# One page of the smallest size; SQLite takes anything shorter for an empty database.
_SMALLEST_BYTES = 512
_SCHEMAS = Path(__file__).with_name("schemas")


def sqlite_uri(database: Path) -> str:
    """Return the address by which MLflow knows a SQLite file."""
    return f"sqlite:///{database.resolve()}"


def make_database(database: Path, artifacts: Path) -> None:
    """Make MLflow's SQLite file at `database`, unless it is there; readers never block writers.

    Raises:
        DataError: What is there is not a SQLite file.
        sqlite3.Error: What is there is damaged, or locked by another program.
    """
    if database.exists():
        _check(database)
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    # The name is one that the workspace sweeps away when this process is killed.
    aside = Path(tempfile.mkdtemp(prefix=f".{database.name}.", suffix=".new", dir=database.parent))
    try:
        fresh = aside / database.name
        fill_database(fresh, artifacts, schema=_schema())
        _link(fresh, database)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def fill_database(fresh: Path, artifacts: Path, *, schema: Path | None) -> None:
    """Write MLflow's empty tables into the new file `fresh`, from `schema` or by migrations."""
    if schema is None:
        _migrate(fresh, artifacts)
    connection = sqlite3.connect(fresh)
    try:
        if schema is not None:
            connection.executescript(schema.read_text(encoding="utf-8"))
            connection.execute(
                "UPDATE experiments SET artifact_location = ?", (f"{artifacts.resolve()}/0",)
            )
            connection.commit()
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _schema() -> Path | None:
    path = _SCHEMAS / f"mlflow-{mlflow().__version__}.sql"
    return path if path.exists() else None


def _migrate(fresh: Path, artifacts: Path) -> None:
    mlflow()
    with hushed(), _unsynced():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = SqlAlchemyStore(sqlite_uri(fresh), str(artifacts.resolve()))
        store._dispose_engine()  # noqa: SLF001 - MLflow offers no public way to close it


@contextmanager
def _unsynced() -> Iterator[None]:
    # Some seventy migrations, each waiting for the disk: once at the end is enough,
    # for nobody sees the file before it is linked to its place.
    import sqlalchemy.event
    from sqlalchemy.engine import Engine

    def relax(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    sqlalchemy.event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        sqlalchemy.event.remove(Engine, "connect", relax)


def _link(fresh: Path, database: Path) -> None:
    try:
        database.hardlink_to(fresh)
    except FileExistsError:
        return  # another process was first; its database serves us as well
    except OSError:
        # A file system without links: the rename is as whole, but the last one wins.
        fresh.replace(database)


def _check(database: Path) -> None:
    # MLflow would try a database that is locked or damaged ten times, for minutes.
    # Only SQLite itself may open the file: closing any other handle on it gives up the
    # locks of this whole process, and another one then takes our journal away.
    size = database.stat().st_size
    if size < _SMALLEST_BYTES:
        found = "another kind of file" if size else "an empty file"
        raise DataError(_not_sqlite(database, found))
    connection = sqlite3.connect(database, timeout=_WAIT_S)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        raise DataError(_not_sqlite(database, "another kind of file")) from error
    finally:
        connection.close()


def _not_sqlite(database: Path, found: str) -> Fault:
    mend = "put a copy of it back, or move it away and train again"
    return Fault("not a SQLite database", str(database), found, mend)
