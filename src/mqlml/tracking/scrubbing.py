"""Names taken out of MLflow's SQLite file, free pages and journal included."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

_WAIT_S = 5.0


def scrub_database(database: Path, scrubbed: Callable[[str], str]) -> int:
    """Return how many texts of the database `scrubbed` changed; the file is written anew.

    Whole or not at all; afterwards no freed page holds what was there before.
    """
    connection = sqlite3.connect(database, timeout=_WAIT_S)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            changed = sum(_scrub(connection, *place, scrubbed) for place in _texts(connection))
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return changed


def _texts(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return every column that holds text, with its table."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, column)
        for (table,) in tables
        if not table.startswith("sqlite_")
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        if "CHAR" in kind.upper() or "TEXT" in kind.upper()
    ]


def _scrub(
    connection: sqlite3.Connection, table: str, column: str, scrubbed: Callable[[str], str]
) -> int:
    query = f'SELECT rowid, "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'
    rows = connection.execute(query).fetchall()
    changed = [(after, row) for row, text in rows if (after := scrubbed(str(text))) != str(text)]
    connection.executemany(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', changed)
    return len(changed)
