"""Raw rows on their way in: every value as text, with the line it came from, as Parquet parts.

A line that is no row (ragged, not JSON) is staged too, with its reason and its
text, so that every line of a file can be accounted for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_PART = 20_000
# Fewer bad bodies than this in a file of a webhook's say nothing about how it is written.
FEW_BODIES = 10
_HEAD = pa.schema(
    [
        ("__row", pa.int64()),
        ("__line", pa.int64()),
        ("__broken", pa.string()),
        ("__raw", pa.string()),
    ]
)


@dataclass(frozen=True)
class StagedFile:
    """One file's rows in `folder`; `columns` are unique whatever their case.

    `delimiter` is what separates the values of a CSV file, None for other formats. Of
    the `rows`, `made` are there because a row of the file became several.
    """

    name: str
    folder: Path
    columns: tuple[str, ...]
    rows: int
    remarks: tuple[str, ...] = ()
    delimiter: str | None = None
    made: int = 0

    @property
    def parts(self) -> str:
        """Return the glob of the Parquet parts."""
        return (self.folder / "*.parquet").as_posix()


def unique_names(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return usable column names and remarks on those that were changed.

    Names are trimmed; a nameless column is called `column_N`; a name that comes
    again, in whatever case, gets a number.

    >>> unique_names(["id", "Id", ""])[0]
    ('id', 'Id_2', 'column_3')
    """
    names: list[str] = []
    remarks = []
    taken: set[str] = set()
    for position, given in enumerate(header, start=1):
        name = base = given.strip() or f"column_{position}"
        number = 2
        while name.lower() in taken or name.startswith("__"):
            name, number = f"{base.lstrip('_')}_{number}", number + 1
        if name != given.strip() and given.strip():
            remarks.append(f"column {given.strip()!r} stands twice or is reserved; now {name!r}")
        taken.add(name.lower())
        names.append(name)
    return tuple(names), tuple(remarks)


def is_nameless(name: str) -> bool:
    """Return whether `unique_names` made up the name of a column without one."""
    return re.fullmatch(r"column_\d+", name) is not None


@dataclass
class PartWriter:
    """Collects rows and writes them as numbered Parquet parts; `rows` counts all of them."""

    folder: Path
    rows: int = 0
    broken: int = 0
    _parts: int = 0
    _lines: list[int] = field(default_factory=list)
    _cells: list[Sequence[str | None]] = field(default_factory=list)
    _faults: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, line: int, cells: Sequence[str | None]) -> None:
        """Take one row; its number is one more than the last."""
        self.rows += 1
        self._lines.append(line)
        self._cells.append(cells)

    def add_broken(self, line: int, reason: str, raw: str) -> None:
        """Take one line that is no row."""
        self._faults[len(self._lines)] = (reason, raw)
        self.broken += 1
        self.add(line, ())

    def add_block(self, first_line: int, block: Sequence[Sequence[str | None]]) -> None:
        """Take many rows that stand on lines of their own, one after the other."""
        self.rows += len(block)
        self._lines.extend(range(first_line, first_line + len(block)))
        self._cells.extend(block)

    @property
    def is_full(self) -> bool:
        """Return whether it is time to write a part."""
        return len(self._lines) >= ROWS_PER_PART

    def flush(self, columns: Sequence[str]) -> None:
        """Write what was collected as one part with `columns`."""
        if not self._lines and self._parts:
            return
        width = len(columns)
        nothing = (None,) * width
        for position, cells in enumerate(self._cells):
            if len(cells) != width:
                self._cells[position] = (*cells, *nothing[len(cells) :])
        by_column = list(zip(*self._cells, strict=True)) or [()] * width
        texts = (pa.array(values, pa.string()) for values in by_column)
        self._write(self._lines, self._faults, dict(zip(columns, texts, strict=True)))
        self._lines, self._cells, self._faults = [], [], {}

    def add_part(
        self,
        lines: Sequence[int],
        columns: Mapping[str, pa.Array],
        faults: Mapping[int, tuple[str, str]],
    ) -> None:
        """Write rows that come as whole columns of text as a part of their own.

        `lines` are the rows' lines; `faults` maps positions in them to the
        reason and the text of what is no row.
        """
        if lines:
            self.rows += len(lines)
            self.broken += len(faults)
            self._write(lines, faults, columns)

    def _write(
        self,
        lines: Sequence[int],
        faults: Mapping[int, tuple[str, str]],
        columns: Mapping[str, pa.Array],
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        count = len(lines)
        reasons: list[str | None] = [None] * count
        raw: list[str | None] = [None] * count
        for position, fault in faults.items():
            reasons[position], raw[position] = fault
        head = [
            pa.array(range(self.rows - count + 1, self.rows + 1), pa.int64()),
            pa.array(lines, pa.int64()),
            pa.array(reasons, pa.string()),
            pa.array(raw, pa.string()),
        ]
        schema = pa.schema([*_HEAD, *((name, pa.string()) for name in columns)])
        staged = pa.Table.from_arrays([*head, *columns.values()], schema=schema)
        path = self.folder / f"part-{self._parts:06}.parquet"
        # Written once and read once: no effort for size.
        pq.write_table(
            staged, path, compression="lz4", use_dictionary=False, write_statistics=False
        )
        self._parts += 1


def as_text(value: object) -> str | None:
    """Return a JSON value as the text it would have in a CSV file; null is None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
