"""Tables of a database or of a lake of files, opened by one block of the config."""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import duckdb

from mqlml.errors import ConfigError, DataError, Fault, MissingExtraError, nearest
from mqlml.sources.database import PostgresTables
from mqlml.sources.settings import Warehouse
from mqlml.sources.since import Since, since_sql
from mqlml.sources.sqlite_tables import SqliteTables
from mqlml.sources.staging import StagedFile, unique_names
from mqlml.tables.sql import literal, quoted

# What DuckDB must load to read each kind, beside what is built into it.
_EXTENSIONS = {"mysql": "mysql", "delta": "delta", "iceberg": "iceberg"}
_NESTED = re.compile(r"^(STRUCT|MAP|UNION)\(|\[\d*\]$")
_SCANS = {"delta": "delta_scan", "iceberg": "iceberg_scan"}
_REMOTE = re.compile(r"^(s3|s3a|gs|gcs|r2|https?|az|abfss)://")


class Tables(Protocol):
    """The tables of one warehouse."""

    def names(self, schema: str | None) -> list[str]:
        """Return the names of a schema's tables, sorted."""
        ...

    def latest(self, table: str, column: str) -> str | None:
        """Return the largest value of a column as text; None without one."""
        ...

    def stage(
        self, table: str, target: Path, *, since: Since | None, wanted: Collection[str]
    ) -> StagedFile:
        """Return the rows as text, staged in `target`, in the order of their text."""
        ...


def open_warehouse(
    name: str, settings: Mapping[str, Warehouse], secrets: Mapping[str, str], data_dir: Path
) -> Tables:
    """Return the tables of the warehouse that the config calls `name`.

    `secrets` is keyed by the variables that the config names. Raises ConfigError
    for an unknown name or a variable that is not set, MissingExtraError for what
    is not installed, DataError if it cannot be opened.
    """
    where = f"sources.warehouse.{name}"
    if name not in settings:
        raise ConfigError(Fault("no such warehouse", where, "", nearest(name, list(settings))))
    one = settings[name]
    if one.kind == "postgres":
        return PostgresTables(one.url_env or "", secrets)
    path = _place(one, data_dir)
    if one.kind == "sqlite":
        return SqliteTables(Path(path), one.path or "")
    return DuckTables(name, one, path, secrets)


def _place(one: Warehouse, data_dir: Path) -> str:
    path = one.path or ""
    return path if not path or _REMOTE.match(path) else str(data_dir / path)


class DuckTables:
    """What DuckDB reads: its own files, MySQL, and folders of Parquet, Delta or Iceberg."""

    def __init__(
        self, name: str, settings: Warehouse, path: str, secrets: Mapping[str, str]
    ) -> None:
        self._where = f"sources.warehouse.{name}"
        self._kind, self._path, self._settings = settings.kind, path, settings
        self._secrets = secrets
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET memory_limit = '1GB'")
        # Nothing is fetched from the network that nobody asked for.
        self._connection.execute("SET autoinstall_known_extensions = false")
        self._open()

    def names(self, schema: str | None) -> list[str]:
        """Return the names of a schema's tables, sorted."""
        if self._kind in {"duckdb", "mysql"}:
            chosen = f" AND table_schema = {literal(schema)}" if schema else ""
            query = (
                "SELECT table_name FROM information_schema.tables"
                f" WHERE table_catalog = 'w'{chosen} ORDER BY table_name"
            )
            return [row[0] for row in self._rows(query, schema or "")]
        return self._folders(schema)

    def latest(self, table: str, column: str) -> str | None:
        """Return the largest value of a column as text; None without one."""
        query = f"SELECT CAST(max({quoted(column)}) AS VARCHAR) FROM {self._relation(table)}"
        ((value,),) = self._rows(query, table)
        return value

    def stage(
        self, table: str, target: Path, *, since: Since | None, wanted: Collection[str]
    ) -> StagedFile:
        """Return the rows as text, staged in `target`; nested values become JSON text."""
        del wanted  # an absent column is found when the staged columns are checked
        relation = self._relation(table)
        described = self._rows(f"DESCRIBE SELECT * FROM {relation}", table)
        columns, remarks = unique_names([row[0] for row in described])
        texts = ", ".join(
            f"{_text(row[0], row[1])} AS {quoted(new)}"
            for row, new in zip(described, columns, strict=True)
        )
        condition = "" if since is None else f" WHERE {since_sql(since)}"
        rows = self._write(f"SELECT {texts} FROM {relation}{condition}", target, table)
        return StagedFile(table, target, columns, rows, remarks)

    def _write(self, query: str, target: Path, table: str) -> int:
        target.mkdir(parents=True, exist_ok=True)
        path = literal(str(target / "part-000000.parquet"))
        try:
            ((rows,),) = self._connection.execute(
                f"COPY ({numbered(query)}) TO {path} (FORMAT parquet)"
            ).fetchall()
        except duckdb.Error as error:
            raise self._fault(error, table) from None
        return int(rows)

    def _open(self) -> None:
        for extension in self._extensions():
            try:
                self._connection.execute(f"LOAD {extension}")
            except duckdb.Error:
                install = f"import duckdb; duckdb.sql('INSTALL {extension}')"
                mend = f'once, with a network: python -c "{install}"'
                what = f"DuckDB's extension {extension!r} is not installed"
                raise MissingExtraError(Fault(what, self._where, "", mend)) from None
        if _REMOTE.match(self._path):
            self._connection.execute(self._secret())
        if self._kind in {"duckdb", "mysql"}:
            self._attach()

    def _extensions(self) -> list[str]:
        needed = [_EXTENSIONS[self._kind]] if self._kind in _EXTENSIONS else []
        return [*needed, "httpfs"] if _REMOTE.match(self._path) else needed

    def _attach(self) -> None:
        source = self._path
        if self._kind == "mysql":
            source = self._secret_value(self._settings.url_env or "")
        elif not Path(source).is_file():
            mend = "check the path and --data"
            raise DataError(Fault("no such file", self._where, self._path, mend))
        kind = ", TYPE mysql" if self._kind == "mysql" else ""
        try:
            self._connection.execute(f"ATTACH {literal(source)} AS w (READ_ONLY{kind})")
        except duckdb.Error as error:
            raise self._fault(error, "") from None

    def _secret(self) -> str:
        one = self._settings
        given = {"KEY_ID": one.key_env, "SECRET": one.secret_env}
        parts = [f"{n} {literal(self._secret_value(v))}" for n, v in given.items() if v]
        parts += [f"REGION {literal(one.region)}"] if one.region else []
        parts += [f"ENDPOINT {literal(one.endpoint)}"] if one.endpoint else []
        return f"CREATE SECRET store (TYPE s3{''.join(', ' + part for part in parts)})"

    def _secret_value(self, variable: str) -> str:
        value = self._secrets.get(variable)
        if not value:
            mend = f"set it before the command: export {variable}=…"
            what = f"environment variable {variable} is not set"
            raise ConfigError(Fault(what, self._where, "", mend))
        return value

    def _relation(self, table: str) -> str:
        if self._kind in {"duckdb", "mysql"}:
            return ".".join(["w", *map(quoted, table.split("."))])
        base = f"{self._path.rstrip('/')}/{table.replace('.', '/')}"
        if self._kind in _SCANS:
            return f"{_SCANS[self._kind]}({literal(base)})"
        single = f"{base}.parquet"
        found = single if self._glob(single) else f"{base}/**/*.parquet"
        return f"read_parquet({literal(found)}, union_by_name = true)"

    def _folders(self, schema: str | None) -> list[str]:
        base = "/".join([self._path.rstrip("/"), *(schema or "").split(".")]).rstrip("/")
        if self._kind in _SCANS:
            if _REMOTE.match(base):
                mend = "name its tables one by one under sources, or copy it to a disk"
                raise ConfigError(Fault("tables there cannot be listed", self._where, "", mend))
            folder = Path(base)
            return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        inner = (path.removeprefix(base).strip("/") for path in self._glob(f"{base}/**/*.parquet"))
        return sorted({path.split("/")[0].removesuffix(".parquet") for path in inner})

    def _glob(self, pattern: str) -> list[str]:
        return [row[0] for row in self._rows(f"SELECT file FROM glob({literal(pattern)})", pattern)]

    def _rows(self, query: str, table: str) -> list[tuple[str, ...]]:
        try:
            found: list[tuple[str, ...]] = self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise self._fault(error, table) from None
        return found

    def _fault(self, error: duckdb.Error, table: str) -> DataError:
        found = str(error).splitlines()[0]
        for secret in self._secrets.values():
            found = found.replace(secret, "…")
        what = f"table {table} cannot be read" if table else "cannot be opened"
        return DataError(Fault(what, self._where, found[:200], "check the name, and the rights"))

    def __del__(self) -> None:
        with suppress(AttributeError):
            self._connection.close()


def numbered(query: str) -> str:
    """Return a query of texts as one of staged rows, numbered in the order of their text."""
    number = "CAST(row_number() OVER () AS BIGINT)"
    head = f"{number} AS __row, {number} AS __line, NULL::VARCHAR AS __broken"
    return f"SELECT {head}, NULL::VARCHAR AS __raw, * FROM (SELECT * FROM ({query}) ORDER BY ALL)"


def _text(column: str, kind: str) -> str:
    value = f"to_json({quoted(column)})" if _NESTED.search(kind) else quoted(column)
    return f"CAST({value} AS VARCHAR)"
