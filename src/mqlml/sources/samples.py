"""A first look at a file: its columns, how full they are, and what their values look like."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mqlml.errors import DataError, Fault
from mqlml.sources.door import stage_file
from mqlml.sources.settings import TableSource
from mqlml.sources.staging import StagedFile
from mqlml.tables.sql import literal, only_row, quoted

_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$|^\d{1,2}[./]\d{1,2}[./]\d{4}.*$"
_LARGE = 200_000
_NEARLY = 0.9


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

    def is_nearly_key(self, column: ColumnSample) -> bool:
        """Return whether the column names nearly every row, nearly always once."""
        filled, distinct = column.filled, column.distinct
        return filled >= _NEARLY * self.rows > 0 and distinct >= _NEARLY * filled


def sample_file(path: Path) -> FileSample:
    """Return a look at a CSV, NDJSON or Parquet file through the door that will read it.

    Every value is taken as text; rows that are broken are left out, as they will
    be quarantined. Raises ConfigError, SchemaError or DataError for a file that
    is missing, empty or cannot be read.
    """
    if path.is_dir():
        raise DataError(Fault("is a folder, not a file", str(path), mend="name the files in it"))
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 1")
        target = Path(folder) / "staged"
        source = TableSource(file=str(path))
        staged = stage_file(connection, path, name=str(path), target=target, source=source)
        if staged.rows == 0:
            mend = "export it again, or leave it out"
            raise DataError(Fault("file has a header and no rows", str(path), mend=mend))
        return _summed_up(connection, path, staged)


def _summed_up(connection: duckdb.DuckDBPyConnection, path: Path, staged: StagedFile) -> FileSample:
    columns = ", ".join(map(quoted, staged.columns))
    rows = f"read_parquet({literal(staged.parts)}, union_by_name = true)"
    sound = f"SELECT {columns} FROM {rows} WHERE __broken IS NULL LIMIT {_LARGE}"
    connection.execute(f"CREATE TABLE t AS {sound}")
    (count,) = only_row(connection, "SELECT count(*) FROM t")
    sampled = tuple(_column(connection, name) for name in staged.columns)
    return FileSample(path, int(count), staged.delimiter, sampled)


def _column(connection: duckdb.DuckDBPyConnection, name: str) -> ColumnSample:
    text = f"nullif(trim({quoted(name)}), '')"
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
