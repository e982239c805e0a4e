"""Sessions, the tokens of forms, tries at passwords, and the audit log."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from mqlml.serving.database import Cursor
from mqlml.serving.people import Person, digest_of
from mqlml.serving.roles import Role
from mqlml.timeline import MICROS_PER_HOUR, MICROS_PER_SECOND, is_in_horizon, is_open

WINDOW_MICROS = 15 * 60 * MICROS_PER_SECOND


@dataclass(frozen=True)
class Limit:
    """How many tries at passwords something may have within a quarter of an hour."""

    key: str
    most: int

    @property
    def hashed(self) -> str:
        """Return the key as it is kept: what was typed as a name may be a password."""
        return digest_of(self.key)


@dataclass(frozen=True)
class AuditEntry:
    """Who did what when; `about` is an id of the store, never a lead's."""

    at: int
    who: str
    what: str
    about: str


def begin_session(cursor: Cursor, person: Person, *, token: str, now: int, hours: int) -> None:
    """Keep a session of `hours`; only the token's digest is stored. What is over is swept away."""
    # What `timeline.is_open` and `is_in_horizon` deny.
    cursor.run("DELETE FROM review_sessions WHERE until < ?", now)
    cursor.run("DELETE FROM review_tries WHERE since <= ?", now - WINDOW_MICROS)
    cursor.run(
        "INSERT INTO review_sessions VALUES (?, ?, ?, ?)",
        *(digest_of(token), person.id, now, now + hours * MICROS_PER_HOUR),
    )


def person_of(cursor: Cursor, token: str, *, now: int) -> Person | None:
    """Return whose session it is; None once it is over or its person is shut out."""
    rows = cursor.rows(
        "SELECT p.id, p.name, p.role, s.until FROM review_sessions s"
        " JOIN review_people p ON p.id = s.person WHERE s.token = ? AND p.is_active = 1",
        digest_of(token),
    )
    if not rows or not is_open(int(rows[0][3]), now):
        return None
    return Person(str(rows[0][0]), str(rows[0][1]), Role(str(rows[0][2])))


def end_session(cursor: Cursor, token: str) -> None:
    """Forget a session: whoever kept its token has nothing."""
    cursor.run("DELETE FROM review_sessions WHERE token = ?", digest_of(token))


def form_token(cookie: str) -> str:
    """Return the token that forms of this browser carry; strangers cannot compute it."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def is_exhausted(cursor: Cursor, limits: Sequence[Limit], *, now: int) -> bool:
    """Return whether one of the limits is reached."""
    return any(_tries(cursor, limit, now) >= limit.most for limit in limits)


def take_try(cursor: Cursor, limits: Sequence[Limit], *, now: int) -> bool:
    """Return whether another try is allowed, and count it for every limit if so."""
    if is_exhausted(cursor, limits, now=now):
        return False
    for limit in limits:
        tries = _tries(cursor, limit, now)
        if tries:
            query = "UPDATE review_tries SET tries = tries + 1 WHERE key = ?"
            cursor.run(query, limit.hashed)
        else:
            cursor.run("DELETE FROM review_tries WHERE key = ?", limit.hashed)
            cursor.run("INSERT INTO review_tries VALUES (?, ?, 1)", limit.hashed, now)
    return True


def forget_tries(cursor: Cursor, limits: Sequence[Limit]) -> None:
    """Start counting anew, after the right password."""
    for limit in limits:
        cursor.run("DELETE FROM review_tries WHERE key = ?", limit.hashed)


def give_back_try(cursor: Cursor, limit: Limit) -> None:
    """Count one try less: of many people at one address each may sign in."""
    cursor.run("UPDATE review_tries SET tries = tries - 1 WHERE key = ?", limit.hashed)


def _tries(cursor: Cursor, limit: Limit, now: int) -> int:
    rows = cursor.rows("SELECT since, tries FROM review_tries WHERE key = ?", limit.hashed)
    if not rows or not is_in_horizon(now, int(rows[0][0]), WINDOW_MICROS):
        return 0
    return int(rows[0][1])


def audit(cursor: Cursor, entry: AuditEntry) -> None:
    """Add to the audit log."""
    cursor.run(
        "INSERT INTO review_audit (at, who, what, about) VALUES (?, ?, ?, ?)",
        *(entry.at, entry.who, entry.what, entry.about),
    )


def audit_entries(cursor: Cursor, *, skip: int, most: int) -> list[AuditEntry]:
    """Return the audit log, newest first."""
    query = "SELECT at, who, what, about FROM review_audit ORDER BY number DESC LIMIT ? OFFSET ?"
    return [
        AuditEntry(int(at), str(who), str(what), str(about))
        for at, who, what, about in cursor.rows(query, most, skip)
    ]
