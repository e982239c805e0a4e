"""Bad input and attacks on the page for sales, against the real server."""

import http.client
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from tests.serving_site import (
    DAY,
    HOUR,
    NOW,
    Client,
    Clock,
    outside,
    served,
    write_site,
)

from mqlml.serving.roles import Role
from mqlml.storage.workspace import Workspace
from mqlml.workflows.erase import erase
from mqlml.workflows.verdicts import invite_person

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
PASSWORD = "four words are plenty"
COUNT = "SELECT count(*) FROM review_verdicts"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"), odd=HOSTILE.replace('"', '""'))


@pytest.fixture
def project(written, tmp_path):
    target = tmp_path / "w"
    shutil.copytree(written.workspace.root, target)
    return replace(written, workspace=Workspace(target))


@pytest.fixture
def page(project):
    with served(project) as opened:
        yield opened


def saved(page) -> int:
    return page.rows(COUNT)[0][0]


def test_a_verdict_on_an_unknown_lead_is_refused_and_nothing_is_saved(page):
    client = page.signed_in("rep-a")
    form = client.get(client.get("/").links("/lead/")[0])
    for token in ("0" * 32, "L00", "%00", "é" * 8, "x" * 3000):
        shown = client.judge(
            f"/lead/{token}" if token.isascii() else "/lead/%C3%A9", "accepted", page=form
        )
        assert shown.status == 404
    assert saved(page) == 0


def test_a_lead_is_neither_listed_nor_judged_before_it_is_handed_over(page):
    client = page.signed_in("rep-a")
    new = client.get("/").links("/lead/")[0]
    form = client.get(new)
    page.clock.now = NOW - 2 * DAY  # L00 was handed over on Monday, which is still to come
    assert len(page.signed_in("rep-a").get("/").links("/lead/")) == 9
    shown = client.judge(new, "accepted", page=form)
    assert shown.status == 409
    assert "the lead is not handed over yet" in shown.words
    assert saved(page) == 0


def test_an_erased_lead_is_gone_at_once_and_every_verdict_with_it(page):
    ann = page.signed_in("rep-a")
    first, second, *_ = ann.get("/").links("/lead/")
    ann.judge(first, "not_now", "L00 rang back")
    ann.judge(second, "accepted", "a friend of L00")
    form = ann.get(first)
    erase(page.project, ["L00"], salt="salt")
    assert ann.get(first).status == 404
    assert ann.judge(first, "accepted", page=form).status == 404
    assert "L00" not in ann.get("/?show=all").words
    assert page.rows("SELECT lead_id, note FROM review_verdicts") == [
        ("L01", "a friend of (erased)")
    ]
    root = page.project.workspace.root
    kept = [path for path in root.glob("review.db*") if b"L00" in path.read_bytes()]
    assert kept == []


@pytest.mark.parametrize(
    "choice", ["too_expensive", "", "undone", "rejected", "ACCEPTED", "a" * 999]
)
def test_a_reason_outside_the_taxonomy_is_refused_and_the_note_is_not_lost(page, choice):
    client = page.signed_in("rep-a")
    shown = client.judge(client.get("/").links("/lead/")[0], choice, "what I wrote")
    assert shown.status == 400
    assert "Not saved: the reason is not one of the list" in shown.words
    assert "what I wrote</textarea>" in shown.text
    assert saved(page) == 0


def test_other_without_a_note_is_asked_for_one(page):
    client = page.signed_in("rep-a")
    shown = client.judge(client.get("/").links("/lead/")[0], "other", " \x00 ")
    assert (shown.status, saved(page)) == (400, 0)
    assert "'other' needs a note" in shown.words


@pytest.mark.parametrize("length", [2_001, 70_000, 1_000_000, 12_000_000])
def test_a_note_that_is_too_long_is_refused_whatever_its_length(page, length):
    client = page.signed_in("rep-a")
    try:
        shown = client.judge(client.get("/").links("/lead/")[0], "other", "n" * length)
    except (BrokenPipeError, ConnectionResetError):
        assert length > 8_000_000  # past what is read for courtesy the line is cut
    else:
        assert shown.status == 413
    assert saved(page) == 0
    assert client.get("/").status == 200


def test_html_and_formulas_are_shown_as_text_and_exported_inert(page):
    client = page.signed_in("rep-a", name=HOSTILE)
    second = client.get("/").links("/lead/")[1]
    client.judge(second, "other", f"=cmd|' /C calc'!A0 {HOSTILE}")
    lead = page.signed_in("lead-1", Role.SALES_LEAD, name="+1+1")
    texts = [lead.get(second).text, lead.get("/verdicts").text, client.get("/").text]
    for text in texts:
        assert "<script>alert" not in text
        assert "<img" not in text
    assert all("&lt;script&gt;alert(1)" in text for text in texts)
    cells = lead.get("/verdicts.csv").text.splitlines()[1].split(",")
    assert not [c for c in cells if c.strip('"').startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_a_form_from_elsewhere_is_refused(page, header):
    client = page.signed_in("rep-a")
    first = client.get("/").links("/lead/")[0]
    form = client.get(first)
    client.headers.update(header)
    assert client.judge(first, "accepted", page=form).status in {403, 421}
    assert saved(page) == 0


@pytest.mark.parametrize("forge", ["", "0" * 64, "other", None])
def test_a_missing_or_forged_form_token_is_refused(page, forge):
    client, other = page.signed_in("rep-a"), page.signed_in("rep-b")
    first = client.get("/").links("/lead/")[0]
    form = client.get(first)
    csrf = other.get(first).hidden("csrf") if forge == "other" else forge
    fields = {"form": form.hidden("form"), "seen": 0, "choice": "accepted"}
    shown = client.post(first, fields if csrf is None else {**fields, "csrf": csrf})
    assert (shown.status, saved(page)) == (403, 0)
    out = client.post("/signout", {"csrf": csrf or ""})
    assert (out.status, client.get("/").status) == (403, 200)


def test_pages_of_another_role_are_refused(page):
    allowed = {
        Role.REP: {"/": 200, "/verdicts": 403, "/verdicts.csv": 403, "/people": 403, "/audit": 403},
        Role.MARKETING: {"/": 200, "/verdicts": 200, "/people": 403, "/audit": 403},
        Role.SALES_LEAD: {"/verdicts": 200, "/verdicts.csv": 200, "/people": 403, "/audit": 403},
        Role.ADMIN: {"/verdicts": 200, "/people": 200, "/audit": 200},
    }
    for role, pages in allowed.items():
        client = page.signed_in(f"one-{role.value}", role)
        assert {path: client.get(path).status for path in pages} == pages
    stranger = page.client()
    for path in ("/", "/verdicts", "/verdicts.csv", "/people", "/audit", "/keys"):
        assert stranger.get(path).headers["location"] == "/signin"
    for role in (Role.MARKETING, Role.ADMIN):
        client = page.signed_in(f"one-{role.value}", role)
        first = client.get("/").links("/lead/")[0]
        fields = {"csrf": client.get("/").hidden("csrf"), "form": "f" * 20, "choice": "accepted"}
        assert client.post(first, fields).status == 403
    rep = page.signed_in("one-rep")
    fields = {"csrf": rep.get("/").hidden("csrf"), "id": "one-admin", "act": "out"}
    assert rep.post("/people", fields).status == 403
    assert page.signed_in("one-admin", Role.ADMIN).get("/people").status == 200
    assert saved(page) == 0


def test_nobody_undoes_the_verdict_of_another(page):
    ann, ben = page.signed_in("rep-a"), page.signed_in("rep-b")
    ann.judge(ann.get("/").links("/lead/")[0], "accepted")
    csrf = ben.get("/").hidden("csrf")
    for number in (1, 2, "x", -1, "9" * 30):
        assert ben.post("/undo", {"csrf": csrf, "number": number}).status == 404
    assert saved(page) == 1
    assert "Saved" not in ben.get("/?said=1").words


def test_a_session_is_worth_nothing_after_sign_out_nor_after_its_time(page):
    client = page.signed_in("rep-a")
    stolen = Client(page.port, client.cookie)
    first = client.get("/").links("/lead/")[0]
    form = stolen.get(first)
    client.post("/signout", {"csrf": client.get("/").hidden("csrf")})
    assert Client(page.port, stolen.cookie).get("/").headers["location"] == "/signin"
    shown = Client(page.port, stolen.cookie).judge(first, "accepted", page=form)
    assert (shown.status, saved(page)) == (401, 0)
    late = page.signed_in("rep-b")
    page.clock.now += 12 * HOUR
    assert late.get("/").status == 200
    page.clock.now += 1
    assert late.get("/").headers["location"] == "/signin"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/review.db",
        "/static/..%2f..%2freview.db",
        "/..%5c..%5creview.db",
        "//etc/passwd",
        "/review.db",
        "/lead/../../review.db",
        "/verdicts.csv/../review.db",
    ],
)
def test_no_path_leads_out_of_the_page(page, path):
    client = page.signed_in("adm", Role.ADMIN)
    shown = client.get(path)
    assert shown.status == 404
    assert "SQLite" not in shown.text
    assert "root:" not in shown.text


def test_an_invitation_lets_one_person_in_once(project):
    clock = Clock()
    with served(project, clock) as page:
        told = invite_person(
            project, "Ann", Role.REP, who="a-1", address="http://x", outside=outside(clock)
        )
        path = told.address.removeprefix("http://x")
        client = page.client()
        shown = client.get(path)
        csrf = shown.hidden("csrf")
        for bad in ("short", "aaaaaaaaaaaaaaaa", "ann ann ann ann", "x" * 300):
            assert client.post(path, {"csrf": csrf, "password": bad, "again": bad}).status == 400
        fields = {"csrf": csrf, "password": PASSWORD, "again": PASSWORD}
        assert client.post(path, {**fields, "again": "another"}).status == 400
        assert "Signed in as Ann (rep)" in client.follow(client.post(path, fields)).words
        again = page.client()
        assert again.get(path).status == 404
        form = again.get("/signin").hidden("csrf")
        assert again.post(path, {**fields, "csrf": form}).status == 404
        sign = {"csrf": form, "name": " aNN ", "password": PASSWORD}
        assert again.follow(again.post("/signin", sign)).status == 200
        assert PASSWORD.encode() not in project.workspace.verdicts.read_bytes()
        late = invite_person(
            project, "Ben", Role.REP, who=None, address="", outside=outside(Clock(NOW + 1))
        )
        clock.now += 7 * DAY + 2
        assert page.client().get(late.address).status == 404


@pytest.fixture
def quick_hashes(monkeypatch):
    """Hash passwords with little work, where many are hashed."""
    from mqlml.serving import people, signing_in

    monkeypatch.setattr(people, "_LOG_N", 4)
    monkeypatch.setattr(signing_in, "NOBODY", f"scrypt$4$8$5$nobody${'0' * 64}")


def test_an_office_behind_one_address_may_sign_in_as_often_as_it_likes(project, quick_hashes):
    clock = Clock()
    with served(project, clock) as page:
        told = invite_person(project, "Ann", Role.REP, who=None, address="", outside=outside(clock))
        client = page.client()
        fields = {"csrf": client.get(told.address).hidden("csrf")}
        client.post(told.address, {**fields, "password": PASSWORD, "again": PASSWORD})
        visitor = page.client()
        fields = {"csrf": visitor.get("/signin").hidden("csrf"), "name": "Ann"}
        for _ in range(105):
            again = Client(page.port, visitor.cookie)
            assert again.post("/signin", {**fields, "password": PASSWORD}).status == 303


# `make bench-serve` makes ten thousand.
def test_hundreds_of_tries_at_a_password_compute_ten_hashes(project, monkeypatch, quick_hashes):
    from mqlml.serving import signing_in

    hashed = []
    real = signing_in.is_password
    monkeypatch.setattr(signing_in, "is_password", lambda *a: hashed.append(1) or real(*a))
    clock = Clock()
    with served(project, clock) as page:
        told = invite_person(project, "Ann", Role.REP, who=None, address="", outside=outside(clock))
        client = page.client()
        fields = {"csrf": client.get(told.address).hidden("csrf")}
        client.post(told.address, {**fields, "password": PASSWORD, "again": PASSWORD})
        attacker = page.client()
        fields = {"csrf": attacker.get("/signin").hidden("csrf"), "name": "Ann"}
        answers = _many(page.port, attacker.cookie, fields, tries=400)
        assert (answers[401], answers[429]) == (10, 390)
        assert len(hashed) == 10
        right = attacker.post("/signin", {**fields, "password": PASSWORD})
        assert right.status == 429
        assert page.rows("SELECT count(*) FROM review_audit WHERE what = 'sign-in failed'") == [
            (10,)
        ]
        clock.now += 15 * 60 * 1_000_000
        assert attacker.post("/signin", {**fields, "password": PASSWORD}).status == 303


def _many(port: int, cookie: str, fields: dict[str, str], *, tries: int) -> dict[int, int]:
    """Try many passwords over connections that stay open; count the answers."""
    answers: dict[int, int] = {}
    lock = threading.Lock()

    def attack(number: int) -> None:
        headers = {
            "Cookie": f"mqlml={cookie}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            for guess in range(number, tries, 4):
                body = urlencode({**fields, "password": f"guess {guess}"})
                line.request("POST", "/signin", body, headers)
                answer = line.getresponse()
                answer.read()
                with lock:
                    answers[answer.status] = answers.get(answer.status, 0) + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attack, range(4)))
    return answers


def test_a_locked_database_is_told_with_what_was_typed_and_taken_once_it_is_free(page, monkeypatch):
    client = page.signed_in("rep-a")
    first = client.get("/").links("/lead/")[0]
    form = client.get(first)
    path = page.project.workspace.verdicts
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        shown = client.judge(first, "other", "typed with care", page=form)
        assert shown.status == 503
        assert "Nothing was saved" in shown.words
        assert shown.hidden("note") == "typed with care"
        assert page.said == ["the store of verdicts does not answer"]
        holder.execute("ROLLBACK")
    fields = {n: shown.hidden(n) for n in ("csrf", "form", "seen", "choice", "note")}
    assert client.post(first, fields).status == 303
    assert page.rows("SELECT note FROM review_verdicts") == [("typed with care",)]


def test_a_database_that_is_taken_away_is_never_written_into_the_void(page):
    client = page.signed_in("rep-a")
    first = client.get("/").links("/lead/")[0]
    form = client.get(first)
    path = page.project.workspace.verdicts
    away = path.with_name("away.db")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.rename(away)
    shown = client.judge(first, "not_now", "typed with care", page=form)
    assert (shown.status, shown.hidden("note")) == (503, "typed with care")
    assert not path.exists()
    away.rename(path)
    assert client.judge(first, "accepted", page=form).status == 303
    assert saved(page) == 1


def test_defects_and_answers_tell_nothing_of_the_data(page, monkeypatch):
    from mqlml.serving import listing

    def broken(*_args):
        raise RuntimeError("L00 and its secrets")

    monkeypatch.setattr(listing, "is_due", broken)
    client = page.signed_in("rep-a")
    shown = client.get("/")
    assert shown.status == 500
    assert "secrets" not in shown.text
    assert page.said == ["/: RuntimeError, a defect: please report it"]


def test_every_answer_carries_the_headers_that_bound_what_a_page_may_do(page):
    client = page.signed_in("rep-a")
    shown = [client.get(path) for path in ("/", "/signin", "/nothing", "/static/keys.js")]
    for one in shown:
        policy = one.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["referrer-policy"] == "same-origin"
        assert "style=" not in one.text
        assert "server" not in one.headers
    assert {one.headers["cache-control"] for one in shown[:3]} == {"no-store"}
    fresh = page.client().get("/signin").headers["set-cookie"]
    assert "HttpOnly" in fresh
    assert "SameSite=lax" in fresh


def test_behind_a_proxy_cookies_are_secure_and_the_sender_is_whom_the_proxy_saw(
    project, quick_hashes
):
    with served(project, public="https://leads.firm.example") as page:
        client = page.client(Host="leads.firm.example")
        shown = client.get("/signin")
        assert "__Host-mqlml=" in shown.headers["set-cookie"]
        assert "Secure" in shown.headers["set-cookie"]
        assert shown.headers["strict-transport-security"] == "max-age=31536000"
        assert page.client(Host="other.example").get("/signin").status == 421
        client.headers["Cookie"] = f"__Host-mqlml={client.cookie}"
        client.cookie = ""
        fields = {"csrf": shown.hidden("csrf"), "name": "nobody", "password": "x" * 12}
        own = {"Origin": "https://leads.firm.example"}
        answers = [
            client.post("/signin", fields, **own, X_Forwarded_For=f"9.9.9.9, 10.0.0.{n}").status
            for n in (1, *[2] * 11)
        ]
        assert answers == [401] * 11 + [429]
