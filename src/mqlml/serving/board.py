"""What stands of the history, kept in memory and brought up to date by the rows added since."""

import threading

from mqlml.serving.database import Cursor
from mqlml.serving.history import UNDONE, Given, erasures, rows_after
from mqlml.timeline import is_from


class Board:
    """All verdicts by lead. Several processes may add rows; each board reads what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._of_lead: dict[str, list[Given]] = {}
        self._by_number: dict[int, Given] = {}
        self._undone: set[int] = set()
        self._last, self._erasures = 0, 0

    def catch_up(self, cursor: Cursor) -> None:
        """Read the rows added since the last time; all of them once somebody was erased."""
        with self._lock:
            erased = erasures(cursor)
            if erased != self._erasures:
                self._forget()
                self._erasures = erased
            for given in rows_after(cursor, self._last):
                self._of_lead.setdefault(given.lead_id, []).append(given)
                self._by_number[given.number] = given
                if given.undoes is not None:
                    self._undone.add(given.undoes)
                self._last = given.number

    def history(self, lead_id: str) -> list[Given]:
        """Return all rows about a lead, oldest first."""
        with self._lock:
            return list(self._of_lead.get(lead_id, ()))

    def standing(self, lead_id: str, since: int) -> list[Given]:
        """Return what each rep says of a lead since it was handed over, oldest first."""
        with self._lock:
            latest = {
                given.who: given
                for given in self._of_lead.get(lead_id, ())
                if self._stands(given) and is_from(given.given_at, since)
            }
        return sorted(latest.values(), key=lambda given: given.number)

    def is_judged(self, lead_id: str, since: int) -> bool:
        """Return whether anybody's verdict stands since a lead was handed over."""
        # Nearly all leads of a list have no row: those are told without waiting for the lock.
        return lead_id in self._of_lead and bool(self.standing(lead_id, since))

    def newest(self, *, skip: int, most: int) -> list[Given]:
        """Return the newest rows about all leads, newest first."""
        with self._lock:
            rows = list(self._by_number.values())
        return rows[::-1][skip : skip + most]

    def of_number(self, number: int) -> Given | None:
        """Return one row."""
        with self._lock:
            return self._by_number.get(number)

    def is_undone(self, number: int) -> bool:
        """Return whether a verdict was taken back."""
        with self._lock:
            return number in self._undone

    def _stands(self, given: Given) -> bool:
        return given.verdict != UNDONE and given.number not in self._undone
