"""Lines of JSON, checked and cut into values without making an object of any, by numba.

The kernel accepts only what it can turn into the very text that the careful reader of
`json_objects.py` gives; whatever else a line holds, sound or not, it leaves to that reader: a
key or a number that is spelled oddly, a key that stands twice, half a surrogate pair, deep
nesting.

Numba compiles anew when the file that holds a function has changed, and does not look at
others (`json_tokens.py`). Touch it when those change.
"""

import numpy as np

from mqlml.features.compiling import compiled, compiled_once
from mqlml.sources.json_tokens import (
    CLOSE,
    COLON,
    COMMA,
    DEPTH,
    KEYS,
    NEWLINE,
    OPEN,
    OPEN_LIST,
    QUOTE,
    RETURN,
    SPACE,
    TAB,
    Bytes,
    Ints,
    Words,
    end_of_nested,
    end_of_number,
    end_of_text,
    end_of_word,
    hash_key,
    skip,
)

# What a cell of a line is: absent or null, copied as it is, text with escapes, list or object.
NOTHING, PLAIN, ESCAPED, NESTED = range(4)
# What became of a line: cut, to be read with care, or it has a key that is not known.
CUT, CARE, NEW_KEY = range(3)


@compiled_once
def split_lines(data: Bytes) -> tuple[Ints, Ints, Ints]:
    """Return where each line that is not blank begins and ends, and its place among all lines.

    Lines end as editors see it; the spaces around them belong to none.
    """
    count = 1
    for c in data:
        count += c in (NEWLINE, RETURN)
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    places = np.empty(count, np.int64)
    found, line, at, size = 0, 0, 0, len(data)
    while at < size:
        begin = at
        while at < size and data[at] != NEWLINE and data[at] != RETURN:
            at += 1
        end = at
        while begin < end and (data[begin] == SPACE or data[begin] == TAB):
            begin += 1
        while begin < end and (data[end - 1] == SPACE or data[end - 1] == TAB):
            end -= 1
        if begin < end:
            starts[found], ends[found], places[found] = begin, end, line
            found += 1
        is_pair = at + 1 < size and data[at] == RETURN and data[at + 1] == NEWLINE
        at += 2 if is_pair else 1
        line += 1
    return starts[:found], ends[:found], places[:found]


@compiled_once
def hash_of(data: Bytes, at: int, end: int) -> np.uint64:
    """Return the hash by which a key is looked for."""
    return hash_key(data, at, end)


@compiled_once
def cut_lines(
    data: Bytes,
    lines: tuple[Ints, Ints],
    known: tuple[Bytes, Ints, Words],
    cells: tuple[Bytes, Ints, Ints],
    found: tuple[Bytes, int],
) -> int:
    """Cut lines until one has a key that is not known; return which, or the number of lines.

    `lines` are begins and ends; `known` are the keys' bytes one after the other, where each
    begins (and the last ends), and their hashes. Of each key and line `cells` say the kind
    and where the value begins (-1 where the line has no such key) and ends. `found` has what
    became of each line and the first one to cut.
    """
    starts, ends = lines
    statuses, first = found
    opened, hashes = np.empty(DEPTH, np.int64), np.empty(KEYS, np.uint64)
    for line in range(first, len(starts)):
        status = _cut(data, line, (starts[line], ends[line]), known, cells, (opened, hashes))
        if status != CUT:
            for column in range(len(cells[0])):
                cells[0][column, line], cells[1][column, line] = NOTHING, -1
        if status == NEW_KEY:
            return line
        statuses[line] = status
    return len(starts)


@compiled
def _cut(  # noqa: C901 - each way a line can go wrong, once
    data: Bytes,
    line: int,
    span: tuple[int, int],
    known: tuple[Bytes, Ints, Words],
    cells: tuple[Bytes, Ints, Ints],
    room: tuple[Ints, Words],
) -> int:
    """Cut one line into the cells of its keys; return what became of it."""
    kinds, begins, finishes = cells
    at, end = span
    if data[at] != OPEN:
        return CARE
    at = skip(data, at + 1, end)
    if at < end and data[at] == CLOSE:
        return CUT if at + 1 == end else CARE
    guess = 0
    while True:
        at, after, column = _key(data, at, end, known, guess)
        if at < 0:
            return CARE
        # A key that is not known counts only in a line that is sound to its end.
        stop, kind = _top_value(data, after, end, room)
        if stop < 0:
            return CARE
        if column < 0:
            return NEW_KEY
        if begins[column, line] >= 0:
            return CARE  # the key stands twice
        is_text = data[after] == QUOTE
        kinds[column, line] = kind
        begins[column, line] = after + is_text
        finishes[column, line] = stop - is_text
        guess = column + 1
        at = skip(data, stop, end)
        if at >= end:
            return CARE
        if data[at] == CLOSE:
            return CUT if at + 1 == end else CARE
        if data[at] != COMMA:
            return CARE
        at = skip(data, at + 1, end)


@compiled
def _key(
    data: Bytes, at: int, end: int, known: tuple[Bytes, Ints, Words], guess: int
) -> tuple[int, int, int]:
    """Return where the key at `at` begins, where its value does, and its column, -1 if new.

    The place is -1 if there is no key that can be read at a glance.
    """
    if at >= end or data[at] != QUOTE:
        return -1, -1, -1
    stop, has_escape = end_of_text(data, at + 1, end)
    if stop < 0 or has_escape:
        return -1, -1, -1
    after = skip(data, stop, end)
    if after >= end or data[after] != COLON:
        return -1, -1, -1
    after = skip(data, after + 1, end)
    if after >= end:
        return -1, -1, -1
    return at, after, _column(data, at + 1, stop - 1, known, guess)


@compiled
def _column(data: Bytes, at: int, end: int, known: tuple[Bytes, Ints, Words], guess: int) -> int:
    keys, starts, hashes = known
    if guess < len(hashes) and _is_key(data, at, end, keys, starts[guess], starts[guess + 1]):
        return guess
    word = hash_key(data, at, end)
    for column in range(len(hashes)):
        if hashes[column] == word and _is_key(
            data, at, end, keys, starts[column], starts[column + 1]
        ):
            return column
    return -1


@compiled
def _is_key(data: Bytes, at: int, end: int, keys: Bytes, start: int, stop: int) -> bool:
    if end - at != stop - start:
        return False
    for k in range(end - at):  # noqa: SIM110 - numba knows no `all` of a generator
        if data[at + k] != keys[start + k]:
            return False
    return True


@compiled
def _top_value(data: Bytes, at: int, end: int, room: tuple[Ints, Words]) -> tuple[int, int]:
    """Return where the value at `at` ends, -1 if it needs care, and what kind of cell it is."""
    c = data[at]
    if c == QUOTE:
        stop, has_escape = end_of_text(data, at + 1, end)
        return stop, ESCAPED if has_escape else PLAIN
    if c in (OPEN, OPEN_LIST):
        return end_of_nested(data, at, end, room), NESTED
    stop = end_of_word(data, at, end)
    if stop >= 0:
        return stop, NOTHING if c == 110 else PLAIN
    return end_of_number(data, at, end, False), PLAIN
