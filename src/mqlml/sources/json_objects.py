"""JSON objects read one by one with care: spelled numbers, odd keys, what is no object.

One bad line must not touch another, so each is parsed for itself; they are turned into
text column by column, because most columns are text already.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar

import pyarrow as pa

from mqlml.sources.staging import as_text, unique_names


class _Spelled(float):
    """A number that remembers how it was spelled: 1.50 is not 1.5, and NaN is a word."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made


def _integer(text: str) -> "int | _Spelled":
    """Return the integer; what an int does not spell alike, or cannot hold, keeps its text."""
    return _Spelled(text) if text == "-0" or len(text) > _DIGITS else int(text)


# An id may exceed any float, but not what Python turns into an integer.
_DIGITS = 4_000
_SPELLED = json.JSONDecoder(parse_float=_Spelled, parse_constant=_Spelled)
_ODD = json.JSONDecoder(parse_int=_integer, parse_float=_Spelled, parse_constant=_Spelled)
# Integers that need more than the quick reading: a nought with a sign, or endless digits.
_IS_ODD = re.compile(rf"-0(?![.eE\d])|\d{{{_DIGITS}}}")
_WRITE = json.JSONEncoder(ensure_ascii=False).encode
# What may be nested deeply is read with this many frames to spare, so that what can be read
# once can be read and written later, from a little deeper in the stack.
_MANY_BRACKETS, _SPARE_FRAMES = 400, 50

Value = TypeVar("Value")


@dataclass
class Objects:
    """Lines that are not blank: their numbers and objects, empty where they have a fault."""

    lines: list[int] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def spared(read: Callable[[], Value], text: str) -> Value:
    """Return what `read` returns; RecursionError if the text is nested nearly too deeply."""
    if text.count("[") + text.count("{") < _MANY_BRACKETS:
        return read()
    return _deeper(read, _SPARE_FRAMES)


def _deeper(read: Callable[[], Value], frames: int) -> Value:
    return _deeper(read, frames - 1) if frames else read()


def read_objects(taken: Iterable[tuple[int, str]], names: dict[str, str]) -> Objects:
    """Return the lines as objects; keys that come for the first time are added to `names`."""
    block = Objects()
    keys: tuple[str, ...] = ()
    for line, content in taken:
        text = content.strip()
        if not text:
            continue
        may_be_odd = "-0" in text or len(text) > _DIGITS
        is_odd = may_be_odd and _IS_ODD.search(text)
        read = _ODD.raw_decode if is_odd else _SPELLED.raw_decode
        try:
            is_flat = text.count("[") + text.count("{") < _MANY_BRACKETS
            values, end = read(text) if is_flat else _deeper(partial(read, text), _SPARE_FRAMES)
        except (ValueError, RecursionError):
            values, end = None, -1
        if end != len(text) or type(values) is not dict:
            block.faults[len(block.lines)] = (_reason(text), text)
            values = {}
        block.lines.append(line)
        block.objects.append(values)
        if (found := tuple(values)) != keys:
            keys = found
            _add_names(keys, names)
    return block


def _reason(text: str) -> str:
    """Return why a line is no JSON object."""
    try:
        spared(lambda: json.loads(text, parse_int=str), text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return "not a JSON object"


def _add_names(keys: Sequence[str], names: dict[str, str]) -> None:
    for key in keys:
        if key not in names:
            names[key] = unique_names([*names.values(), _encodable(key)])[0][-1]


def object_columns(block: Objects, names: dict[str, str]) -> Iterator[tuple[str, pa.Array]]:
    """Yield each column's name and its values as text."""
    for key, name in names.items():
        values = [one.get(key) for one in block.objects]
        try:
            yield name, pa.array(values, pa.string())
        except (pa.ArrowException, UnicodeEncodeError):
            yield name, pa.array(_as_texts(values), pa.string())


def _as_texts(values: Iterable[Any]) -> Iterator[str | None]:
    """Yield the text of each value; half a surrogate pair, which no file can hold, becomes '?'."""
    for value in values:
        if isinstance(value, dict | list):
            yield _encodable(_WRITE(value))
        elif isinstance(value, _Spelled):
            yield value.text
        else:
            text = as_text(value)
            yield text if text is None else _encodable(text)


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
