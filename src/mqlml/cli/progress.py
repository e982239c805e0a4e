"""A bar that shows how far a long job is, and what the machine gives to the job."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mqlml.workflows.features import Means


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what to call with the rows done and all rows; None where nobody looks at a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def means(memory: str, what: str, *, seconds: float | None = None) -> "Iterator[Means]":
    """Yield the memory, all cores, a bar of `what` is done, and when so many seconds are over."""
    from mqlml.workflows.features import Means

    is_over = None if seconds is None else _over_in(seconds)
    with progress_bar(what) as bar:
        yield Means(memory, os.cpu_count() or 1, bar, is_over)


def _over_in(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
