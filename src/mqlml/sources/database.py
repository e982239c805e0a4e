"""Tables of a PostgreSQL database, copied out once and then read like a CSV file."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml.errors import ConfigError, DataError, Fault, MissingExtraError
from mqlml.sources.delimited import stage_delimited
from mqlml.sources.settings import PostgresTable
from mqlml.sources.staging import StagedFile

if TYPE_CHECKING:
    from mqlml.sources.since import Since


def stage_postgres(
    table: PostgresTable, secrets: Mapping[str, str], target: Path, *, wanted: Collection[str] = ()
) -> StagedFile:
    """Return the table's rows as text, staged in `target`; `secrets` is keyed by `url_env`.

    Rows come in the order of their text, since a database has none of its own.
    Raises MissingExtraError without psycopg, ConfigError without a URL, and
    DataError if the database cannot be reached or has no such table.
    """
    tables = PostgresTables(table.url_env, secrets)
    return tables.stage(table.table, target, since=None, wanted=wanted)


class PostgresTables:
    """The tables of the database whose URL stands in the variable `url_env`."""

    def __init__(self, url_env: str, secrets: Mapping[str, str]) -> None:
        self._url_env, self._secrets = url_env, secrets

    def names(self, schema: str | None) -> list[str]:
        """Return the names of a schema's tables and views, sorted; by default of `public`."""
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        rows = self._rows(query + ' ORDER BY table_name COLLATE "C"', schema or "public")
        return [str(row[0]) for row in rows]

    def latest(self, table: str, column: str) -> str | None:
        """Return the largest value of a column as text; None without one."""
        self._url(table)
        sql = _sql(table)
        query = sql.SQL("SELECT max({})::text FROM {}").format(
            sql.Identifier(column), sql.Identifier(*table.split("."))
        )
        ((value,),) = self._rows(query, table, ())
        return value if value is None else str(value)

    def stage(
        self, table: str, target: Path, *, since: "Since | None", wanted: Collection[str]
    ) -> StagedFile:
        """Return the rows as text, staged in `target`, in the order of their text."""
        self._url(table)
        target.mkdir(parents=True, exist_ok=True)
        copied = target / "copied.csv"
        self._copy_out(table, copied, since)
        staged = target / "parts"
        try:
            return stage_delimited(copied, table, staged, wanted=wanted, delimiter=",")
        finally:
            copied.unlink()

    def _copy_out(self, table: str, path: Path, since: "Since | None") -> None:
        sql = _sql(table)
        condition = sql.SQL("")
        if since is not None:
            condition = sql.SQL("WHERE t.{0} >= {1} OR t.{0} IS NULL ").format(
                sql.Identifier(since.column), sql.Literal(since.value)
            )
        query = sql.SQL(
            'COPY (SELECT * FROM {} AS t {}ORDER BY (t::text) COLLATE "C")'
            " TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
        ).format(sql.Identifier(*table.split(".")), condition)
        import psycopg

        try:
            with (
                self._connect(table) as connection,
                path.open("wb") as file,
                connection.cursor().copy(query) as copy,
            ):
                for block in copy:
                    file.write(block)
        except psycopg.Error as error:
            raise self._fault(error, table) from None

    def _rows(self, query: Any, table: str, values: Any = None) -> list[tuple[Any, ...]]:
        _sql(table)
        import psycopg

        try:
            with self._connect(table) as connection:
                given = (table,) if values is None else values
                found: list[tuple[Any, ...]] = connection.execute(query, given or None).fetchall()
                return found
        except psycopg.Error as error:
            raise self._fault(error, table) from None

    def _connect(self, table: str) -> Any:
        import psycopg

        connection = psycopg.connect(self._url(table))
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET DateStyle = 'ISO'")
        return connection

    def _url(self, table: str) -> str:
        url = self._secrets.get(self._url_env)
        if url:
            return url
        where = f"sources: postgres table {table}"
        mend = f"set {self._url_env}=postgresql://user:password@host:port/database"
        what = f"environment variable {self._url_env} is not set"
        raise ConfigError(Fault(what, where, "", mend))

    def _fault(self, error: Exception, table: str) -> DataError:
        found = str(error).strip().split("\n")[0]
        mend = f"check {self._url_env} and the table's name"
        return DataError(Fault("table cannot be read", f"postgres table {table}", found, mend))


def _sql(table: str) -> Any:
    """Return psycopg's module of SQL parts; MissingExtraError without psycopg."""
    try:
        from psycopg import sql
    except ImportError as error:
        mend = "pip install 'mqlml[postgres]'"
        raise MissingExtraError(Fault("psycopg is not installed", table, "", mend)) from error
    return sql
