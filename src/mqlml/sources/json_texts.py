"""The texts of cells that were cut from lines of JSON, written one after the other, by numba.

Text loses its escapes; lists and objects are written as Python's `json` does. Numba does not
look at `json_tokens.py`: touch this file when that changes.
"""

import numpy as np
import numpy.typing as npt

from mqlml.features.compiling import compiled, compiled_once
from mqlml.sources.json_kernel import ESCAPED, NESTED, PLAIN
from mqlml.sources.json_tokens import (
    BACKSLASH,
    COLON,
    COMMA,
    NEWLINE,
    QUOTE,
    RETURN,
    SPACE,
    TAB,
    ZERO,
    Bytes,
    Ints,
    U,
    code_at,
)

Codes = npt.NDArray[np.int32]


@compiled_once
def write_cells(data: Bytes, cells: tuple[Bytes, Ints, Ints], texts: Bytes, ends: Codes) -> int:
    """Write the texts of one key's cells, line after line; return how many bytes they have.

    `cells` are the kinds, begins and ends of the values in `data`, `ends` gets where each
    text ends, after a nought.
    """
    kinds, begins, finishes = cells
    size = 0
    ends[0] = 0
    for line in range(len(kinds)):
        kind, at, end = kinds[line], begins[line], finishes[line]
        if kind == PLAIN:
            for k in range(at, end):
                texts[size + k - at] = data[k]
            size += end - at
        elif kind == ESCAPED:
            size = _write_text(data, at, end, texts, size)
        elif kind == NESTED:
            size = _write_nested(data, at, end, texts, size)
        ends[line + 1] = size
    return size


@compiled
def _write_text(data: Bytes, at: int, end: int, texts: Bytes, size: int) -> int:
    while at < end:
        if data[at] == BACKSLASH:
            size = _put(code_at(data, at), texts, size)
            at += 6 if data[at + 1] == U else 2
        else:
            texts[size] = data[at]
            at, size = at + 1, size + 1
    return size


@compiled
def _write_nested(data: Bytes, at: int, end: int, texts: Bytes, size: int) -> int:
    """Write a list or object with a space after each comma and colon, and no other."""
    is_text = False
    while at < end:
        c = data[at]
        if is_text and c == BACKSLASH:
            size = _put_escaped(code_at(data, at), texts, size)
            at += 6 if data[at + 1] == U else 2
            continue
        if c == QUOTE:
            is_text = not is_text
        if is_text or (c != SPACE and c != TAB):
            texts[size] = c
            size += 1
            if not is_text and (c in (COMMA, COLON)):
                texts[size] = SPACE
                size += 1
        at += 1
    return size


@compiled
def _put(code: int, texts: Bytes, size: int) -> int:
    """Write a character as UTF-8."""
    if code < 0x80:
        texts[size] = code
        return size + 1
    if code < 0x800:
        texts[size] = 0xC0 | (code >> 6)
        texts[size + 1] = 0x80 | (code & 0x3F)
        return size + 2
    texts[size] = 0xE0 | (code >> 12)
    texts[size + 1] = 0x80 | ((code >> 6) & 0x3F)
    texts[size + 2] = 0x80 | (code & 0x3F)
    return size + 3


@compiled
def _put_escaped(code: int, texts: Bytes, size: int) -> int:
    """Write a character inside a JSON text, escaped only where it must be."""
    letter = _letter(code)
    if letter > 0:
        texts[size], texts[size + 1] = BACKSLASH, letter
        return size + 2
    if code >= SPACE:
        return _put(code, texts, size)
    texts[size], texts[size + 1] = BACKSLASH, U
    texts[size + 2], texts[size + 3] = ZERO, ZERO
    texts[size + 4] = ZERO + (code >> 4)
    low = code & 15
    texts[size + 5] = ZERO + low if low < 10 else 87 + low
    return size + 6


@compiled
def _letter(code: int) -> int:
    if code in (QUOTE, BACKSLASH):
        return code
    if code == 8:
        return 98
    if code == 12:
        return 102
    if code == NEWLINE:
        return 110
    if code == RETURN:
        return 114
    return 116 if code == TAB else 0
