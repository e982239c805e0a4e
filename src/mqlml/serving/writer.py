"""Many who save at once share one transaction, so that the disk is waited for once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from mqlml.errors import MqlmlError
from mqlml.serving.database import Cursor, Database, StoreError

Answer = TypeVar("Answer")
_Job = tuple[Callable[[Cursor], Any], "Future[Any]"]
_MOST = 64


class Writer:
    """Runs jobs one after the other, in transactions of as many as are waiting.

    A job is answered once its transaction is on disk. What one job refuses concerns it
    alone; a fault of the store is every job's of its transaction, and nothing was saved.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="verdicts", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[Cursor], Answer]) -> Answer:
        """Return what `job` gives, once it is saved; raises what it raises, or StoreError."""
        answer: Future[Answer] = Future()
        self._jobs.put((job, answer))
        return answer.result()

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch, is_last = self._gathered(first)
            _settle(batch, self._saved(batch))
            if is_last:
                return

    def _gathered(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < _MOST:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _saved(self, batch: list[_Job]) -> list[object]:
        """Return each job's answer or error."""
        try:
            with self._database.write() as cursor:
                return [_run(cursor, job) for job, _ in batch]
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits for an answer
            return [error] * len(batch)


def _run(cursor: Cursor, job: Callable[[Cursor], Any]) -> object:
    cursor.run("SAVEPOINT job")
    try:
        answer: object = job(cursor)
    except StoreError:
        raise
    except MqlmlError as refusal:
        cursor.run("ROLLBACK TO SAVEPOINT job")
        answer = refusal
    cursor.run("RELEASE SAVEPOINT job")
    return answer


def _settle(batch: list[_Job], answers: list[object]) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
