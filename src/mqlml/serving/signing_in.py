"""Signing in and out, and choosing a password after an invitation."""

from mqlml.serving.database import Cursor
from mqlml.serving.people import (
    LEAST_PASSWORD,
    MOST_NAME,
    MOST_PASSWORD,
    NOBODY,
    Person,
    accept_invite,
    find,
    hashed_password,
    invited,
    is_password,
    password_fault,
)
from mqlml.serving.sessions import (
    AuditEntry,
    Limit,
    audit,
    begin_session,
    end_session,
    forget_tries,
    give_back_try,
    is_exhausted,
    take_try,
)
from mqlml.serving.site import Answer, Asked, Site, message, page, to

# Tries within a quarter of an hour: by one name from one address, by one name, from one address.
_PER_PAIR, _PER_NAME, _PER_ADDRESS = 10, 50, 100
_WRONG = "The name or the password is not right."
_TOO_MANY = "Too many tries. Wait a quarter of an hour, or ask an admin for a new invitation."


def sign_in_page(site: Site, asked: Asked) -> Answer:
    """Return the form to sign in; whoever is signed in goes to the list."""
    return to("/") if asked.person else _sign_in_page(site, asked)


def sign_in(site: Site, asked: Asked) -> Answer:
    """Begin a session for the right name and password; count every try before it is looked at."""
    name = asked.form.get("name", "")[: 4 * MOST_NAME]
    password = asked.form.get("password", "")[: 4 * MOST_PASSWORD]
    limits = _limits(name, asked.address)
    with site.store.database.read() as cursor:
        is_refused = is_exhausted(cursor, limits, now=asked.now)
        found = None if is_refused else find(cursor, name)
    if is_refused or not site.store.writer.do(lambda c: take_try(c, limits, now=asked.now)):
        return _sign_in_page(site, asked, 429, _TOO_MANY)
    person, hashed = found or (None, NOBODY)
    if not is_password(password, hashed) or person is None:
        about = person.id if person else "an unknown name"
        _audit(site, asked, about, "sign-in failed")
        return _sign_in_page(site, asked, 401, _WRONG)
    site.store.writer.do(lambda c: give_back_try(c, limits[-1]))
    return _begin(site, asked, person, limits[:2])


def sign_out(site: Site, asked: Asked) -> Answer:
    """End the session: its cookie is worth nothing afterwards, wherever it was copied to."""

    def save(cursor: Cursor) -> None:
        end_session(cursor, asked.token)
        audit(cursor, AuditEntry(asked.now, asked.signed_in.id, "signed out", ""))

    site.store.writer.do(save)
    return to("/signin", token="")


def welcome_page(site: Site, asked: Asked) -> Answer:
    """Return the form in which an invited person chooses a password."""
    person = _invited(site, asked)
    return _no_invitation(site, asked) if person is None else _welcome(site, asked, person)


def welcome(site: Site, asked: Asked) -> Answer:
    """Keep the password of an invited person and sign them in; the link is used up then."""
    person, token = _invited(site, asked), asked.parts["token"]
    if person is None:
        return _no_invitation(site, asked)
    password = asked.form.get("password", "")
    fault = password_fault(password, person.name)
    if not fault and password != asked.form.get("again", ""):
        fault = "The two passwords are not the same."
    if fault:
        return _welcome(site, asked, person, 400, fault)
    hashed = hashed_password(password, site.outside.token()[:32].replace("$", "-"))
    if not site.store.writer.do(lambda c: accept_invite(c, person, hashed, token=token)):
        return _no_invitation(site, asked)
    return _begin(site, asked, person, _limits(person.name, asked.address)[:2])


def _begin(site: Site, asked: Asked, person: Person, limits: list[Limit]) -> Answer:
    token = site.outside.token()

    def save(cursor: Cursor) -> None:
        hours = site.settings.session_hours
        begin_session(cursor, person, token=token, now=asked.now, hours=hours)
        forget_tries(cursor, limits)
        audit(cursor, AuditEntry(asked.now, person.id, "signed in", ""))

    site.store.writer.do(save)
    return to("/", token=token)


def _limits(name: str, address: str) -> list[Limit]:
    folded = " ".join(name.split()).casefold()
    return [
        Limit(f"pair:{address}:{folded}", _PER_PAIR),
        Limit(f"name:{folded}", _PER_NAME),
        Limit(f"address:{address}", _PER_ADDRESS),
    ]


def _audit(site: Site, asked: Asked, about: str, what: str) -> None:
    entry = AuditEntry(asked.now, "", what, about)
    site.store.writer.do(lambda cursor: audit(cursor, entry))


def _invited(site: Site, asked: Asked) -> Person | None:
    with site.store.database.read() as cursor:
        return invited(cursor, asked.parts["token"], now=asked.now)


def _sign_in_page(site: Site, asked: Asked, status: int = 200, fault: str = "") -> Answer:
    return page(site, asked, "signin.html", status, fault=fault)


def _welcome(
    site: Site, asked: Asked, person: Person, status: int = 200, fault: str = ""
) -> Answer:
    least = LEAST_PASSWORD
    return page(site, asked, "welcome.html", status, who=person.name, fault=fault, least=least)


def _no_invitation(site: Site, asked: Asked) -> Answer:
    words = "It was used already, or is older than a week. Ask who sent it for a new one."
    return message(site, asked, 404, "This invitation is not valid", words)
