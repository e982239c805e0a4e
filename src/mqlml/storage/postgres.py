"""Scores into a PostgreSQL table: a new score is added, a repeated one replaced."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from mqlml.errors import DataError, Fault, MissingExtraError

if TYPE_CHECKING:
    from psycopg import Connection, Cursor, Error
    from psycopg.sql import Composed, Identifier

KEY = ("lead_id", "as_of")
LATER_COLUMNS = ("score_low", "score_high")
_CONNECT_TIMEOUT_S = 10
_PASSWORDS = (
    re.compile(r"(?<=://)(?P<user>[^:/@\s]*):[^@/\s]*@"),
    re.compile(r"(?P<name>password\s*=\s*)('[^']*'|[^\s&]+)", re.IGNORECASE),
)


def upsert_scores(url: str, table: str, frame: pd.DataFrame) -> int:
    """Return how many rows of `frame` were written to `table` (`name` or `schema.name`).

    All rows or none: one transaction. The table is made if it is missing, with
    the key (lead_id, as_of), and gets the columns that scores of an earlier mqlml lacked;
    a row whose key is there already is overwritten.

    Raises:
        MissingExtraError: psycopg is not installed.
        DataError: The server cannot be reached, refuses, or the table does not fit.
    """
    _check_key(frame, table)
    psycopg = _psycopg()
    where = f"table {table} at {without_password(url)}"
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            _write(connection, table, frame)
    except psycopg.Error as error:
        raise DataError(_fault(error, where)) from None
    return len(frame)


def delete_scores(url: str, table: str, lead_ids: Sequence[str]) -> int:
    """Return how many rows of these leads were deleted from `table`; none if there is no table.

    Raises:
        MissingExtraError: psycopg is not installed.
        DataError: The server cannot be reached, or refuses.
    """
    psycopg = _psycopg()
    from psycopg import sql

    where = f"table {table} at {without_password(url)}"
    name = sql.Identifier(*table.split("."))
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            shown = name.as_string(connection)
            found = connection.execute("SELECT to_regclass(%s)", (shown,)).fetchone()
            if found[0] is None:
                return 0
            query = sql.SQL("DELETE FROM {} WHERE lead_id = ANY(%s)").format(name)
            return int(connection.execute(query, (list(lead_ids),)).rowcount)
    except psycopg.Error as error:
        raise DataError(_fault(error, where)) from None


def without_password(url: str) -> str:
    """Return a connection address that may be shown to people.

    >>> without_password("postgresql://ann:secret@db/crm")
    'postgresql://ann:***@db/crm'
    """
    shown = _PASSWORDS[0].sub(r"\g<user>:***@", url)
    return _PASSWORDS[1].sub(r"\g<name>***", shown)


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError(
            Fault(
                "writing scores to PostgreSQL needs psycopg",
                mend="pip install 'mqlml[postgres]'",
            )
        ) from None
    return psycopg


def _check_key(frame: pd.DataFrame, table: str) -> None:
    repeated = int(frame.duplicated(list(KEY)).sum())
    if repeated:
        raise DataError(
            Fault(
                "several scores have the same lead_id and as_of",
                where=f"table {table}",
                found=f"{repeated} repeated rows",
                mend="write one score per lead and moment",
            )
        )


def _write(connection: "Connection[Any]", table: str, frame: pd.DataFrame) -> None:
    from psycopg import sql

    name = sql.Identifier(*table.split("."))
    columns = [str(column) for column in frame.columns]
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor() as cursor:
        # `IF NOT EXISTS` alone fails when two jobs make the same table at once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"mqlml {table}",))
        cursor.execute(_create_statement(name, frame))
        _add_later_columns(cursor, name, frame)
        cursor.execute(
            sql.SQL(
                "CREATE TEMP TABLE mqlml_incoming ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0"
            ).format(listed, name)
        )
        with cursor.copy(sql.SQL("COPY mqlml_incoming ({}) FROM STDIN").format(listed)) as copy:
            for row in _rows(frame):
                copy.write_row(row)
        cursor.execute(_upsert_statement(name, listed, columns))


def _add_later_columns(cursor: "Cursor[Any]", name: "Identifier", frame: pd.DataFrame) -> None:
    """Give a table of an earlier mqlml the columns that scores have got since."""
    from psycopg import sql

    cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(name))
    there = {column.name for column in cursor.description or ()}
    for column in LATER_COLUMNS:
        if column in frame.columns and column not in there:
            kind = sql.SQL(_type_of(frame[column]))
            add = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
            cursor.execute(add.format(name, sql.Identifier(column), kind))


def _create_statement(name: "Identifier", frame: pd.DataFrame) -> "Composed":
    from psycopg import sql

    parts = [
        sql.SQL("{} {}").format(sql.Identifier(str(column)), sql.SQL(_type_of(frame[column])))
        for column in frame.columns
    ]
    key = sql.SQL(", ").join(map(sql.Identifier, KEY))
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))").format(
        name, sql.SQL(", ").join(parts), key
    )


def _upsert_statement(name: "Identifier", listed: "Composed", columns: list[str]) -> "Composed":
    from psycopg import sql

    changes = [
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column))
        for column in columns
        if column not in KEY
    ]
    action = sql.SQL("UPDATE SET ") + sql.SQL(", ").join(changes) if changes else sql.SQL("NOTHING")
    return (
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM mqlml_incoming ON CONFLICT ({}) DO ").format(
            name, listed, listed, sql.SQL(", ").join(map(sql.Identifier, KEY))
        )
        + action
    )


def _type_of(values: pd.Series) -> str:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return "timestamptz"
    if pd.api.types.is_bool_dtype(values.dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "bigint"
    if pd.api.types.is_float_dtype(values.dtype):
        return "double precision"
    return "text"


def _rows(frame: pd.DataFrame) -> Iterable[tuple[object, ...]]:
    plain = [values.astype(object).where(values.notna(), None) for _, values in frame.items()]
    return zip(*plain, strict=True)


def _fault(error: "Error", where: str) -> Fault:
    # Only the server's first line: its details may quote rows, and rows hold leads.
    if error.diag.message_primary is None:
        return Fault(
            "the PostgreSQL server cannot be reached",
            where=where,
            found=type(error).__name__,
            mend="check that the server runs and that address, user and password are right",
        )
    return Fault(
        "PostgreSQL refuses the scores",
        where=where,
        found=error.diag.message_primary,
        mend=_mend(error.sqlstate or ""),
    )


def _mend(state: str) -> str:
    known = {
        "42703": "the table lacks a column: name another table, or add the column",
        "42P10": "the table has no key (lead_id, as_of): add it, or name another table",
        "42501": "grant this user the right to create and write the table",
        "3F000": "create the schema first",
    }
    return known.get(state, "check the table's columns and this user's rights")
