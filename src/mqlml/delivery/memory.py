"""What each lead was last told: an append-only file, so that a killed delivery goes on.

A line is `KEY DIGEST`: of the lead's id and of what it was told. The last line of a
lead counts; a torn last line counts as not there. Both are digests: nobody's id or
score stands in the file.
"""

import os
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from mqlml.delivery.fields import Record, key_of
from mqlml.errors import DataError, Fault

# The folder of a workspace with a file per delivery.
DELIVERIES = "delivery"
_LINE = re.compile(r"([0-9a-f]{32}) ([0-9a-f]{16})\n")


def read_told(path: Path) -> dict[str, str]:
    """Return key → digest of what was told last; empty where nothing was."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="ascii", errors="replace")
    return {match[1]: match[2] for match in _LINE.finditer(text)}


def add_told(path: Path, records: Sequence[Record]) -> None:
    """Remember that `records` were taken; on disk before this returns."""
    lines = "".join(f"{one.key} {one.digest}\n" for one in records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_torn = path.exists() and path.stat().st_size > 0 and not _ends_whole(path)
        with path.open("a", encoding="ascii") as file:
            file.write(("\n" if is_torn else "") + lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        mend = "what was sent is sent again next time, which changes nothing there"
        raise DataError(Fault("cannot remember a delivery", str(path), str(error), mend)) from error


def forget_told(folder: Path, lead_ids: Collection[str]) -> int:
    """Take leads out of every file of `folder`; return how many lines went.

    A killed run leaves a file whole, old or new.
    """
    keys = {key_of(one) for one in lead_ids}
    gone = 0
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="ascii", errors="replace").splitlines(keepends=True)
        kept = [line for line in lines if line.split(" ")[0] not in keys]
        if len(kept) < len(lines):
            gone += len(lines) - len(kept)
            _replace(path, "".join(kept))
    return gone


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii", errors="replace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
