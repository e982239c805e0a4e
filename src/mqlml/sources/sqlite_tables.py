"""Tables of a SQLite file, read by Python's own library: nothing to install."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mqlml.errors import DataError, Fault
from mqlml.sources.staging import PartWriter, StagedFile, as_text, unique_names
from mqlml.tables.sql import literal, quoted

if TYPE_CHECKING:
    from mqlml.sources.since import Since


class SqliteTables:
    """The tables of one SQLite file, which is opened for reading only."""

    def __init__(self, path: Path, shown: str) -> None:
        self._path, self._shown = path, shown
        if not path.is_file():
            raise DataError(Fault("no such file", shown, str(path), "check the path and --data"))

    def names(self, schema: str | None) -> list[str]:
        """Return the names of its tables and views, sorted; `schema` is main, or nothing."""
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
        rows = self._read(query, schema or "main")
        return [str(row[0]) for row in rows if not str(row[0]).startswith("sqlite_")]

    def latest(self, table: str, column: str) -> str | None:
        """Return the largest value of a column as text; None without one."""
        query = f"SELECT max({quoted(column)}) FROM {_relation(table)}"
        return _cell(next(iter(self._read(query, table)))[0])

    def stage(
        self, table: str, target: Path, *, since: "Since | None", wanted: Collection[str]
    ) -> StagedFile:
        """Return the rows as text, staged in `target`, in the order of their text."""
        del wanted  # an absent column is found when the staged columns are checked
        condition = ""
        if since is not None:
            column = quoted(since.column)
            condition = f" WHERE {column} >= {literal(since.value)} OR {column} IS NULL"
        heads = self._read(f"SELECT name FROM pragma_table_info({literal(_last(table))})", table)
        columns, remarks = unique_names([str(row[0]) for row in heads])
        rows = self._read(f"SELECT * FROM {_relation(table)}{condition}", table)
        texts = sorted(([_cell(v) for v in row] for row in rows), key=_order)
        writer = PartWriter(target)
        for number, cells in enumerate(texts, start=1):
            writer.add(number, cells)
            if writer.is_full:
                writer.flush(columns)
        writer.flush(columns)
        return StagedFile(table, target, columns, writer.rows, remarks)

    def _read(self, query: str, table: str) -> Sequence[tuple[object, ...]]:
        address = f"{self._path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.Error as error:
            mend = "check the table's name, and that the file is a sound SQLite database"
            what = f"table {table} cannot be read"
            raise DataError(Fault(what, self._shown, str(error), mend)) from None


def _relation(table: str) -> str:
    return ".".join(map(quoted, table.split(".")))


def _last(table: str) -> str:
    return table.rsplit(".", maxsplit=1)[-1]


def _cell(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else as_text(value)


def _order(cells: Sequence[str | None]) -> list[tuple[bool, bytes]]:
    return list(_keys(cells))


def _keys(cells: Sequence[str | None]) -> Iterator[tuple[bool, bytes]]:
    for text in cells:
        yield text is None, (text or "").encode("utf-8", "replace")
