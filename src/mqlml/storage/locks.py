"""One writer at a time: a file lock of the operating system.

The lock belongs to the open file, so it ends with the process that holds it,
however that process ends; a killed run leaves no stale lock. The file's content
only tells the next one who is at work.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mqlml.errors import DataError, Fault

Say = Callable[[str], None]

# Reading a large export takes minutes; a job that waits says so, and for whom.
WAIT_S = 900.0
_POLL_S = 0.1
_NAMELESS = "a job that did not say its name"


def keep_silent(_text: str) -> None:
    """Say nothing."""


@contextmanager
def hold(
    path: Path,
    purpose: str,
    *,
    command: str = "",
    wait_s: float = WAIT_S,
    say: Say = keep_silent,
) -> Iterator[None]:
    """Hold the lock file `path` inside the block, waiting up to `wait_s` for another holder.

    `purpose` is the step, `command` what was typed: both are told to whoever waits.
    Before it waits it says, once, for whom. Not re-entrant: a block that asks
    again for a lock it holds waits in vain.

    Raises:
        DataError: Another job holds the lock for longer than `wait_s`; it says which.
    """
    descriptor = _open(path)
    try:
        if not _take(descriptor, 0.0) and not _wait(descriptor, path, wait_s, say):
            raise DataError(_busy(path, purpose))
        _say_who(descriptor, {"pid": os.getpid(), "purpose": purpose, "command": command})
        try:
            yield
        finally:
            _say_who(descriptor, None)
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """Return who wrote the lock file last ("train, process 4711"), or "" if nobody is at work.

    A holder that said its command is told with it: "train, process 4711, mqlml train".
    """
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    command = who.get("command")
    return f"{who['purpose']}, process {who['pid']}" + (f", {command}" if command else "")


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock file `path`."""
    if not path.exists():
        return False
    descriptor = _open(path)
    try:
        return not _take(descriptor, 0.0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DataError(
            Fault(
                "the workspace cannot be locked",
                where=str(path),
                found=error.strerror or str(error),
                mend="choose a folder that you may write to with --workspace",
            )
        ) from error


def _wait(descriptor: int, path: Path, wait_s: float, say: Say) -> bool:
    say(f"waiting for another job in this workspace: {holder(path) or _NAMELESS}")
    return _take(descriptor, wait_s)


def _take(descriptor: int, wait_s: float) -> bool:
    # Counting naps instead of reading a clock keeps the package free of one.
    for nap in range(int(wait_s / _POLL_S) + 1):
        if nap:
            time.sleep(_POLL_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


def _say_who(descriptor: int, who: dict[str, object] | None) -> None:
    os.ftruncate(descriptor, 0)
    if who is not None:
        os.pwrite(descriptor, json.dumps(who, sort_keys=True).encode(), 0)


def _busy(path: Path, purpose: str) -> Fault:
    return Fault(
        f"another job is at work in this workspace, so `{purpose}` cannot start",
        where=str(path),
        found=holder(path) or _NAMELESS,
        mend="wait until it is done, end that process, or use another --workspace",
    )
