"""CSV and its relatives: delimiter found, ragged rows kept whole, lines counted as editors do."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from mqlml.errors import ConfigError, DataError, Fault, MqlmlError, SchemaError, nearest
from mqlml.sources.spelling import lower_names, snake_names
from mqlml.sources.staging import ROWS_PER_PART, PartWriter, StagedFile, is_nameless, unique_names
from mqlml.sources.text_files import open_text

_DELIMITERS = (",", ";", "\t", "|")
_SPELLINGS = {"\\t": "\t", "tab": "\t"}
_SNIFFED_LINES = 100
_MANY = 1_000
_PIECE = 500


def stage_delimited(
    path: Path,
    name: str,
    target: Path,
    *,
    wanted: Collection[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    is_snake: bool = False,
) -> StagedFile:
    """Return the file's rows as text, staged in `target`; `is_snake` names in snake_case.

    Rows that have more or fewer values than the header are staged as broken;
    empty lines are no rows. Raises SchemaError if a `wanted` column is absent,
    naming the columns found and a likelier delimiter, or if most rows are broken.
    """
    with open_text(path, name, encoding) as text:
        likely = _likely_delimiter(text, wanted)
        used = delimiter_sign(delimiter or likely, name)
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=used, strict=True)
        header = _header(reader, name)
        columns, remarks = unique_names(snake_names(header) if is_snake else header)
        table = _Layout(name, columns, used, likely)
        check_columns(columns, wanted, name, table.hint)
        writer = PartWriter(target)
        _read_rows(lines, table, writer)
        if writer.broken * 2 > writer.rows:
            raise SchemaError(_mostly_broken(table, writer))
        writer.flush(columns)
    return StagedFile(name, target, columns, writer.rows, remarks, used)


def header_of(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns at a glance; none if there is no header to be read."""
    try:
        with open_text(path, path.name, None) as text:
            delimiter = _likely_delimiter(text, ())
            row = next(csv.reader(text, delimiter=delimiter, strict=True), [])
    except (MqlmlError, csv.Error, OSError):
        return ()
    return unique_names(row)[0]


def cells_of(path: Path, column: str) -> Iterator[str]:
    """Yield a column's values, to be looked at; nothing where they cannot be read."""
    try:
        with open_text(path, path.name, None) as text:
            sign = _likely_delimiter(text, ())
            reader = csv.reader(text, delimiter=sign, strict=True)
            place = unique_names(next(reader, []))[0].index(column)
            yield from (row[place].strip() for row in reader if len(row) > place)
    except (MqlmlError, csv.Error, OSError, ValueError):
        return


def delimiter_sign(text: str, where: str) -> str:
    r"""Return the one character that a declared delimiter means.

    >>> delimiter_sign("tab", "x.csv")
    '\t'
    """
    sign = _SPELLINGS.get(text, text)
    if len(sign) != 1 or sign in '"\r\n ':
        mend = "give one character such as ',', ';' or '|', or the word tab"
        raise ConfigError(Fault("not a delimiter", where, repr(text), mend))
    return sign


@dataclass(frozen=True)
class _Layout:
    """The columns of one file and what separates them."""

    name: str
    columns: tuple[str, ...]
    delimiter: str
    likely: str

    @property
    def hint(self) -> str:
        """Return how to mend a wrong delimiter; empty if it looks right."""
        if self.delimiter == self.likely:
            return ""
        right = "tab" if self.likely == "\t" else self.likely
        return (
            f"the file looks separated by {right!r}, not {self.delimiter!r}:"
            f" set 'delimiter: {right!r}'"
        )


class _Lines:
    """The physical lines of a file, with the number of the last and those of the open record."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._returned: list[str] = []
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else next(self._text)
        self.number += 1
        self.record.append(line)
        return line

    def take(self, count: int) -> list[str]:
        """Return the next lines, at most `count`."""
        taken = [self._returned.pop() for _ in range(min(count, len(self._returned)))]
        taken += islice(self._text, count - len(taken))
        self.number += len(taken)
        return taken

    def give_back(self, lines: list[str]) -> None:
        """Let `lines`, the last that were read, be read again."""
        self.number -= len(lines)
        self._returned.extend(reversed(lines))


def _read_rows(lines: _Lines, table: _Layout, writer: PartWriter) -> None:
    """Stage all rows: by whole blocks of lines where each line is a row, else row by row."""
    while block := lines.take(ROWS_PER_PART):
        start = lines.number - len(block) + 1
        rows = _one_per_line(block, table)
        if rows is not None:
            _add_rows(rows, start, block, table, writer)
        else:
            lines.give_back(block)
            _read_pieces(lines, table, writer, until=start + len(block) - 1)
        if writer.broken > _MANY and writer.broken * 2 > writer.rows:
            raise SchemaError(_mostly_broken(table, writer))
        if writer.is_full:
            writer.flush(table.columns)


def _read_pieces(lines: _Lines, table: _Layout, writer: PartWriter, *, until: int) -> None:
    """Stage a block by small pieces: only those with a stray quote or a long row go slowly."""
    while lines.number < until and (piece := lines.take(min(_PIECE, until - lines.number))):
        start = lines.number - len(piece) + 1
        rows = _one_per_line(piece, table)
        if rows is not None:
            _add_rows(rows, start, piece, table, writer)
        else:
            lines.give_back(piece)
            _read_row_by_row(lines, table, writer, until=start + len(piece) - 1)


def _one_per_line(block: list[str], table: _Layout) -> list[list[str]] | None:
    """Return the cells of each line, or None if some row does not stand on one line."""
    try:
        rows = list(csv.reader(block, delimiter=table.delimiter, strict=True))
    except csv.Error:
        return None
    # An empty line makes an empty row, so no row can hide behind another one's lines.
    return rows if len(rows) == len(block) else None


def _add_rows(
    rows: list[list[str]], start: int, block: list[str], table: _Layout, writer: PartWriter
) -> None:
    """Stage rows that stand on lines of their own: runs of whole rows at once."""
    width = len(table.columns)
    if width > 1:
        odd = [n for n, cells in enumerate(rows) if len(cells) != width]
    else:
        odd = [n for n, cells in enumerate(rows) if len(cells) != 1 or not cells[0].strip()]
    done = 0
    for position in odd:
        writer.add_block(start + done, rows[done:position])
        _add_row(rows[position], start + position, block[position : position + 1], table, writer)
        done = position + 1
    writer.add_block(start + done, rows[done:])


def _read_row_by_row(lines: _Lines, table: _Layout, writer: PartWriter, *, until: int) -> None:
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    while lines.number < until:
        lines.record = []
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A stray quote swallows the lines after it: only its own line is broken.
            first, *rest = lines.record
            lines.give_back(rest)
            writer.add_broken(start, f"not a CSV row: {error}", first.rstrip("\r\n"))
        else:
            _add_row(cells, start, lines.record, table, writer)


def _add_row(
    cells: list[str], start: int, record: list[str], table: _Layout, writer: PartWriter
) -> None:
    if len(cells) <= 1 and not any(cell.strip() for cell in cells):
        return
    width = len(table.columns)
    is_nameless_rest = all(is_nameless(column) for column in table.columns[len(cells) :])
    if len(cells) == width or (len(cells) < width and is_nameless_rest):
        writer.add(start, cells)
    elif len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        writer.add(start, cells[:width])
    else:
        reason = f"ragged row: {len(cells)} values where the header has {width}"
        writer.add_broken(start, reason, "".join(record).rstrip("\r\n"))


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        header = next((cells for cells in reader if any(c.strip() for c in cells)), None)
    except csv.Error as error:
        raise SchemaError(Fault("header is not a CSV row", f"{name}:1", str(error))) from error
    if header is None:
        raise DataError(Fault("file is empty", name, mend="export it again, with its header"))
    return header


def check_columns(
    columns: Collection[str], wanted: Collection[str], name: str, hint: str = ""
) -> None:
    """Raise one SchemaError with a fault for every wanted column that is not there, in any case."""
    absent = [column for column in wanted if column.lower() not in lower_names(columns)]
    if not absent:
        return
    shown = ", ".join(repr(column[:60]) for column in list(columns)[:12])
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    found = f"{len(columns)} columns: {shown}{more}"
    faults = []
    for column in absent:
        mend = hint or nearest(column, list(columns)) + " (correct it in the config's mapping)"
        faults.append(Fault(f"no column {column!r}", name, found, mend))
    raise SchemaError(*faults)


def _mostly_broken(table: _Layout, writer: PartWriter) -> Fault:
    found = f"{writer.broken} of {writer.rows} rows"
    mend = table.hint or "check the delimiter and the quotes, or export the file again"
    return Fault("most rows do not fit the header", table.name, found, mend)


def _likely_delimiter(text: TextIO, wanted: Collection[str]) -> str:
    """Return the delimiter whose header holds most wanted names, then the steadiest one."""
    lines = list(islice(text, _SNIFFED_LINES))
    text.seek(0)
    return max(_DELIMITERS, key=lambda d: (*_fit(lines, d, wanted), -_DELIMITERS.index(d)))


def _fit(lines: list[str], delimiter: str, wanted: Collection[str]) -> tuple[int, float, int]:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # judged by the rows before the fault
        rows.extend(row for row in csv.reader(lines, delimiter=delimiter) if row)
    if not rows:
        return (0, 0.0, 0)
    header = {cell.strip() for cell in rows[0]}
    width, rows_of_width = Counter(map(len, rows)).most_common(1)[0]
    steady = rows_of_width / len(rows) if width > 1 else 0.0
    return (len(header & set(wanted)), round(steady, 1), width)
