"""Which id of a web export is the leads': told by the ids that the people's files hold."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import MqlmlError
from mqlml.sources.delimited import cells_of
from mqlml.sources.found_exports import FoundExport
from mqlml.sources.text_files import open_text

_EVENTS, _PEOPLE = 5_000, 200_000
_LISTS = {"event_params": "params", "user_properties": "user_properties"}


def shared_id(web: FoundExport, people: FoundExport) -> str | None:
    """Return the path of the web export's id that most often is a lead's; None if none ever is.

    Looks at the first rows of every file.
    """
    known = set(_people(people))
    hits = Counter(
        path
        for name in web.files
        for row in islice(_objects(web.root / name), _EVENTS)
        for path, value in _ids(row)
        if value in known
    )
    return min(hits, key=lambda path: (-hits[path], path), default=None)


def _people(export: FoundExport) -> Iterator[str]:
    """Yield the leads' ids as the export's own mapping reads them by default."""
    for name, mappings in export.files.items():
        for mapping in mappings:
            column = mapping.ids.get(export.system.lead_id)
            if mapping.table == "leads" and column is not None:
                yield from islice(cells_of(export.root / name, column), _PEOPLE)


def _ids(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("user_id", "user_pseudo_id"):
        if row.get(name):
            yield name, str(row[name])
    for column, called in _LISTS.items():
        listed = row.get(column)
        for item in listed if isinstance(listed, list) else ():
            value = item.get("value") if isinstance(item, dict) else None
            if isinstance(value, dict):
                text = value.get("string_value") or value.get("int_value")
                yield f"{called}.{item.get('key')}", str(text)


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON lines or of Parquet; nothing where it cannot be read."""
    if {".parquet", ".pq"} & {suffix.lower() for suffix in path.suffixes}:
        try:
            batches = pq.ParquetFile(path).iter_batches(batch_size=1_000)
            yield from (row for batch in batches for row in batch.to_pylist())
        except (pa.ArrowException, OSError):
            return
        return
    try:
        with open_text(path, path.name, None) as text:
            for line in text:
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(found, dict):
                    yield found
    except (MqlmlError, OSError):
        return
