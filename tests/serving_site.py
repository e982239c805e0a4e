"""A small workspace with scores and no model, the page served from it, and a client for it."""

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from mqlml.serving.outside import Outside, Place
from mqlml.serving.people import Person, digest_of
from mqlml.serving.roles import Role
from mqlml.serving.server import listen, make_server
from mqlml.serving.sessions import begin_session
from mqlml.storage.score_runs import ScoreRun, keep_run
from mqlml.storage.scores import ScoreFile, parquet_bytes, scores_digest
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import Project, open_project
from mqlml.workflows.serve import opened_app
from mqlml.workflows.verdict_store import prepared_store

HOUR = 3_600_000_000
DAY = 24 * HOUR
MONDAY = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z, when leads were scored
NOW = MONDAY + DAY + DAY // 2
CONFIG = """\
name: small
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: created}}
  events: {file: events.csv, columns: {lead_id: lead, occurred_at: at, type: type, page: page}}
  verdicts:
    file: verdicts.csv
    columns: {lead_id: lead, given_at: at, verdict: verdict, reason: reason, who: rep}
target: {stage: customer, horizon_days: 21}
serve: {show: [title, company], owner: owner%s}
"""


def write_site(folder: Path, *, leads: int = 12, more: str = "", odd: str = "") -> Project:
    """Write leads L00, L01, … and their scores; return the project.

    L00 is a hand raiser and new, the others are MQLs whose scores fall from 90 on; all but
    L00 and L01 were for sales a week before. The last lead is cold. `odd` is L01's company.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"L{n:02d}" for n in range(leads)]
    rows = ["id,created,title,company,owner"]
    rows += [
        f'{one},2026-02-01T00:00:00,Head of {n},"{odd if n == 1 else "Firm"}",rep-{"ab"[n % 2]}'
        for n, one in enumerate(ids)
    ]
    (folder / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    events = ["lead,at,type,page"]
    for one in ids:
        events += [
            f"{one},2026-02-03T10:00:00,page_view,/pricing",
            f"{one},2026-02-20T10:00:00,demo_request,",
        ]
    (folder / "events.csv").write_text("\n".join(events) + "\n", encoding="utf-8")
    (folder / "verdicts.csv").write_text("lead,at,verdict,reason,rep\n", encoding="utf-8")
    (folder / "config.yaml").write_text(CONFIG % more, encoding="utf-8")
    project = open_project(folder / "config.yaml", workspace=folder / "w")
    ingest(project, say=lambda _text: None)
    write_scores(project, ids[2:], MONDAY - 7 * DAY)
    write_scores(project, ids, MONDAY)
    return project


def write_scores(project: Project, ids: list[str], as_of: int) -> None:
    """Keep a scoring run in which all leads but the last are for sales."""
    workspace = project.workspace
    frame = pd.DataFrame(
        {
            "lead_id": pd.Series(ids, dtype="str"),
            "as_of": pd.to_datetime([as_of] * len(ids), unit="us", utc=True),
            "probability": [0.9 - n / (2 * len(ids)) for n in range(len(ids))],
            "score": [round(90 - n * 50 / len(ids), 1) for n in range(len(ids))],
            "grade": "A1",
            "outcome": ["hand_raiser", *["mql"] * (len(ids) - 2), "cold"],
            "because": "asked for a demo",
            "persona": "",
            "reasons_up": "3 pricing page views in the last 7 days, usually 0; title: head",
            "reasons_down": "no webinars attended so far",
            "trend": 2.0,
            "model_version": "1",
            "criteria_version": 1,
        }
    )
    data = parquet_bytes(frame)
    ScoreFile(workspace.scores, "small", as_of).write(data)
    run = ScoreRun(
        number=0,
        after=0,
        name="small",
        as_of=as_of,
        version="1",
        criteria_version="1",
        criteria_digest="d",
        mql_probability=0.2,
        terms={},
        data={},
        rows=len(ids),
        scores=scores_digest(data),
    )
    keep_run(workspace.ledger, run)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


def outside(clock: Clock) -> Outside:
    """Return the clock, and tokens that are all different and the same each time."""
    numbers = count(1)
    return Outside(clock, lambda: digest_of(f"token {next(numbers)}")[:43])


@dataclass(frozen=True)
class Page:
    """What the server answered."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def words(self) -> str:
        """Return the text without tags, spaces made one."""
        body = re.sub(r"<(style|script|title)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def hidden(self, name: str) -> str:
        """Return the value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}: {self.words[:300]}"
        return unescape(found[1])

    def links(self, start: str) -> list[str]:
        """Return the addresses of links that begin with `start`."""
        return [
            unescape(one) for one in re.findall(rf'href="({re.escape(start)}[^"]*)"', self.text)
        ]


@dataclass
class Client:
    """A browser without a window: it keeps one cookie and follows nothing."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Page:
        return self.send("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> Page:
        return self.send("POST", path, urlencode(fields).encode(), headers)

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Page:
        sent = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.cookie:
            sent["Cookie"] = f"mqlml={self.cookie}"
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        found = {name.lower(): value for name, value in answer.getheaders()}
        if "set-cookie" in found:
            self.cookie = found["set-cookie"].partition("=")[2].partition(";")[0].strip('"')
        return Page(answer.status, text, found)

    def follow(self, page: Page) -> Page:
        """Open the address that an answer leads to."""
        assert page.status == 303, page.words[:300]
        return self.get(page.headers["location"])

    def judge(self, path: str, choice: str, note: str = "", page: Page | None = None) -> Page:
        """Open a lead and press a button of its form."""
        page = page or self.get(path)
        names = ("csrf", "form", "seen")
        fields = {name: page.hidden(name) for name in names}
        return self.post(path, {**fields, "choice": choice, "note": note})


@dataclass(frozen=True)
class Served:
    """A page that is served from a thread of the test."""

    project: Project
    port: int
    clock: Clock
    said: list[str]

    def client(self, **headers: str) -> Client:
        return Client(self.port, headers=headers)

    def signed_in(self, identity: str, role: Role = Role.REP, name: str = "") -> Client:
        """Return the client of somebody who is signed in; no password is asked for."""
        token = digest_of(f"session of {identity}")[:43]
        with closing(prepared_store(self.project, outside(self.clock))) as database:
            add_person(database, Person(identity, name or identity, role))
            with database.write() as cursor:
                cursor.run("DELETE FROM review_sessions WHERE token = ?", digest_of(token))
                person = Person(identity, name or identity, role)
                begin_session(cursor, person, token=token, now=self.clock.now, hours=12)
        return Client(self.port, token)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the store."""
        store = prepared_store(self.project, outside(self.clock))
        with closing(store), store.read() as cursor:
            return [tuple(row) for row in cursor.rows(query)]


def add_person(database: Any, person: Person) -> None:
    """Add somebody without a password."""
    with database.write() as cursor:
        if not cursor.rows("SELECT 1 FROM review_people WHERE id = ?", person.id):
            cursor.run(
                "INSERT INTO review_people (id, name, folded, role, is_active, created_at)"
                " VALUES (?, ?, ?, ?, 1, 0)",
                *(person.id, person.name, person.name.casefold(), person.role.value),
            )


@contextmanager
def served(project: Project, clock: Clock | None = None, **place: str) -> Iterator[Served]:
    """Serve the page on a free port of this machine."""
    clock, said = clock or Clock(), []
    where = Place(port=0, **place)
    with opened_app(project, where, outside(clock), say=said.append) as app:
        listening = listen(where)
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(project, listening.getsockname()[1], clock, said)
        finally:
            server.should_exit = True
            thread.join()
            listening.close()
