"""Many lines of JSON at once: cut by the kernel, and only what is odd read line by line.

What comes out is the same, byte for byte, as if every line had been read with care.
"""

import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mqlml.sources.json_objects import Objects, object_columns, read_objects

_CHARACTERS = 1 << 24
_WORTH_LOADING = 1 << 22
_WORTH_CUTTING = 1 << 15
_MOST_CHARACTERS = 1 << 26
_MOST_COLUMNS, _MOST_NEW = 300, 100
_KERNEL = "mqlml.sources.json_kernel"
_OPEN = ord("{")

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Rows of many lines: their lines' numbers, texts by column, and faults by place."""

    lines: Sequence[int]
    columns: dict[str, pa.Array]
    faults: dict[int, tuple[str, str]]


def blocks_of(text: TextIO) -> Iterator[str]:
    """Yield the text in blocks of whole lines."""
    while block := text.read(_CHARACTERS):
        yield block + text.readline()


def lines_of(block: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield the lines of a block as editors see them, with their numbers from `first` on."""
    return enumerate(io.StringIO(block, newline=""), start=first)


def line_count(block: str) -> int:
    """Return how many lines end in a block."""
    returns = block.count("\r")
    return block.count("\n") + (returns - block.count("\r\n") if returns else 0)


def is_worth_cutting(block: str) -> bool:
    """Return whether a block is large enough for the kernel, which takes a while to load."""
    least = _WORTH_CUTTING if _KERNEL in sys.modules else _WORTH_LOADING
    return least <= len(block) <= _MOST_CHARACTERS


def cut_block(block: str, first: int, names: dict[str, str], *, has_lists: bool) -> Block | None:
    """Return the rows of a block; None if a line, or too many of them, must be read with care.

    `first` is the number of the first line. Keys that come for the first time are added to
    `names`, in the order in which they are met. With `has_lists` each line must be an object
    with content, as it may be a list of them.
    """
    from mqlml.sources import json_kernel as kernel  # imported late: numba takes half a second

    data = np.frombuffer(block.encode(), np.uint8)
    starts, ends, places = kernel.split_lines(data)
    if has_lists and not np.all((data[starts] == _OPEN) & (ends - starts > 2)):
        return None
    cut = _Cut(kernel, data, starts, ends, first + places)
    return cut.rows(names) if cut.run(names) else None


@dataclass
class _Cells:
    """Of each key (first place) and line: kind, begin and end of the value."""

    kinds: Bytes
    begins: Ints
    ends: Ints

    @classmethod
    def empty(cls, keys: int, lines: int) -> "_Cells":
        shape = (keys, lines)
        return cls(np.zeros(shape, np.uint8), np.full(shape, -1), np.zeros(shape, np.int64))

    def grown(self, keys: int) -> "_Cells":
        """Return the cells with room for so many keys."""
        more = _Cells.empty(keys - len(self.kinds), self.kinds.shape[1])
        return _Cells(*(np.concatenate([a, b]) for a, b in zip(self, more, strict=True)))

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        return iter((self.kinds, self.begins, self.ends))


@dataclass
class _Cut:
    """A block on its way: what of it was cut, and the lines that were read with care."""

    kernel: Any
    data: Bytes
    starts: Ints
    ends: Ints
    lines: Ints
    statuses: Bytes = field(init=False)
    cells: _Cells = field(init=False)
    done: int = 0
    odd: Objects = field(default_factory=Objects)
    odd_places: list[int] = field(default_factory=list)
    blank_places: list[int] = field(default_factory=list)

    def run(self, names: dict[str, str]) -> bool:
        """Cut all lines; return whether that was possible."""
        self.statuses = np.zeros(len(self.starts), np.uint8)
        self.cells = _Cells.empty(len(names), len(self.starts))
        first = 0
        for _ in range(_MOST_NEW):
            if len(names) > _MOST_COLUMNS:
                return False
            stop = self.kernel.cut_lines(
                self.data,
                (self.starts, self.ends),
                self._known(names),
                tuple(self.cells),
                (self.statuses, first),
            )
            self._read_odd(stop, names)
            if stop == len(self.starts):
                return True
            # A sound line teaches the keys that are new, then it is cut.
            read_objects([(0, self._text(stop))], names)
            is_sound = len(names) > len(self.cells.kinds)
            self.cells = self.cells.grown(len(names))
            if not is_sound:
                self.statuses[stop] = self.kernel.CARE
            first = stop if is_sound else stop + 1
        return False

    def _known(self, names: dict[str, str]) -> tuple[Bytes, Ints, npt.NDArray[np.uint64]]:
        keys = [key.encode("utf-8", "surrogatepass") for key in names]
        joined = np.frombuffer(b"".join(keys), np.uint8)
        starts = np.cumsum([0, *map(len, keys)])
        spans = itertools.pairwise(starts)
        hashes = [self.kernel.hash_of(joined, start, end) for start, end in spans]
        return joined, starts, np.array(hashes, np.uint64)

    def _text(self, place: int) -> str:
        return self.data[self.starts[place] : self.ends[place]].tobytes().decode()

    def _read_odd(self, stop: int, names: dict[str, str]) -> None:
        """Read with care what was left out before line `stop`, in the order of the lines."""
        odd = self.done + np.flatnonzero(self.statuses[self.done : stop] == self.kernel.CARE)
        self.done = stop
        for place in odd.tolist():
            found = read_objects([(int(self.lines[place]), self._text(place))], names)
            if not found.lines:
                self.blank_places.append(place)
                continue
            if found.faults:
                self.odd.faults[place] = found.faults[0]
            self.odd.objects += found.objects
            self.odd_places.append(place)
        if len(names) > len(self.cells.kinds):
            self.cells = self.cells.grown(len(names))

    def rows(self, names: dict[str, str]) -> Block:
        """Return all rows, once everything was cut."""
        self._place_odd(names)
        is_row = np.ones(len(self.starts), np.bool_)
        is_row[self.blank_places] = False
        columns = {
            name: self._column(place, is_row if self.blank_places else None)
            for place, name in enumerate(names.values())
        }
        shift = np.cumsum(~is_row)
        faults = {int(place - shift[place]): fault for place, fault in self.odd.faults.items()}
        return Block(self.lines[is_row].tolist(), columns, faults)

    def _place_odd(self, names: dict[str, str]) -> None:
        """Put the texts of what was read with care behind the block's bytes, to be copied."""
        texts, size = [self.data.tobytes()] if self.odd_places else [], len(self.data)
        for column, values in enumerate(v for _, v in object_columns(self.odd, names)):
            for place, value in zip(self.odd_places, values.to_pylist(), strict=True):
                if value is None:
                    continue
                text = value.encode()
                self.cells.kinds[column, place] = self.kernel.PLAIN
                self.cells.begins[column, place] = size
                size += len(text)
                self.cells.ends[column, place] = size
                texts.append(text)
        if texts:
            self.data = np.frombuffer(b"".join(texts), np.uint8)

    def _column(self, place: int, is_row: npt.NDArray[np.bool_] | None) -> pa.Array:
        from mqlml.sources.json_texts import write_cells  # imported late, as the kernel is

        kinds, begins, ends = (part[place] for part in self.cells)
        if is_row is not None:
            kinds, begins, ends = kinds[is_row], begins[is_row], ends[is_row]
        count = len(kinds)
        is_there = kinds != self.kernel.NOTHING
        room = (ends - begins)[is_there]
        # At worst every sign of a list is a comma, which gets a space.
        room = np.where(kinds[is_there] == self.kernel.NESTED, 2 * room, room)
        texts = np.empty(int(room.sum()), np.uint8)
        offsets = np.empty(count + 1, np.int32)
        size = write_cells(self.data, (kinds, begins, ends), texts, offsets)
        is_valid = np.packbits(is_there, bitorder="little")
        buffers = [pa.py_buffer(is_valid), pa.py_buffer(offsets), pa.py_buffer(texts[:size])]
        return pa.Array.from_buffers(pa.string(), count, buffers)
