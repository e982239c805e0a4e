"""Tables of a PostgreSQL database, copied out once and then read like a CSV file."""

from collections.abc import Collection, Mapping
from pathlib import Path

from mqlml.errors import ConfigError, DataError, Fault, MissingExtraError
from mqlml.sources.delimited import stage_delimited
from mqlml.sources.settings import PostgresTable
from mqlml.sources.staging import StagedFile


def stage_postgres(
    table: PostgresTable, secrets: Mapping[str, str], target: Path, *, wanted: Collection[str] = ()
) -> StagedFile:
    """Return the table's rows as text, staged in `target`; `secrets` is keyed by `url_env`.

    Rows come in the order of their text, since a database has none of its own.
    Raises MissingExtraError without psycopg, ConfigError without a URL, and
    DataError if the database cannot be reached or has no such table.
    """
    url = secrets.get(table.url_env)
    if not url:
        where = f"sources: postgres table {table.table}"
        mend = f"set {table.url_env}=postgresql://user:password@host:port/database"
        raise ConfigError(
            Fault(f"environment variable {table.url_env} is not set", where, "", mend)
        )
    target.mkdir(parents=True, exist_ok=True)
    copied = target / "copied.csv"
    _copy_out(table, url, copied)
    staged = target / "parts"
    try:
        return stage_delimited(copied, table.table, staged, wanted=wanted, delimiter=",")
    finally:
        copied.unlink()


def _copy_out(table: PostgresTable, url: str, path: Path) -> None:
    try:
        import psycopg
        from psycopg import sql
    except ImportError as error:
        mend = "pip install 'mqlml[postgres]'"
        raise MissingExtraError(Fault("psycopg is not installed", table.table, "", mend)) from error
    name = sql.Identifier(*table.table.split("."))
    query = sql.SQL(
        'COPY (SELECT * FROM {} AS t ORDER BY (t::text) COLLATE "C")'
        " TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
    ).format(name)
    try:
        with psycopg.connect(url) as connection, path.open("wb") as file:
            connection.execute("SET TIME ZONE 'UTC'")
            connection.execute("SET DateStyle = 'ISO'")
            with connection.cursor().copy(query) as copy:
                for block in copy:
                    file.write(block)
    except psycopg.Error as error:
        found = str(error).strip().split("\n")[0]
        mend = f"check {table.url_env} and the table's name"
        where = f"postgres table {table.table}"
        raise DataError(Fault("table cannot be read", where, found, mend)) from None
