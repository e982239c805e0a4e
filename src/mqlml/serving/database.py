"""What the store of verdicts needs of a database: rows, and one writing transaction at a time."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from mqlml.errors import DataError, Fault

Row = tuple[Any, ...]


class StoreError(DataError):
    """The store of verdicts cannot be read or written now; what was asked for was not saved."""


class Cursor(Protocol):
    """Runs statements whose values are written `?`."""

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return the rows of a query."""
        ...

    def run(self, sql: str, *values: object) -> int:
        """Return how many rows a statement changed."""
        ...


class Database(Protocol):
    """SQLite or PostgreSQL; every fault of either is a StoreError without a row's content."""

    @property
    def shown(self) -> str:
        """Return where it is, as people may see it."""
        ...

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgres`."""
        ...

    def read(self) -> AbstractContextManager[Cursor]:
        """Return a cursor for queries."""
        ...

    def write(self) -> AbstractContextManager[Cursor]:
        """Return the cursor of a transaction that no other writer runs beside.

        It is on disk when the block ends; on any error nothing of it is.
        """
        ...

    def forget(self) -> None:
        """Overwrite what deleted rows leave behind, as far as the database is ours to write."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


def store_fault(shown: str, found: str) -> StoreError:
    """Return the error that tells a person that nothing was saved."""
    mend = "nothing was saved; try again, and if it stays so, ask who runs the page"
    return StoreError(Fault("the store of verdicts does not answer", shown, found, mend))
