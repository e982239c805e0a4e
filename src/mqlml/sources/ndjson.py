"""NDJSON: one JSON object per line; keys may differ from line to line.

Lines are parsed one by one, because one bad line must not touch another, and
turned into text column by column, because most columns are text already.
"""

import gc
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import unquote_plus

import pyarrow as pa

from mqlml.errors import DataError, Fault, SchemaError
from mqlml.sources import staging
from mqlml.sources.staging import FEW_BODIES, PartWriter, StagedFile, as_text, unique_names
from mqlml.sources.text_files import open_text


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
# A form with one field, as a provider posts it: `mandrill_events=%5B%7B…`.
_FORM = re.compile(r"\s*[A-Za-z_]+=")
_EMPTY = '{"empty_body": true}'
# What may be nested deeply is read with this many frames to spare, so that what can be read
# once can be read and written later, from a little deeper in the stack.
_MANY_BRACKETS, _SPARE_FRAMES = 400, 50

Value = TypeVar("Value")


def stage_ndjson(
    path: Path,
    name: str,
    target: Path,
    *,
    encoding: str | None = None,
    has_lists: bool = False,
) -> StagedFile:
    """Return the file's objects as rows of text, staged in `target`.

    Numbers keep their spelling, nested values become JSON text, lines that are
    no object are staged as broken. With `has_lists` a line is the body of a
    webhook: it may also be a list, each of whose items is a row of its own, or a
    form with such a list in its one field; a body without content is a row with
    `empty_body` alone. Raises SchemaError if most rows are broken; of webhooks, which may
    be kept a body a file, at least FEW_BODIES of them.
    """
    writer = PartWriter(target)
    if has_lists and path.stat().st_size == 0:
        return _no_bodies(writer, name)
    names: dict[str, str] = {}
    with open_text(path, name, encoding) as text, _no_collection():
        lines = enumerate(text, start=1)
        while taken := list(islice(lines, staging.ROWS_PER_PART)):
            block = _parsed(_items(taken) if has_lists else taken, names)
            writer.add_part(block.lines, dict(_columns(block, names)), block.faults)
    if writer.rows == 0 and has_lists:
        return _no_bodies(writer, name)
    if writer.rows == 0:
        raise DataError(Fault("file is empty", name, mend="export it again"))
    if writer.broken * 2 > writer.rows and not (has_lists and writer.broken < FEW_BODIES):
        found = f"{writer.broken} of {writer.rows} lines"
        mend = "write one JSON object per line, not one array or indented objects"
        raise SchemaError(Fault("most lines are not JSON objects", name, found, mend))
    return StagedFile(name, target, tuple(names.values()), writer.rows)


def _no_bodies(writer: PartWriter, name: str) -> StagedFile:
    columns = ("empty_body",)
    writer.flush(columns)
    return StagedFile(name, writer.folder, columns, 0, ("file is empty",))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no reference cycles inside the block: JSON makes none, and looking takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class _Block:
    """Lines that are not blank: their numbers and objects, empty where they have a fault."""

    lines: list[int] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def _items(taken: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the bodies of a webhook on each line, with the line's number."""
    for line, content in taken:
        yield from ((line, body) for body in bodies_of(content))


def bodies_of(line: str) -> Sequence[str]:
    """Return what a provider posted, one JSON text per event; the line itself if it is no JSON.

    >>> bodies_of('[{"a": 1}, {"a": 2}]'), bodies_of("events=%5B%5D"), bodies_of("x")
    (['{"a": 1}', '{"a": 2}'], ['{"empty_body": true}'], ['x'])
    """
    form = _FORM.match(line)
    return _listed(_posted(line, form.end()) if form else line)


def _posted(form: str, start: int) -> str:
    """Return the JSON in a form's field that begins at `start`; the form itself if it is none."""
    body = unquote_plus(form[start:].strip().partition("&")[0])
    try:
        is_json = isinstance(_spared(lambda: json.loads(body, parse_int=str), body), dict | list)
    except (ValueError, RecursionError):
        is_json = False
    return body if is_json else form


def _listed(body: str) -> Sequence[str]:
    """Return the items of a body that is a list, else the body itself."""
    start = body.lstrip()[:1]
    if start == "[":
        try:
            listed = _spared(lambda: json.loads(body, parse_int=_whole), body)
        except (ValueError, RecursionError):
            return [body]
        return [
            # Half a surrogate pair stays spelled out: it cannot be written otherwise.
            _EMPTY if item == {} else json.dumps(item)
            for item in listed or [{}]
        ]
    return [_EMPTY] if start == "{" and body.strip() == "{}" else [body]


def _spared(read: Callable[[], Value], text: str) -> Value:
    """Return what `read` returns; RecursionError if the text is nested nearly too deeply."""
    if text.count("[") + text.count("{") < _MANY_BRACKETS:
        return read()
    return _deeper(read, _SPARE_FRAMES)


def _deeper(read: Callable[[], Value], frames: int) -> Value:
    return _deeper(read, frames - 1) if frames else read()


def _parsed(taken: Iterable[tuple[int, str]], names: dict[str, str]) -> _Block:
    """Return the lines as objects; keys that come for the first time are added to `names`."""
    block = _Block()
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
        _spared(lambda: json.loads(text, parse_int=str), text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return "not a JSON object"


def _add_names(keys: Sequence[str], names: dict[str, str]) -> None:
    for key in keys:
        if key not in names:
            names[key] = unique_names([*names.values(), _encodable(key)])[0][-1]


def _columns(block: _Block, names: dict[str, str]) -> Iterator[tuple[str, pa.Array]]:
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


def _whole(text: str) -> int | float:
    """Return the integer; infinity if it has more digits than Python reads."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
