"""The Parquet files of each bucket of the event log, read a row group at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.features.event_files import event_buckets
from mqlml.tables.contracts import EVENTS, Column, ColumnType, EventLog

_MEND = "run 'mqlml ingest', which rebuilds it from the sources"


@dataclass(frozen=True)
class BucketFiles:
    """The files of one bucket, and which of their columns are needed, texts coded."""

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    rows: int

    def pieces(self) -> Iterator[pa.Table]:
        """Yield the needed columns of the bucket's events, a row group at a time.

        Raises:
            DataError: a file is cut or altered, or lacks a column; it is named.
        """
        for file in self.files:
            yield from self._pieces(file, self.columns)

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return `columns` of all the bucket's events at once, the needed ones if none is named."""
        names = tuple(columns or self.columns)
        parts = [piece for file in self.files for piece in self._pieces(file, names)]
        whole = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
        # What one file says of its rows need not hold for the rows of several.
        return whole if len(self.files) == 1 else whole.replace_schema_metadata()

    def _pieces(self, file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
        texts = [name for name in self.texts if name in columns]
        try:
            with _opened(file, texts) as parquet:
                _refuse_missing(file, parquet.schema_arrow.names, columns)
                for group in range(parquet.metadata.num_row_groups):
                    # Not under a name, or it would be held while the next one is read.
                    yield _row_group(parquet, group, columns, is_marked=len(self.files) == 1)
                if parquet.metadata.num_row_groups == 0:
                    yield parquet.schema_arrow.empty_table().select(list(columns))
        except (OSError, pa.ArrowException) as error:
            raise DataError(_damaged(file, error)) from error


def bucket_files(log: EventLog, needed: Sequence[str]) -> list[BucketFiles]:
    """Return the buckets of the log with the columns to read; DataError naming damaged files."""
    texts = {c.name for c in event_columns(log) if c.type is ColumnType.TEXT} - {"event_id"}
    coded = tuple(name for name in needed if name in texts)
    buckets, faults = [], []
    for files in event_buckets(log):
        rows = 0
        for file in files:
            try:
                rows += pq.read_metadata(file).num_rows
            except (OSError, pa.ArrowException) as error:
                faults.append(_damaged(file, error))
        buckets.append(BucketFiles(tuple(files), tuple(needed), coded, rows))
    if faults:
        raise DataError(*faults)
    return buckets


def event_columns(log: EventLog) -> tuple[Column, ...]:
    """Return the columns that the log's events have."""
    return (*EVENTS.columns, *log.properties)


def _opened(file: Path, texts: Sequence[str]) -> pq.ParquetFile:
    return pq.ParquetFile(file, read_dictionary=list(texts), page_checksum_verification=True)


def _row_group(
    parquet: pq.ParquetFile, group: int, columns: Sequence[str], *, is_marked: bool
) -> pa.Table:
    piece = parquet.read_row_group(group, list(columns), use_threads=False)
    return piece if is_marked else piece.replace_schema_metadata()


def _refuse_missing(file: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        what = f"file of events has no column {', '.join(missing)}"
        raise DataError(Fault(what, str(file), mend=_MEND))


def _damaged(file: Path, error: Exception) -> Fault:
    found = str(error).split("\n", maxsplit=1)[0]
    return Fault("file of events is cut or altered", str(file), found, _MEND)
