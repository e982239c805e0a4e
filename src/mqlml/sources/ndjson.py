"""NDJSON: one JSON object per line; keys may differ from line to line.

Large blocks of lines are cut into values at once, and only what is odd is read line by
line, because one bad line must not touch another; small ones are read line by line.
"""

import gc
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import unquote_plus

from mqlml.errors import DataError, Fault, SchemaError
from mqlml.sources import staging
from mqlml.sources.json_blocks import (
    Block,
    blocks_of,
    cut_block,
    is_worth_cutting,
    line_count,
    lines_of,
)
from mqlml.sources.json_objects import object_columns, read_objects, spared
from mqlml.sources.staging import FEW_BODIES, PartWriter, StagedFile
from mqlml.sources.text_files import open_text

# A form with one field, as a provider posts it: `mandrill_events=%5B%7B…`.
_FORM = re.compile(r"\s*[A-Za-z_]+=")
_EMPTY = '{"empty_body": true}'


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
        first = 1
        for block in blocks_of(text):
            for rows in _rows(block, first, names, has_lists=has_lists):
                writer.add_part(rows.lines, rows.columns, rows.faults)
            first += line_count(block)
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


def _rows(block: str, first: int, names: dict[str, str], *, has_lists: bool) -> Iterator[Block]:
    """Yield the rows of a block of lines, cut at once or read line by line."""
    if is_worth_cutting(block):
        rows = cut_block(block, first, names, has_lists=has_lists)
        if rows is not None:
            yield rows
            return
    lines = lines_of(block, first)
    while taken := list(islice(lines, staging.ROWS_PER_PART)):
        found = read_objects(_items(taken) if has_lists else taken, names)
        yield Block(found.lines, dict(object_columns(found, names)), found.faults)


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
        is_json = isinstance(spared(lambda: json.loads(body, parse_int=str), body), dict | list)
    except (ValueError, RecursionError):
        is_json = False
    return body if is_json else form


def _listed(body: str) -> Sequence[str]:
    """Return the items of a body that is a list, else the body itself."""
    start = body.lstrip()[:1]
    if start == "[":
        try:
            listed = spared(lambda: json.loads(body, parse_int=_whole), body)
        except (ValueError, RecursionError):
            return [body]
        return [
            # Half a surrogate pair stays spelled out: it cannot be written otherwise.
            _EMPTY if item == {} else json.dumps(item)
            for item in listed or [{}]
        ]
    return [_EMPTY] if start == "{" and body.strip() == "{}" else [body]


def _whole(text: str) -> int | float:
    """Return the integer; infinity if it has more digits than Python reads."""
    try:
        return int(text)
    except ValueError:
        return float(text)
