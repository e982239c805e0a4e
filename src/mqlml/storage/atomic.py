"""Files and folders that appear whole or not at all, also when the process is killed.

Everything is written beside its destination and renamed into place. A killed
run leaves only hidden siblings named `.NAME.*.new` and `.NAME.*.old`; `sweep`
removes them, and puts an `.old` folder back if its successor never arrived.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mqlml.errors import DataError, Fault

_NEW, _OLD = ".new", ".old"
_MENDS = {
    errno.ENOSPC: "free some space and run the command again; nothing was changed",
    errno.EDQUOT: "free some of the quota and run the command again; nothing was changed",
    errno.EROFS: "give a workspace on a disk that can be written",
    errno.EACCES: "give a workspace that you may write to",
    errno.EPERM: "give a workspace that you may write to",
    errno.ENOTDIR: "give a path whose parents are folders",
    errno.EEXIST: "give a path whose parents are folders",
}


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`; a reader finds the old bytes or the new, never a part.

    Parents are created. Raises DataError if the disk is full or cannot be written.
    """
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_NEW, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            os.replace(name, path)  # noqa: PTH105 - the atomic rename is the point
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty sibling folder; it becomes `path` if the block ends without error.

    An existing `path` is replaced. On any error, Ctrl-C included, the sibling is
    removed and `path` stays as it was. Raises DataError if the disk is full or
    cannot be written.
    """
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_NEW, dir=path.parent))
        try:
            fresh.chmod(0o755)
            yield fresh
            _sync_tree(fresh)
            _swap_in(fresh, path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        _sync_folder(path.parent)


def _swap_in(fresh: Path, path: Path) -> None:
    if not path.exists():
        fresh.rename(path)
        return
    # Two renames cannot be one step; between them only the `.old` sibling exists,
    # which `sweep` puts back.
    old = fresh.with_suffix(_OLD)
    path.rename(old)
    fresh.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def sweep(parent: Path, *, of: str | None = None) -> tuple[str, ...]:
    """Remove what killed runs left in `parent`; return the names that were removed or put back.

    With `of` only what was to become the file or folder of that name.

    Call it while holding the workspace's lock: a running writer's sibling looks
    just like a leftover.
    """
    if not parent.is_dir():
        return ()
    leftovers = [p for p in sorted(parent.iterdir()) if _is_leftover(p)]
    leftovers = [p for p in leftovers if of is None or _target_name(p) == of]
    for leftover in leftovers:
        target = parent / _target_name(leftover)
        if leftover.suffix == _OLD and not target.exists():
            leftover.rename(target)
        elif leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
    return tuple(leftover.name for leftover in leftovers)


def _target_name(leftover: Path) -> str:
    return leftover.name[1:].rsplit(".", 2)[0]


def _is_leftover(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix in {_NEW, _OLD} and path.name.count(".") > 2


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk inside the block into a DataError about `path`."""
    try:
        yield
    except OSError as error:
        mend = _MENDS.get(error.errno or 0)
        if mend is None:
            raise
        found = os.strerror(error.errno or 0)
        raise DataError(Fault("cannot be written", str(path), found, mend)) from error


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open a folder to sync it
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
