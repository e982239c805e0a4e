"""The history of verdicts: rows are added; a later row says that an earlier one was undone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from mqlml.errors import DataError, Fault
from mqlml.serving.database import Cursor, Database, Row
from mqlml.tables.contracts import REASON_NAMES, VERDICT_NAMES
from mqlml.tables.tombstones import Tombstones

ACCEPTED, REJECTED = VERDICT_NAMES
UNDONE = "undone"
MOST_NOTE, MOST_FORM = 2_000, 80
_COLUMNS = "number, form, lead_id, handed_over_at, given_at, who, verdict, reason, note, undoes"


class RefusedError(DataError):
    """A verdict that cannot be taken; `status` is what a browser is answered."""

    def __init__(self, what: str, mend: str, *, status: int = 400) -> None:
        super().__init__(Fault(what, mend=mend))
        self.status = status


@dataclass(frozen=True)
class Judgement:
    """What somebody says of a lead; `form` is the same when the same form is sent again."""

    lead_id: str
    handed_over_at: int
    verdict: str
    reason: str | None
    note: str | None
    form: str


@dataclass(frozen=True)
class Given:
    """One row of the history."""

    number: int
    form: str
    lead_id: str
    handed_over_at: int
    given_at: int
    who: str
    verdict: str
    reason: str | None
    note: str | None
    undoes: int | None


def checked(judgement: Judgement) -> Judgement:
    """Return the judgement with its texts tidied; RefusedError if it cannot be taken."""
    if judgement.verdict not in VERDICT_NAMES:
        raise RefusedError("not a verdict", "accept the lead, or reject it with a reason")
    reason = judgement.reason if judgement.verdict == REJECTED else None
    if judgement.verdict == REJECTED and reason not in REASON_NAMES:
        mend = f"give one of {', '.join(REASON_NAMES)}"
        raise RefusedError("the reason is not one of the list", mend)
    note = (judgement.note or "").replace("\x00", "").strip() or None
    if note and len(note) > MOST_NOTE:
        mend = f"say it in {MOST_NOTE:,} characters"
        raise RefusedError("the note is too long", mend, status=413)
    if reason == "other" and not note:
        raise RefusedError("'other' needs a note", "say in a few words what it is")
    if not 0 < len(judgement.form) <= MOST_FORM:
        raise RefusedError("the form is not one of ours", "open the lead again")
    return replace(judgement, reason=reason, note=note)


def give(cursor: Cursor, judgement: Judgement, *, who: str, now: int) -> Given:
    """Add a verdict and return its row; the same form sent again returns the first row.

    Raises RefusedError if the lead was erased.
    """
    known = row_of_form(cursor, who, judgement.form)
    if known is not None:
        return known
    if is_erased(cursor, judgement.lead_id):
        raise RefusedError("the lead was erased", "nothing is kept of it", status=410)
    said = (judgement.verdict, judgement.reason, judgement.note)
    return _add(
        cursor,
        Given(
            0, judgement.form, judgement.lead_id, judgement.handed_over_at, now, who, *said, None
        ),
    )


def undo(cursor: Cursor, number: int, *, who: str, now: int) -> Given:
    """Add the row that takes a verdict back, once; RefusedError if it is not the person's."""
    rows = cursor.rows(f"SELECT {_COLUMNS} FROM review_verdicts WHERE number = ?", number)
    if not rows or str(rows[0][5]) != who or rows[0][6] == UNDONE:
        raise RefusedError("not a verdict of yours", "undo what you said yourself", status=404)
    given, form = _given(rows[0]), f"undo-{number}"
    known = row_of_form(cursor, who, form)
    if known is not None:
        return known
    return _add(
        cursor,
        replace(
            given, form=form, given_at=now, verdict=UNDONE, reason=None, note=None, undoes=number
        ),
    )


def _add(cursor: Cursor, given: Given) -> Given:
    cursor.run(
        "INSERT INTO review_verdicts (form, lead_id, handed_over_at, given_at, who, verdict,"
        " reason, note, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(given.form, given.lead_id, given.handed_over_at, given.given_at, given.who),
        *(given.verdict, given.reason, given.note, given.undoes),
    )
    added = row_of_form(cursor, given.who, given.form)
    if added is None:
        raise AssertionError("a row that was added is there")
    return added


def rows_after(cursor: Cursor, number: int) -> list[Given]:
    """Return the rows added after row `number`, oldest first."""
    query = f"SELECT {_COLUMNS} FROM review_verdicts WHERE number > ? ORDER BY number"
    return [_given(row) for row in cursor.rows(query, number)]


def erasures(cursor: Cursor) -> int:
    """Return how many ids were erased so far: it grows when rows went."""
    return int(cursor.rows("SELECT count(*) FROM review_erased")[0][0])


def is_erased(cursor: Cursor, lead_id: str) -> bool:
    """Return whether the lead was erased from this store."""
    salts = cursor.rows("SELECT DISTINCT salt FROM review_erased")
    query = "SELECT 1 FROM review_erased WHERE salt = ? AND hash = ?"
    return any(cursor.rows(query, salt, Tombstones(str(salt)).of(lead_id)) for (salt,) in salts)


def erase(
    database: Database,
    lead_ids: Collection[str],
    gone: Tombstones,
    *,
    scrub: Callable[[str], str],
) -> int:
    """Delete all verdicts on leads and blot mentions of them; return how many rows went.

    Later verdicts on them are refused. `scrub` takes them out of a note.
    """
    with database.write() as cursor:
        cursor.run("INSERT INTO review_meta VALUES ('erasing', '1')")
        for lead_id in sorted(lead_ids):
            cursor.run(
                "INSERT INTO review_erased VALUES (?, ?) ON CONFLICT DO NOTHING",
                *(gone.salt, gone.of(lead_id)),
            )
        deleted = "DELETE FROM review_verdicts WHERE lead_id = ?"
        went = sum(cursor.run(deleted, lead_id) for lead_id in sorted(lead_ids))
        notes = "SELECT number, note FROM review_verdicts WHERE note IS NOT NULL"
        for number, note in cursor.rows(notes):
            if (clean := scrub(str(note))) != note:
                cursor.run("UPDATE review_verdicts SET note = ? WHERE number = ?", clean, number)
        cursor.run("DELETE FROM review_meta WHERE name = 'erasing'")
    database.forget()
    return went


def row_of_form(cursor: Cursor, who: str, form: str) -> Given | None:
    """Return the row that a form of somebody made; None if it made none yet."""
    query = f"SELECT {_COLUMNS} FROM review_verdicts WHERE who = ? AND form = ?"
    rows = cursor.rows(query, who, form)
    return _given(rows[0]) if rows else None


def _given(row: Row) -> Given:
    return Given(*row)
