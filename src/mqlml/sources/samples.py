"""A first look at a file: its columns, how full they are, and what their values look like."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from mqlml.errors import DataError, Fault, SchemaError

_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$|^\d{1,2}[./]\d{1,2}[./]\d{4}.*$"
_LARGE = 200_000


@dataclass(frozen=True)
class ColumnSample:
    """What one column of a file looks like; `values` holds its most frequent ones, first first."""

    name: str
    filled: int
    distinct: int
    numeric_share: float
    date_share: float
    values: tuple[str, ...]

    @property
    def is_date(self) -> bool:
        """Return whether nearly every filled value reads as a date or time."""
        return self.filled > 0 and self.date_share > 0.9


@dataclass(frozen=True)
class FileSample:
    """A file's first rows, at most 200,000, summed up by column."""

    path: Path
    rows: int
    delimiter: str | None
    columns: tuple[ColumnSample, ...]

    def column(self, name: str) -> ColumnSample | None:
        """Return the named column, or None."""
        return next((c for c in self.columns if c.name == name), None)

    def is_key(self, column: ColumnSample) -> bool:
        """Return whether the column names every row once."""
        return self.rows > 0 and column.filled == self.rows == column.distinct


def sample_file(path: Path) -> FileSample:
    """Return a look at a CSV, NDJSON or Parquet file; every value is taken as text.

    Raises DataError for a file that is missing, empty or cannot be read.
    """
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="check the path's spelling"))
    if path.stat().st_size == 0:
        raise DataError(Fault("the file is empty", str(path), "0 bytes", "export it again"))
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 1")
        try:
            return _summed_up(connection, path)
        except duckdb.Error as error:
            found = str(error).split("\n")[0]
            raise SchemaError(
                Fault("cannot be read as a table", str(path), found, "save as UTF-8 CSV")
            ) from error


def _summed_up(connection: duckdb.DuckDBPyConnection, path: Path) -> FileSample:
    reader, delimiter = _reader(connection, path)
    connection.execute(
        f"CREATE TABLE t AS SELECT * FROM {reader} LIMIT {_LARGE}",
        [str(path)],
    )
    rows = int(connection.execute("SELECT count(*) FROM t").fetchall()[0][0])
    names = [row[0] for row in connection.execute("DESCRIBE t").fetchall()]
    return FileSample(path, rows, delimiter, tuple(_column(connection, n) for n in names))


def _reader(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, str | None]:
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "read_parquet(?)", None
    if name.endswith((".ndjson", ".jsonl", ".json", ".ndjson.gz", ".jsonl.gz")):
        return "read_json(?, format='newline_delimited')", None
    sniffed = connection.execute("SELECT Delimiter FROM sniff_csv(?)", [str(path)]).fetchall()
    delimiter = str(sniffed[0][0])
    quoted = delimiter.replace("'", "''")
    options = f"header=true, all_varchar=true, delim='{quoted}', ignore_errors=true"
    return f"read_csv(?, {options})", delimiter


def _column(connection: duckdb.DuckDBPyConnection, name: str) -> ColumnSample:
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"nullif(trim({quoted}::VARCHAR), '')"
    filled, distinct, numeric, dates = connection.execute(
        f"""SELECT count({text}), count(DISTINCT {text}),
            count(try_cast({text} AS DOUBLE)), count(*) FILTER (regexp_matches({text}, ?))
            FROM t""",
        [_DATE],
    ).fetchall()[0]
    frequent = connection.execute(
        f"""SELECT {text} AS v FROM t WHERE v IS NOT NULL
            GROUP BY v ORDER BY count(*) DESC, v LIMIT 30""",
    ).fetchall()
    filled = int(filled)
    share = 1 / filled if filled else 0.0
    values = tuple(str(row[0]) for row in frequent)
    return ColumnSample(name, filled, int(distinct), numeric * share, dates * share, values)
