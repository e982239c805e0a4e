"""The ledger: what was done, one small JSON file per entry, never changed afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import replace_file
from mqlml.storage.stamps import stamp

_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Entry:
    """One thing that was done: `kind` of it, as of when (microseconds UTC), and its figures."""

    kind: str
    as_of: int
    payload: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Return the hex digest of the whole entry, as it stands in the file's name."""
        return sha256(_canonical(self)).hexdigest()[:_DIGEST_LENGTH]


def write_entry(folder: Path, entry: Entry) -> Path:
    """Return the file that now holds `entry`; the same entry again is the same file."""
    path = folder / f"{stamp(entry.as_of)}-{entry.kind}-{entry.digest}.json"
    replace_file(path, _canonical(entry))
    return path


def read_entries(folder: Path, *, kind: str | None = None) -> tuple[Entry, ...]:
    """Return the entries of `folder` by time, then kind, then digest; all kinds or one.

    Raises:
        DataError: Naming every entry that cannot be read or was altered.
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.json")):
        found = _read(path)
        if isinstance(found, Fault):
            faults.append(found)
        elif kind in (None, found.kind):
            entries.append(found)
    if faults:
        raise DataError(*faults)
    return tuple(sorted(entries, key=lambda entry: (entry.as_of, entry.kind, entry.digest)))


def _canonical(entry: Entry) -> bytes:
    document = {"kind": entry.kind, "as_of": entry.as_of, "payload": _plain(entry.payload)}
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _plain(value: object) -> object:
    """Return `value` in JSON's own types; a number that is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if not isinstance(value, str) and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _read(path: Path) -> Entry | Fault:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        entry = Entry(document["kind"], document["as_of"], document["payload"])
        name = f"{stamp(entry.as_of)}-{entry.kind}-{entry.digest}.json"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return _fault(path, "cannot be read", type(error).__name__)
    if name != path.name:
        return _fault(path, "was altered: its content does not fit its name", f"content of {name}")
    return entry


def _fault(path: Path, what: str, found: str) -> Fault:
    return Fault(
        f"the ledger entry {what}",
        where=str(path),
        found=found,
        mend="put the file back from a copy, or move it out of the ledger",
    )
