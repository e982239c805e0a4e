"""Where the files of an event log lie, in a fixed order."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from mqlml.tables.contracts import EventLog


def event_buckets(log: EventLog) -> list[list[Path]]:
    """Return the Parquet files of each bucket; a lead's events lie in one bucket only."""
    folders = sorted(log.folder.glob("bucket=*"), key=lambda f: (len(f.name), f.name))
    return [files for folder in folders if (files := sorted(folder.rglob("*.parquet")))]


def event_files(log: EventLog) -> list[Path]:
    """Return all Parquet files of the log."""
    return [file for files in event_buckets(log) for file in files]


def read_events(file: Path) -> pd.DataFrame:
    """Return the events of one file; text missing as NaN."""
    # Not read_table, which would make a column of the folder's name.
    with pq.ParquetFile(file) as parquet:
        frame: pd.DataFrame = parquet.read().to_pandas()
    return frame


def read_columns(file: Path, columns: Iterable[str]) -> pd.DataFrame:
    """Return some columns of the events of one file."""
    with pq.ParquetFile(file) as parquet:
        frame: pd.DataFrame = parquet.read(list(columns)).to_pandas()
    return frame
