"""The workspace's tombstones, and the journal of an erasure that is under way."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import replace_file
from mqlml.tables.tombstones import Tombstones

_FILE, _JOURNAL = "erased.json", "erasing.json"


@dataclass(frozen=True)
class Erasing:
    """Whom an erasure takes: every id, further texts that name them, when they were first known."""

    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()
    known_from: int = 0
    leads: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Return every text that names the erased, longest first."""
        return tuple(sorted({*self.ids, *self.texts}, key=lambda text: (-len(text), text)))


def read_tombstones(root: Path) -> Tombstones:
    """Return the tombstones of the workspace at `root`; DataError if they cannot be read."""
    values = _read(root / _FILE)
    if values is None:
        return Tombstones()
    return Tombstones(str(values["salt"]), frozenset(map(str, values["hashes"])))


def write_tombstones(root: Path, tombstones: Tombstones) -> None:
    """Make these the workspace's tombstones."""
    values = {"salt": tombstones.salt, "hashes": sorted(tombstones.hashes)}
    replace_file(root / _FILE, (json.dumps(values, indent=1) + "\n").encode())


def begin_erasing(root: Path, erasing: Erasing) -> None:
    """Note what is to be erased: from now on it is finished, whatever happens."""
    replace_file(root / _JOURNAL, json.dumps(asdict(erasing)).encode())


def erasing_under_way(root: Path) -> Erasing | None:
    """Return the erasure that was begun and not finished, if there is one."""
    values = _read(root / _JOURNAL)
    if values is None:
        return None
    return Erasing(
        tuple(values["ids"]), tuple(values["texts"]), int(values["known_from"]), values["leads"]
    )


def end_erasing(root: Path) -> None:
    """Forget the journal: everything in it is done."""
    (root / _JOURNAL).unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        mend = "put it back from a copy: without it the erased could come back"
        fault = Fault("cannot be read", str(path), type(error).__name__, mend)
        raise DataError(fault) from error
    return values
