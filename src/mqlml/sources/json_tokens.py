"""The tokens of JSON in bytes: where each ends, and whether it can be taken at a glance.

Compiled as parts of `json_kernel.py` and `json_texts.py`, where numba keeps the machine code:
touch those when this file changes.
"""

import numpy as np
import numpy.typing as npt

from mqlml.features.compiling import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

TAB, NEWLINE, RETURN, SPACE, QUOTE, COMMA, MINUS, DOT = 9, 10, 13, 32, 34, 44, 45, 46
ZERO, NINE, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST = 48, 57, 58, 91, 92, 93
U, OPEN, CLOSE = 117, 123, 125
DEPTH, KEYS = 64, 512

_FIRST_VALUE, _VALUE, _FIRST_KEY, _KEY, _AFTER = range(5)
_PRIME = np.uint64(1_099_511_628_211)
_SEED = np.uint64(14_695_981_039_346_656_037)


@compiled
def hash_key(data: Bytes, at: int, end: int) -> np.uint64:
    """Return the FNV-1a hash of a key's bytes."""
    word = _SEED
    for k in range(at, end):
        word = (word ^ np.uint64(data[k])) * _PRIME
    return word


@compiled
def skip(data: Bytes, at: int, end: int) -> int:
    """Return the place of the next sign that is no space."""
    while at < end and (data[at] == SPACE or data[at] == TAB):
        at += 1
    return at


@compiled
def end_of_text(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    """Return the place after the closing quote, -1 if it needs care, and whether it escapes."""
    has_escape = False
    while at < end:
        c = data[at]
        if c == QUOTE:
            return at + 1, has_escape
        if c == BACKSLASH:
            has_escape = True
            size = _escape_size(data, at, end)
            if size == 0:
                return -1, True
            at += size
        elif c < SPACE:
            return -1, has_escape
        else:
            at += 1
    return -1, has_escape


@compiled
def _escape_size(data: Bytes, at: int, end: int) -> int:
    """Return how long an escape is; 0 if it is none, or half of a pair."""
    if at + 1 >= end:
        return 0
    c = data[at + 1]
    if c == U:
        if at + 6 > end:
            return 0
        for k in range(at + 2, at + 6):
            if _hex(data[k]) < 0:
                return 0
        code = code_at(data, at)
        return 0 if 0xD800 <= code <= 0xDFFF else 6
    return 2 if _short(c) >= 0 else 0


@compiled
def _short(c: int) -> int:
    """Return what the escape of one letter stands for, -1 if it stands for nothing."""
    if c in (QUOTE, BACKSLASH) or c == 47:
        return c
    if c == 98:
        return 8
    if c == 102:
        return 12
    if c == 110:
        return NEWLINE
    if c == 114:
        return RETURN
    return TAB if c == 116 else -1


@compiled
def _hex(c: int) -> int:
    if ZERO <= c <= NINE:
        return c - ZERO
    if 97 <= c <= 102:
        return c - 87
    return c - 55 if 65 <= c <= 70 else -1


@compiled
def code_at(data: Bytes, at: int) -> int:
    """Return the character that the escape at `at` stands for."""
    if data[at + 1] != U:
        return _short(data[at + 1])
    code = 0
    for k in range(at + 2, at + 6):
        code = code * 16 + _hex(data[k])
    return code


@compiled
def end_of_word(data: Bytes, at: int, end: int) -> int:
    """Return where `true`, `false` or `null` ends, -1 if none stands there."""
    size = end - at
    if size >= 4 and data[at + 1] == 114 and data[at] == 116:
        return at + 4 if data[at + 2] == 117 and data[at + 3] == 101 else -1
    if size >= 4 and data[at + 1] == 117 and data[at] == 110:
        return at + 4 if data[at + 2] == 108 and data[at + 3] == 108 else -1
    if size >= 5 and data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108:
        return at + 5 if data[at + 3] == 115 and data[at + 4] == 101 else -1
    return -1


@compiled
def _digits(data: Bytes, at: int, end: int) -> int:
    while at < end and ZERO <= data[at] <= NINE:
        at += 1
    return at


@compiled
def end_of_number(data: Bytes, at: int, end: int, is_nested: bool) -> int:
    """Return where a number ends, -1 if it needs care: nested ones are written as Python does."""
    is_negative = data[at] == MINUS
    start = at + is_negative
    point = _digits(data, start, end)
    size = point - start
    if size == 0 or size > 300 or (size > 1 and data[start] == ZERO):
        return -1
    stop, has_exponent = point, False
    if stop < end and data[stop] == DOT:
        stop = _digits(data, point + 1, end)
        if stop == point + 1:
            return -1
    if stop < end and (data[stop] == 101 or data[stop] == 69):
        has_exponent = True
        begin = stop + 1
        begin += begin < end and (data[begin] == MINUS or data[begin] == 43)
        stop = _digits(data, begin, end)
        if stop == begin:
            return -1
    if stop == point:
        return -1 if is_negative and data[start] == ZERO else stop
    if is_nested and (has_exponent or not _is_shortest(data, start, point, stop)):
        return -1
    return stop


@compiled
def _is_shortest(data: Bytes, start: int, point: int, stop: int) -> bool:
    """Return whether a fraction is surely spelled as the float it makes is written."""
    size = stop - point - 1
    if point - start + size > 15:
        return False
    if size > 1 and data[stop - 1] == ZERO:
        return False
    if data[start] != ZERO or size < 5:
        return True
    for k in range(point + 1, point + 5):  # noqa: SIM110 - numba knows no `any` of a generator
        if data[k] != ZERO:
            return True
    return False


@compiled
def end_of_nested(  # noqa: C901 - a state after the other
    data: Bytes, at: int, end: int, room: tuple[Ints, Words]
) -> int:
    """Return where a list or object ends, -1 if it needs care.

    `room` has the number of keys before each open list (as -1 - n) or object (n), and the
    hashes of the keys of all open objects.
    """
    opened, hashes = room
    depth, count, state = 0, 0, _VALUE
    while True:
        at = skip(data, at, end)
        if at >= end:
            return -1
        c = data[at]
        is_close = c in (CLOSE, CLOSE_LIST)
        if is_close and (state in (_FIRST_VALUE, _FIRST_KEY, _AFTER)):
            mark = opened[depth - 1]
            if (mark >= 0) != (c == CLOSE):
                return -1
            count = mark if mark >= 0 else -1 - mark
            depth, at, state = depth - 1, at + 1, _AFTER
            if depth == 0:
                return at
        elif state == _AFTER:
            if c != COMMA:
                return -1
            at, state = at + 1, _KEY if opened[depth - 1] >= 0 else _VALUE
        elif state in (_KEY, _FIRST_KEY):
            at, count = _nested_key(data, at, end, hashes, (opened[depth - 1], count))
            if at < 0:
                return -1
            state = _VALUE
        elif c in (OPEN, OPEN_LIST):
            if depth == DEPTH:
                return -1
            opened[depth] = count if c == OPEN else -1 - count
            depth, at, state = depth + 1, at + 1, _FIRST_KEY if c == OPEN else _FIRST_VALUE
        else:
            at, state = _scalar(data, at, end), _AFTER
            if at < 0:
                return -1


@compiled
def _nested_key(
    data: Bytes, at: int, end: int, hashes: Words, keys: tuple[int, int]
) -> tuple[int, int]:
    """Return where the value of the key at `at` begins, -1 if it needs care, and all keys."""
    first, count = keys
    if data[at] != QUOTE or count == KEYS:
        return -1, count
    stop, has_escape = end_of_text(data, at + 1, end)
    if stop < 0 or has_escape:
        return -1, count
    word = hash_key(data, at + 1, stop - 1)
    for k in range(first, count):
        if hashes[k] == word:
            return -1, count
    hashes[count] = word
    at = skip(data, stop, end)
    if at >= end or data[at] != COLON:
        return -1, count
    return at + 1, count + 1


@compiled
def _scalar(data: Bytes, at: int, end: int) -> int:
    if data[at] == QUOTE:
        return end_of_text(data, at + 1, end)[0]
    stop = end_of_word(data, at, end)
    return stop if stop >= 0 else end_of_number(data, at, end, True)
