"""A long result written part by part: finished parts survive a kill and are taken up again.

Beside the destination `NAME` stands `.NAME.unfinished`, with the parts that are done
and `progress.json`: the key of the work (a digest of all it is made from) and size
and SHA-256 of each part. The same work goes on from there; other work begins anew.
At the end the parts become the destination in one step: a folder of the parts as they
are, or, where the name has a suffix, one file with the rows in the order of their numbers.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import disk_faults, replace_file, replace_folder, sweep
from mqlml.storage.manifest import FileMark, mark_file
from mqlml.storage.part_order import ROW, in_order

_PROGRESS = "progress.json"
_HALF = ".half-"


@dataclass(frozen=True)
class PartFolder:
    """The parts of one result on their way to `target`; what is `finished` is never redone."""

    target: Path
    key: str
    finished: dict[str, FileMark] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """Return where the parts lie until all are there."""
        return self.target.with_name(f".{self.target.name}.unfinished")

    @property
    def scratch(self) -> Path:
        """Return where whoever makes the parts may put files of its own."""
        return self.folder

    @property
    def row_column(self) -> str | None:
        """Return the column for the number of each row; rows of a folder need none."""
        return ROW if self.target.suffix else None

    def leads_of(self, name: str) -> pa.ChunkedArray | None:
        """Return the leads that a finished part has rows of; None if it is not finished."""
        if name not in self.finished:
            return None
        with pq.ParquetFile(self.folder / f"{name}.parquet") as part:
            return part.read(["lead_id"])["lead_id"].unique()

    def write(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Write the tables, at least one, as a part: a row group each; whole or not at all.

        Raises DataError if the disk is full or cannot be written.
        """
        path = self.folder / f"{name}.parquet"
        half = path.with_suffix(".half")
        with disk_faults(self.target):
            _write_parquet(half, tables)
            mark = mark_file(half)
            half.rename(path)
            with self._lock:
                self.finished[name] = mark
                self._note()

    def _note(self) -> None:
        parts = {name: asdict(mark) for name, mark in sorted(self.finished.items())}
        document = {"key": self.key, "parts": parts}
        replace_file(self.folder / _PROGRESS, json.dumps(document).encode())

    def finish(self) -> None:
        """Make the parts the destination: a folder of them, or one file if it has a suffix."""
        with disk_faults(self.target):
            names = sorted(self.finished)
            if self.target.suffix:
                self._join(names)
            else:
                with replace_folder(self.target) as fresh:
                    for name in names:
                        (self.folder / f"{name}.parquet").rename(fresh / f"{name}.parquet")
            shutil.rmtree(self.folder)

    def _join(self, names: list[str]) -> None:
        whole = self.folder / "whole.half"
        paths = [self.folder / f"{name}.parquet" for name in names]
        _write_parquet(whole, in_order(paths, self.folder))
        os.replace(whole, self.target)  # noqa: PTH105 - the atomic rename is the point


def write_part(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write the tables, at least one, to `path`: whole or not at all, by however many at once.

    Raises DataError if the disk is full or cannot be written.
    """
    with disk_faults(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=_HALF) as own:
        half = Path(own) / path.name
        _write_parquet(half, tables)
        half.rename(path)


def sweep_parts(folder: Path) -> None:
    """Remove what `write_part` left of parts whose process was killed."""
    for left in folder.glob(f"{_HALF}*"):
        shutil.rmtree(left, ignore_errors=True)


def open_parts(target: Path, key: str) -> PartFolder:
    """Return the parts of the work `key` on their way to `target`, with those already finished.

    Call it while holding a lock on the work. What other work left there is removed.

    Raises:
        DataError: `target` is a folder that holds other things, or cannot be written.
    """
    _refuse_foreign(target)
    with disk_faults(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, of=target.name)
        parts = PartFolder(target, key)
        parts.finished.update(_finished(parts.folder, key))
        if not parts.finished:
            shutil.rmtree(parts.folder, ignore_errors=True)
        parts.folder.mkdir(exist_ok=True)
        for path in parts.folder.glob("*.half"):
            path.unlink()
    return parts


def _finished(folder: Path, key: str) -> dict[str, FileMark]:
    try:
        document = json.loads((folder / _PROGRESS).read_bytes())
        marks = {name: FileMark(**mark) for name, mark in document["parts"].items()}
        is_same = document["key"] == key
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    if not is_same:
        return {}
    return {name: mark for name, mark in marks.items() if _is_sound(folder, name, mark)}


def _is_sound(folder: Path, name: str, mark: FileMark) -> bool:
    path = folder / f"{name}.parquet"
    return path.is_file() and path.stat().st_size == mark.size and mark_file(path) == mark


def _refuse_foreign(target: Path) -> None:
    if target.is_dir():
        others = [p.name for p in sorted(target.iterdir()) if p.suffix != ".parquet"]
        if others or target.suffix:
            found = f"a folder with {others[0]!r}" if others else "a folder"
            mend = "name a file ending in .parquet, or a folder of its own"
            raise DataError(Fault("would replace what is not its own", str(target), found, mend))
    elif target.exists() and not target.suffix:
        mend = "name a file ending in .parquet, or remove the file"
        raise DataError(Fault("would replace a file by a folder", str(target), mend=mend))


def _write_parquet(path: Path, tables: Iterable[pa.Table]) -> None:
    rest = iter(tables)
    first = next(rest)
    texts = [f.name for f in first.schema if pa.types.is_string(f.type)]
    with path.open("wb") as file:
        # Numbers plain: a dictionary of them costs time and room.
        with pq.ParquetWriter(
            file, first.schema, compression="zstd", use_dictionary=texts
        ) as writer:
            writer.write_table(first)
            del first
            for table in rest:
                writer.write_table(table)
                del table  # or it would be held while the next one is made
        file.flush()
        os.fsync(file.fileno())
