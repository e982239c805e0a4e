"""Writes that MLflow does in two steps: it looks whether a row is there, then inserts it.

Of two processes that write the same row at the same moment, one is refused. By
then the row is there, and a second try finds it.
"""

from collections.abc import Callable
from typing import TypeVar

from mqlml.tracking.library import mlflow

_REFUSED = "unique constraint"

Written = TypeVar("Written")


def written(write: Callable[[], Written]) -> Written:
    """Return what `write()` returns, tried once more if another process was first.

    `write` must mean the same when it is done twice.
    """
    try:
        return write()
    except mlflow().MlflowException as error:
        if _REFUSED not in str(error).casefold():
            raise
    return write()
