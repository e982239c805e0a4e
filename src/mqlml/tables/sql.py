"""Names and texts as SQL spells them, and the one row of an aggregate."""

from typing import Any

import duckdb


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as an SQL string.

    >>> print(literal("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def only_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the single row of a query, its result used up.

    >>> with duckdb.connect() as connection:
    ...     only_row(connection, "SELECT 1, 'a'")
    (1, 'a')
    """
    (row,) = connection.execute(query).fetchall()
    return tuple(row)
