"""The store of verdicts in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

from mqlml.errors import Fault, MissingExtraError
from mqlml.serving.database import Cursor, Row, StoreError, store_fault

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_TIMEOUT_S = 5
_IDLE = 8
# Writers queue for this lock, so rows become visible in the order of their numbers.
_WRITERS = 727_465_001
_LIMITS = ("SET lock_timeout = '5s'", "SET statement_timeout = '15s'", "SET TIME ZONE 'UTC'")


@dataclass(frozen=True)
class PostgresCursor:
    """Statements on one connection."""

    connection: "Connection[Any]"

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return the rows of a query."""
        rows: list[Row] = self._execute(sql, values).fetchall()
        return rows

    def run(self, sql: str, *values: object) -> int:
        """Return how many rows a statement changed."""
        return int(self._execute(sql, values).rowcount)

    def _execute(self, sql: str, values: tuple[object, ...]) -> Any:
        given = sql.replace("%", "%%").replace("?", "%s") if values else sql
        return self.connection.execute(given.encode(), values or None)


class PostgresDatabase:
    """A database on a PostgreSQL server."""

    dialect = "postgres"
    shown = "the PostgreSQL server"

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: LifoQueue[Connection[Any]] = LifoQueue(_IDLE)
        self._psycopg = _psycopg()

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Give a cursor for queries."""
        with self._opened() as connection:
            yield PostgresCursor(connection)

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Give the cursor of the only writing transaction."""
        with self._opened() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITERS,))
            yield PostgresCursor(connection)

    def forget(self) -> None:
        """Leave freed rows to the server's own vacuum, which is not ours to run."""

    def close(self) -> None:
        """Close all idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _opened(self) -> "Iterator[Connection[Any]]":
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if self._idle.full():
                connection.close()
            else:
                self._idle.put(connection)
        except self._psycopg.Error as error:
            # Not the server's own words: its details may quote rows, and rows hold leads.
            raise store_fault(self.shown, type(error).__name__) from None

    def _take(self) -> "Connection[Any]":
        while True:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                return self._connect()
            if not connection.closed and not connection.broken:
                return connection

    def _connect(self) -> "Connection[Any]":
        connection: Connection[Any] = self._psycopg.connect(
            self._url, connect_timeout=_CONNECT_TIMEOUT_S, autocommit=True
        )
        for limit in _LIMITS:
            connection.execute(limit)
        return connection


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        what = "verdicts in PostgreSQL need psycopg"
        raise MissingExtraError(Fault(what, mend="pip install 'mqlml[postgres]'")) from None
    return psycopg


__all__ = ["PostgresDatabase", "StoreError"]
