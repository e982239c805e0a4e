"""Parquet files: every value as the text it would have in a CSV file."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.sources.staging import StagedFile, unique_names
from mqlml.tables.sql import literal, quoted


def stage_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, target: Path
) -> StagedFile:
    """Return the file's rows as text, staged in `target`; times are written in UTC.

    Lists and structures become JSON text.
    """
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        mend = "copy or export the file again"
        raise DataError(Fault("not a sound Parquet file", name, mend=mend)) from error
    schema = metadata.schema.to_arrow_schema()
    given = schema.names
    columns, remarks = unique_names(given)
    target.mkdir(parents=True, exist_ok=True)
    chosen = ", ".join(
        f"{_text(quoted(old), kind)} AS {quoted(new)}"
        for old, new, kind in zip(_as_duckdb_names(given), columns, schema.types, strict=True)
    )
    number = "CAST(file_row_number + 1 AS BIGINT)"
    head = f"{number} AS __row, {number} AS __line, NULL::VARCHAR AS __broken"
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    connection.execute(
        f"COPY (SELECT {head}, NULL::VARCHAR AS __raw, {chosen} FROM {source})"
        f" TO {literal(str(target / 'part-000000.parquet'))} (FORMAT parquet)"
    )
    return StagedFile(name, target, columns, metadata.num_rows, remarks)


def _text(column: str, kind: pa.DataType) -> str:
    is_nested = pa.types.is_nested(kind)
    return f"CAST({f'to_json({column})' if is_nested else column} AS VARCHAR)"


def _as_duckdb_names(names: list[str]) -> list[str]:
    """Return the names as DuckDB reads them: repeated ones, in whatever case, get a number."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        new, number = name, 1
        while new.lower() in taken:
            new, number = f"{name}_{number}", number + 1
        taken.add(new.lower())
        found.append(new)
    return found
