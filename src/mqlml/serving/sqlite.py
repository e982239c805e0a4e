"""The store of verdicts in one SQLite file: write-ahead log, synced at every commit."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue

from mqlml.serving.database import Cursor, Row, StoreError, store_fault

_WAIT_S = 5.0
_IDLE = 64
# Deleted rows are overwritten at once; a commit that was answered survives a power cut.
_PRAGMAS = ("synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")

_Identity = tuple[int, int]


@dataclass(frozen=True)
class SqliteCursor:
    """Statements on one connection."""

    connection: sqlite3.Connection

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return the rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Return how many rows a statement changed."""
        return self.connection.execute(sql, values).rowcount


@dataclass(frozen=True)
class _Opened:
    """A connection, and the very file that it is open on."""

    connection: sqlite3.Connection
    file: _Identity


class SqliteDatabase:
    """One SQLite file. A file that is deleted or replaced meanwhile is noticed, never written."""

    dialect = "sqlite"

    def __init__(self, path: Path, *, create: bool = False, wait_s: float = _WAIT_S) -> None:
        self._path, self._wait_s = path, wait_s
        self._idle: LifoQueue[_Opened] = LifoQueue(_IDLE)
        self._writing = threading.Lock()
        if create and not path.exists():
            self._create()

    @property
    def shown(self) -> str:
        """Return the file's path."""
        return str(self._path)

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Give a cursor for queries."""
        with self._opened() as opened:
            yield SqliteCursor(opened.connection)

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Give the cursor of the only writing transaction."""
        with self._writing, self._opened() as opened:
            opened.connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteCursor(opened.connection)
                opened.connection.execute("COMMIT")
            except BaseException:
                if opened.connection.in_transaction:
                    opened.connection.execute("ROLLBACK")
                raise
            # Committed into a file that was taken away meanwhile: nobody will find it there.
            if self._identity() != opened.file:
                raise store_fault(self.shown, "the file was taken away")

    def forget(self) -> None:
        """Write the file anew and empty its log, so that no freed page remembers."""
        with self._writing, self._opened() as opened:
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
                opened.connection.execute(statement)
            busy, *_ = opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise store_fault(self.shown, "its log is being read")

    def close(self) -> None:
        """Close all idle connections."""
        while True:
            try:
                self._idle.get_nowait().connection.close()
            except Empty:
                return

    @contextmanager
    def _opened(self) -> Iterator[_Opened]:
        try:
            opened = self._take()
            try:
                yield opened
            except BaseException:
                opened.connection.close()
                raise
            self._give_back(opened)
        except sqlite3.Error as error:
            raise store_fault(self.shown, str(error)) from error

    def _take(self) -> _Opened:
        file = self._identity()
        while True:
            try:
                opened = self._idle.get_nowait()
            except Empty:
                return _Opened(self._connect(), file)
            if opened.file == file:
                return opened
            opened.connection.close()

    def _give_back(self, opened: _Opened) -> None:
        if self._idle.full():
            opened.connection.close()
        else:
            self._idle.put(opened)

    def _identity(self) -> _Identity:
        try:
            found = self._path.stat()
        except OSError as error:
            raise store_fault(self.shown, error.strerror or type(error).__name__) from error
        return found.st_dev, found.st_ino

    def _connect(self, mode: str = "rw") -> sqlite3.Connection:
        address = f"{self._path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self._wait_s, isolation_level=None, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _create(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = self._connect("rwc")
            self._path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        except (OSError, sqlite3.Error) as error:
            raise store_fault(self.shown, type(error).__name__) from error


__all__ = ["SqliteDatabase", "StoreError"]
