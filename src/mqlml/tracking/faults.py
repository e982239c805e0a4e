"""MLflow's many errors, told as ours."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mqlml.errors import LOCKED, UNREACHABLE, BundleError, DataError, Fault, MqlmlError
from mqlml.tracking.library import hushed, mlflow

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@/\s]*@")
_FULL = ("database or disk is full", "No space left on device", "disk I/O error")
_LOCKED = ("database is locked",)
_UNWRITABLE = (
    "readonly database",
    "unable to open database",
    "Permission denied",
    "File exists",
    "Not a directory",
)
_DAMAGED = ("file is not a database", "disk image is malformed")
_OTHER_SCHEMA = ("out-of-date database schema", "Can't locate revision")
_UNREACHABLE = (
    "Max retries exceeded",
    "Connection refused",
    "API request to",
    "connection failed",
    "could not connect",
    "connection to server",
    "Connection aborted",
    "Connection reset",
    "closed the connection",
    "terminating connection",
)


def shown(uri: str) -> str:
    """Return `uri` as it may be shown to people: without its password.

    >>> shown("postgresql://ann:secret@db/mlflow")
    'postgresql://ann:***@db/mlflow'
    """
    return _PASSWORD.sub(r"\1:***@", uri)


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Turn errors of MLflow and of what it stands on, inside the block, into ours.

    Their warnings (of deprecations in one another) are kept from people.

    Raises:
        DataError: The store is locked, full, or cannot be written.
        BundleError: The store cannot be reached, or refuses.
    """
    library = mlflow()
    import sqlalchemy.exc

    try:
        with hushed():
            yield
    except MqlmlError:
        raise
    except (
        library.MlflowException,
        sqlalchemy.exc.SQLAlchemyError,
        sqlite3.Error,
        OSError,
    ) as error:
        raise as_ours(error, uri) from error


def as_ours(error: Exception, uri: str) -> MqlmlError:
    """Return the error that tells a user what `error` means for the store at `uri`."""
    text = str(error)
    where = f"MLflow store {shown(uri)}"
    for signs, kind, what, mend in _RULES:
        if any(sign in text for sign in signs):
            return kind(Fault(what, where, _first_line(text), mend))
    mend = "run `mqlml doctor`; if the store is sound, report this with the command you ran"
    return BundleError(Fault("MLflow refuses", where, _first_line(text), mend))


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return shown(line)[:300]


_RULES: tuple[tuple[tuple[str, ...], type[MqlmlError], str, str], ...] = (
    (
        _FULL,
        DataError,
        "the disk is full",
        "free some space and run the command again; the champion is unchanged",
    ),
    (
        _LOCKED,
        DataError,
        LOCKED,
        "close what holds the database open (another job, a database viewer), then try again",
    ),
    (
        _UNWRITABLE,
        DataError,
        "the store cannot be opened or written",
        "check the rights on the workspace, or choose another with --workspace",
    ),
    (
        _DAMAGED,
        DataError,
        "the database file is damaged",
        "put a copy of it back, or move it away and train again",
    ),
    (
        _OTHER_SCHEMA,
        BundleError,
        "the store was made by another version of MLflow",
        "back the database up, then run `mlflow db upgrade` with its address",
    ),
    (
        _UNREACHABLE,
        BundleError,
        UNREACHABLE,
        "check the address `tracking.uri` in the config, and that the server runs",
    ),
)
