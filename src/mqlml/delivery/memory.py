"""What each lead was last told: an append-only file, so that a killed delivery goes on.

A line is `KEY DIGEST`: of the lead's id and of what it was told. The last line of a
lead counts; a torn last line counts as not there. Both are digests: nobody's id or
score stands in the file.
"""

import os
import re
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


def without_leads(told: str, lead_ids: Collection[str]) -> str:
    """Return what a file of told leads says, without the lines of `lead_ids`."""
    keys = {key_of(one) for one in lead_ids}
    lines = told.splitlines(keepends=True)
    return "".join(line for line in lines if line.split(" ")[0] not in keys)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
