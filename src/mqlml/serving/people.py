"""Who may sign in: invited people, their roles and what each role may do."""

import hashlib
import hmac
import threading
import unicodedata
from dataclasses import dataclass

from mqlml.errors import Fault, UsageError
from mqlml.serving.database import Cursor, Row
from mqlml.serving.roles import Role
from mqlml.timeline import MICROS_PER_DAY, is_open

INVITE_MICROS = 7 * MICROS_PER_DAY
LEAST_PASSWORD, MOST_PASSWORD, MOST_NAME = 12, 200, 80
# OWASP's figures for scrypt with 16 MiB a time: N = 2^14, r = 8, p = 5.
_LOG_N, _R, _P = 14, 8, 5
_HASHES_AT_ONCE = threading.Semaphore(4)
_COLUMNS = "id, name, role, is_active"


@dataclass(frozen=True)
class Person:
    """Somebody who was invited; `id` is the opaque id under which verdicts are kept."""

    id: str
    name: str
    role: Role
    is_active: bool = True


def invite(cursor: Cursor, person: Person, *, token: str, now: int) -> Person:
    """Return the person who may choose a password by `token`, once, within seven days.

    A name that is known already gets a new token and keeps its id; its sessions end and
    its old password is void. Raises UsageError for a name or id that cannot be used.
    """
    folded = _folded(person.name)
    known = cursor.rows(f"SELECT {_COLUMNS} FROM review_people WHERE folded = ?", folded)
    identity = str(known[0][0]) if known else person.id
    others = "SELECT 1 FROM review_people WHERE id = ? AND folded <> ?"
    if cursor.rows(others, identity, folded):
        mend = "give each person an id of their own"
        raise UsageError(Fault("another person has this id", "--who", mend=mend))
    until, secret = now + INVITE_MICROS, digest_of(token)
    if known:
        cursor.run(
            "UPDATE review_people SET role = ?, password = NULL, invite = ?, invite_until = ?,"
            " is_active = 1 WHERE id = ?",
            *(person.role.value, secret, until, identity),
        )
        cursor.run("DELETE FROM review_sessions WHERE person = ?", identity)
    else:
        cursor.run(
            "INSERT INTO review_people (id, name, folded, role, password, invite, invite_until,"
            " is_active, created_at) VALUES (?, ?, ?, ?, NULL, ?, ?, 1, ?)",
            *(identity, person.name.strip(), folded, person.role.value, secret, until, now),
        )
    return Person(identity, person.name.strip(), person.role)


def invited(cursor: Cursor, token: str, *, now: int) -> Person | None:
    """Return who was invited by this token; None if it was used or is too old."""
    query = f"SELECT {_COLUMNS}, invite_until FROM review_people WHERE invite = ?"
    rows = cursor.rows(query, digest_of(token))
    if not rows or not is_open(int(rows[0][4]), now):
        return None
    return _person(rows[0])


def accept_invite(cursor: Cursor, person: Person, hashed: str, *, token: str) -> bool:
    """Return whether the password is now the person's; False if the token was used meanwhile."""
    return bool(
        cursor.run(
            "UPDATE review_people SET password = ?, invite = NULL, invite_until = NULL"
            " WHERE id = ? AND invite = ?",
            *(hashed, person.id, digest_of(token)),
        )
    )


def find(cursor: Cursor, name: str) -> tuple[Person, str] | None:
    """Return the active person of a name, and the hash of their password."""
    query = (
        f"SELECT {_COLUMNS}, password FROM review_people"
        " WHERE folded = ? AND is_active = 1 AND password IS NOT NULL"
    )
    rows = cursor.rows(query, _fold(name))
    return (_person(rows[0]), str(rows[0][4])) if rows else None


def everyone(cursor: Cursor) -> list[Person]:
    """Return all people by name."""
    rows = cursor.rows(f"SELECT {_COLUMNS} FROM review_people ORDER BY folded")
    return [_person(row) for row in rows]


def set_active(cursor: Cursor, identity: str, *, is_active: bool) -> bool:
    """Return whether such a person is there; who is shut out is signed out at once."""
    cursor.run("DELETE FROM review_sessions WHERE person = ?", identity)
    query = "UPDATE review_people SET is_active = ? WHERE id = ?"
    return bool(cursor.run(query, int(is_active), identity))


def digest_of(token: str) -> str:
    """Return what the store keeps of a token, from which nobody gets it back."""
    return hashlib.sha256(token.encode()).hexdigest()


def hashed_password(password: str, salt: str) -> str:
    """Return what the store keeps of a password: scrypt's parameters, salt and hash."""
    return f"scrypt${_LOG_N}${_R}${_P}${salt}${_scrypt(password, salt, (_LOG_N, _R, _P))}"


def is_password(password: str, hashed: str) -> bool:
    """Return whether it is the password that was hashed; takes as long for a wrong one."""
    _, log_n, r, p, salt, expected = hashed.split("$")
    found = _scrypt(password, salt, (int(log_n), int(r), int(p)))
    return hmac.compare_digest(found, expected)


# Compared with when the name is nobody's, so that time does not tell who is invited.
NOBODY = f"scrypt${_LOG_N}${_R}${_P}$nobody${'0' * 64}"


def password_fault(password: str, name: str) -> str:
    """Return what is wrong with a new password, empty if nothing is."""
    if len(password) < LEAST_PASSWORD:
        return f"Take at least {LEAST_PASSWORD} characters; three or four words are easy to keep."
    if len(password) > MOST_PASSWORD:
        return f"Take at most {MOST_PASSWORD} characters."
    if len(set(password)) < 5 or _fold(name) in _fold(password):
        return "This is easy to guess: do not repeat characters or use your name."
    return ""


def _scrypt(password: str, salt: str, work: tuple[int, int, int]) -> str:
    log_n, r, p = work
    text = unicodedata.normalize("NFC", password).encode("utf-8", "replace")
    with _HASHES_AT_ONCE:
        made = hashlib.scrypt(text, salt=salt.encode(), n=2**log_n, r=r, p=p, dklen=32)
    return made.hex()


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def _folded(name: str) -> str:
    """Return the form by which names are compared; UsageError for what is no name."""
    folded = _fold(name)
    if not folded or len(folded) > MOST_NAME or not folded.isprintable():
        mend = f"give 1 to {MOST_NAME} printable characters"
        raise UsageError(Fault("not a name to sign in with", "NAME", mend=mend))
    return folded


def _person(row: Row) -> Person:
    return Person(str(row[0]), str(row[1]), Role(str(row[2])), bool(row[3]))
