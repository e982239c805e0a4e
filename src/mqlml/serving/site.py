"""What every page starts from: the site, what was asked, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mqlml.reports.page import TEMPLATES
from mqlml.serving.board import Board
from mqlml.serving.cases import Case, Named
from mqlml.serving.database import Database
from mqlml.serving.desk import Desk
from mqlml.serving.outside import Outside, Place
from mqlml.serving.people import Person
from mqlml.serving.roles import JUDGES, READERS, Role
from mqlml.serving.sessions import form_token
from mqlml.serving.settings import ServeSettings
from mqlml.serving.writer import Writer

_TEMPLATES = Path(__file__).with_name("templates")
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Store:
    """The database with its one writer and what is known of its history."""

    database: Database
    writer: Writer
    board: Board

    def caught_up(self) -> Board:
        """Return the board with every row that is in the database now."""
        with self.database.read() as cursor:
            self.board.catch_up(cursor)
        return self.board


@dataclass(frozen=True)
class Site:
    """One running page."""

    name: str
    store: Store
    desk: Desk
    settings: ServeSettings
    outside: Outside
    place: Place


@dataclass(frozen=True)
class Asked:
    """One request, read whole. `token` is the session's, or the visitor's before signing in."""

    method: str
    now: int
    token: str
    person: Person | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    @property
    def signed_in(self) -> Person:
        """Return who asks, where only people who are signed in get to."""
        if self.person is None:
            raise AssertionError("this page is for people who are signed in")
        return self.person

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number of the address or the form; `default` for anything else."""
        text = self.form.get(name, self.query.get(name, ""))
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default


@dataclass(frozen=True)
class Answer:
    """What is sent back. `token` becomes the browser's cookie, an empty one takes it away."""

    body: bytes
    status: int = 200
    kind: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None


def page(site: Site, asked: Asked, template: str, status: int = 200, **values: Any) -> Answer:
    """Return a page made of `template`; everything in it is escaped."""
    person = asked.person
    text = (
        _environment()
        .get_template(template)
        .render(
            site_name=site.name,
            person=person,
            csrf=form_token(asked.token),
            may_judge=person is not None and person.role in JUDGES,
            may_read=person is not None and person.role in READERS,
            is_admin=person is not None and person.role is Role.ADMIN,
            **values,
        )
    )
    return Answer(text.encode("utf-8", "replace"), status)


def message(site: Site, asked: Asked, status: int, heading: str, *lines: str) -> Answer:
    """Return a page that says in words why something did not happen."""
    return page(site, asked, "message.html", status, heading=heading, lines=lines, again=None)


def to(address: str, token: str | None = None, **query: int | str) -> Answer:
    """Return the answer that sends the browser on, to be fetched anew."""
    place = f"{address}?{urlencode(query)}" if query else address
    return Answer(b"", 303, headers={"Location": place}, token=token)


def visible(site: Site, person: Person, listed: Named) -> list[tuple[str, Case]]:
    """Return the listed cases that the person may see, in their order."""
    return [pair for pair in listed.listed if may_see(site, person, pair[1])]


def may_see(site: Site, person: Person, case: Case) -> bool:
    """Return whether the person may see the case: a rep perhaps only its own."""
    is_bound = site.settings.own_leads_only and person.role is Role.REP
    return not is_bound or case.owner == person.id


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader([_TEMPLATES, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
