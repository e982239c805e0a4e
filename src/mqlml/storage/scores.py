"""Scores on disk: one Parquet file per scoring run, and a CSV beside it for people.

The Parquet file is the record that trends and monitoring read; its text is as
it came. The CSV is an export: text that a spreadsheet would run as a formula is
made harmless there. What was given is never lost: a run that says something else
of the same moment moves the earlier file into `superseded`, named by its digest.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import replace_file
from mqlml.storage.stamps import STAMP_PATTERN, stamp, unstamp
from mqlml.timeline import is_seen

ScoreFormat = Literal["parquet", "csv"]

_FILE = re.compile(rf"^(?P<name>.+)-(?P<stamp>{STAMP_PATTERN})\.parquet$")
_SUPERSEDED = "superseded"
SHOWN_DIGEST = 12
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ScoreFile:
    """Where the scores of one run belong: the folder, the model's name, when, and which leads.

    `part` names a run over some leads only; it has a file of its own, which is no record
    of what all leads had, so `read_scores` and trends pass it over.
    """

    folder: Path
    name: str
    as_of: int
    part: str = ""

    @property
    def path(self) -> Path:
        """Return the Parquet file of the latest run."""
        ending = f"-{self.part}" if self.part else ""
        stem = f"{quote(self.name, safe=' ')}-{stamp(self.as_of)}{ending}"
        return self.folder / f"{stem}.parquet"

    def kept(self, digest: str) -> Path:
        """Return the file that holds the scores with this digest, superseded or not."""
        superseded = self._superseded(digest)
        return superseded if superseded.exists() else self.path

    def _superseded(self, digest: str) -> Path:
        return self.folder / _SUPERSEDED / f"{self.path.stem}-{digest[:SHOWN_DIGEST]}.parquet"

    def write(self, data: bytes) -> None:
        """Make `data` the scores of the latest run; other scores of the moment move aside.

        The same bytes change nothing.
        """
        if self.path.exists():
            before = self.path.read_bytes()
            if before == data:
                return
            # Copied first: killed in between, the earlier scores are there twice, never gone.
            replace_file(self._superseded(scores_digest(before)), before)
        replace_file(self.path, data)

    def restore(self, data: bytes, *, is_latest: bool) -> None:
        """Put scores that were given back where they lay."""
        replace_file(self.path if is_latest else self._superseded(scores_digest(data)), data)


def superseded_scores(folder: Path) -> Path:
    """Return where scores lie that were given and replaced."""
    return folder / _SUPERSEDED


def scores_digest(data: bytes) -> str:
    """Return the SHA-256 of a score file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def exported(record: Path, frame: pd.DataFrame, format: ScoreFormat) -> Path:  # noqa: A002
    """Return the file that people asked for: the record, or a CSV of it beside it.

    A CSV that is there already follows its record.
    """
    target = record.with_suffix(".csv")
    if format == "csv" or target.exists():
        replace_file(target, csv_bytes(frame))
    return target if format == "csv" else record


def read_scores(
    folder: Path, *, before: int | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the scores of all runs (of runs strictly before `before`), oldest run first.

    Without any run the frame is empty and has no columns.

    Raises:
        DataError: A score file cannot be read.
    """
    frames = [read_score_file(path, columns) for path in _records(folder, before)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def last_scores(
    files: Sequence[Path], *, columns: Sequence[str] | None = None
) -> pd.DataFrame | None:
    """Return each lead's row of the latest of `files`, oldest first, by lead_id; or None.

    Raises:
        DataError: A score file cannot be read.
    """
    kept: list[pd.DataFrame] = []
    seen = pd.Index([], dtype="str")
    for path in reversed(files):
        frame = read_score_file(path, columns)
        fresh = frame[~frame["lead_id"].isin(seen)]
        seen = seen.append(pd.Index(fresh["lead_id"]))
        kept.append(fresh)
    if not kept:
        return None
    return pd.concat(kept, ignore_index=True).sort_values("lead_id", ignore_index=True)


def check_scores(folder: Path) -> int:
    """Return how many score files there are; their ends are read, not their rows.

    Raises:
        DataError: Naming every score file that cannot be read.
    """
    records = _records(folder, None)
    faults = []
    for path in records:
        try:
            pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            faults.append(_unreadable(path, error))
    if faults:
        raise DataError(*faults)
    return len(records)


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as one Parquet file; equal frames give equal bytes."""
    buffer = BytesIO()
    table = pa.table({str(name): _arrow(values) for name, values in frame.items()})
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _arrow(values: pd.Series) -> pa.Array:
    # Column by column, because pyarrow's own way from pandas warns about time zones.
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(
            values.dt.tz_convert(None).to_numpy("datetime64[us]"), pa.timestamp("us")
        ).cast(pa.timestamp("us", "UTC"))
    if pd.api.types.is_numeric_dtype(values.dtype):
        return pa.array(values.to_numpy())
    return pa.array(values.astype(object).where(values.notna(), None).to_list(), pa.string())


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as UTF-8 CSV whose text no spreadsheet takes for a formula.

    A text that starts with `=`, `+`, `-`, `@`, tab or return gets an apostrophe
    in front. Times are written as `2026-03-02T00:00:00Z`, missing as nothing.
    """
    export = frame.copy()
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            export[column] = values.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").str.replace(
                ".000000Z", "Z"
            )
        elif not pd.api.types.is_numeric_dtype(values.dtype):
            export[column] = values.map(_harmless, na_action="ignore")
    return export.to_csv(index=False, lineterminator="\n").encode()


def _harmless(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    # A lone return is left unquoted by the CSV writer, and readers end the row there.
    return shown.replace("\r\n", "\n").replace("\r", "\n")


def _records(folder: Path, before: int | None) -> list[Path]:
    found: list[tuple[int, str, Path]] = []
    for path in folder.glob("*.parquet"):
        match = _FILE.match(path.name)
        if match is None:
            continue
        as_of = unstamp(match["stamp"])
        if before is None or is_seen(as_of, before):
            found.append((as_of, match["name"], path))
    return [path for _, _, path in sorted(found)]


def read_score_file(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the scores of one run; DataError if the file cannot be read."""
    try:
        # Bytes first: pyarrow's own file reader would take `-` and `=` in names for partitions.
        table = pq.read_table(
            BytesIO(path.read_bytes()), columns=None if columns is None else [*columns]
        )
    except (OSError, pa.ArrowException) as error:
        raise DataError(_unreadable(path, error)) from error
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _unreadable(path: Path, error: Exception) -> Fault:
    return Fault(
        "the score file cannot be read",
        where=str(path),
        found=type(error).__name__,
        mend="delete it and score again with the same --as-of",
    )
