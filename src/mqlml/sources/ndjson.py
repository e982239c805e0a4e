"""NDJSON: one JSON object per line; keys may differ from line to line.

Lines are parsed one by one, because one bad line must not touch another, and
turned into text column by column, because most columns are text already.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from mqlml.errors import DataError, Fault, SchemaError
from mqlml.sources import staging
from mqlml.sources.staging import PartWriter, StagedFile, as_text, unique_names
from mqlml.sources.text_files import open_text

# Numbers stay as they are spelled: 1.50 is not 1.5, and an id may exceed any float.
_SPELLED = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


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
    no object are staged as broken. With `has_lists` a line may also be a list,
    each of whose items is a row of its own. Raises SchemaError if most rows are broken.
    """
    writer = PartWriter(target)
    names: dict[str, str] = {}
    with open_text(path, name, encoding) as text:
        lines = enumerate(text, start=1)
        while taken := list(islice(lines, staging.ROWS_PER_PART)):
            block = _parsed(_items(taken) if has_lists else taken, names)
            writer.add_part(block.lines, dict(_columns(block, names)), block.faults)
    if writer.rows == 0:
        raise DataError(Fault("file is empty", name, mend="export it again"))
    if writer.broken * 2 > writer.rows:
        found = f"{writer.broken} of {writer.rows} lines"
        mend = "write one JSON object per line, not one array or indented objects"
        raise SchemaError(Fault("most lines are not JSON objects", name, found, mend))
    return StagedFile(name, target, tuple(names.values()), writer.rows)


@dataclass
class _Block:
    """Lines that are not blank: their numbers, texts and objects, empty where they have a fault."""

    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def _items(taken: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield each line, or each item of a line that is a list, with the line's number."""
    for line, content in taken:
        try:
            listed = json.loads(content, parse_int=_whole) if content.lstrip()[:1] == "[" else None
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            yield from ((line, json.dumps(item, ensure_ascii=False)) for item in listed)
        else:
            yield line, content


def _parsed(taken: Iterable[tuple[int, str]], names: dict[str, str]) -> _Block:
    """Return the lines as objects; keys that come for the first time are added to `names`."""
    block, read = _Block(), _SPELLED.raw_decode
    keys: tuple[str, ...] = ()
    for line, content in taken:
        text = content.strip()
        if not text:
            continue
        try:
            values, end = read(text)
        except (ValueError, RecursionError):
            values, end = None, -1
        if end != len(text) or type(values) is not dict:
            block.faults[len(block.lines)] = (_reason(text), text)
            values = {}
        block.lines.append(line)
        block.texts.append(text)
        block.objects.append(values)
        if (found := tuple(values)) != keys:
            keys = found
            _add_names(keys, names)
    return block


def _reason(text: str) -> str:
    """Return why a line is no JSON object."""
    try:
        json.loads(text, parse_int=str)
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
            yield name, pa.array(_as_texts(block, key, values), pa.string())


def _as_texts(block: _Block, key: str, values: Sequence[Any]) -> Iterator[str | None]:
    """Yield the text of each value; half a surrogate pair, which no file can hold, becomes '?'."""
    for position, value in enumerate(values):
        if isinstance(value, dict | list):
            # Nested numbers were read as text; a second reading keeps them numbers.
            plain = json.loads(block.texts[position], parse_int=_whole)
            yield _encodable(json.dumps(plain[key], ensure_ascii=False))
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
