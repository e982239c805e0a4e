"""The page for sales over real HTTP: the list, a lead, verdicts, undo, roles."""

import shutil
from dataclasses import replace

import pytest
from tests.page_checks import Outline
from tests.serving_site import DAY, HOUR, MONDAY, NOW, Clock, served, write_scores, write_site

from mqlml.serving.roles import Role
from mqlml.storage.workspace import Workspace

STANDING = "SELECT lead_id, verdict, reason, note, who FROM review_standing ORDER BY number"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a project that tests copy the workspace of."""
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def project(written, tmp_path):
    target = tmp_path / "w"
    shutil.copytree(written.workspace.root, target)
    return replace(written, workspace=Workspace(target))


@pytest.fixture
def page(project):
    with served(project) as opened:
        yield opened


def test_the_list_begins_with_what_is_new_then_the_score_and_leaves_the_cold_out(page):
    shown = page.signed_in("rep-a").get("/")
    order = [shown.words.index(f"L{n:02d}") for n in range(11)]
    assert order == sorted(order)
    assert "L11" not in shown.words
    assert "new Hand raiser A1 score 90" in shown.words
    assert "To judge (11)" in shown.words
    assert shown.words.count("new ") == 2  # L00 and L01 were not for sales a week before
    assert "1 day ago" in shown.words
    assert "8 days ago" in shown.words


def test_a_lead_shows_outcome_grade_reasons_attributes_and_what_it_did(page):
    client = page.signed_in("rep-a")
    shown = client.get(client.get("/").links("/lead/")[0])
    for words in (
        *("Lead L00", "Hand raiser", "Grade A1", "+2 points since the last scores"),
        *("3 pricing page views in the last 7 days, usually 0", "no webinars attended so far"),
        *("title Head of 0", "company Firm", "asked for a demo"),
        *("2026-02-03 10:00 UTC looked at a page: /pricing", "handed over to sales"),
    ):
        assert words in shown.words, words
    assert "owner" not in shown.words


def test_no_address_of_a_page_names_a_lead(page):
    client = page.signed_in("rep-a")
    home = client.get("/")
    pages = [home, *map(client.get, home.links("/lead/")[:2])]
    addresses = [one for shown in pages for one in Outline(shown.text).addresses]
    assert len(addresses) > 20
    assert not [one for one in addresses if "L0" in one]


def test_a_verdict_is_saved_and_the_next_lead_is_shown_with_undo_on_top(page):
    client = page.signed_in("rep-a")
    first, second, *_ = client.get("/").links("/lead/")
    shown = client.follow(client.judge(first, "no_budget", "asks again in May"))
    assert "Saved: L00 rejected: no budget . u Undo" in shown.words
    assert "Lead L01" in shown.words
    assert page.rows(STANDING) == [("L00", "rejected", "no_budget", "asks again in May", "rep-a")]
    shown = client.follow(client.judge(second, "accepted"))
    assert "Saved: L01 accepted" in shown.words
    assert "To judge (9) Judged (2) All (11)" in client.get("/").words
    judged = client.get("/?show=judged").words
    assert "rejected: no budget" in judged


def test_undo_takes_the_verdict_back_and_keeps_it_as_history(page):
    client = page.signed_in("rep-a", name="Ann")
    first = client.get("/").links("/lead/")[0]
    shown = client.follow(client.judge(first, "duplicate"))
    fields = {"csrf": shown.hidden("csrf"), "number": shown.hidden("number")}
    back = client.follow(client.post("/undo", fields))
    assert "Taken back: the verdict counts no longer." in back.words
    assert "Lead L00" in back.words
    assert "Ann rejected: duplicate (taken back)" in back.words
    assert page.rows(STANDING) == []
    client.post("/undo", fields)  # once more changes nothing
    assert page.rows("SELECT verdict, undoes FROM review_verdicts ORDER BY number") == [
        ("rejected", None),
        ("undone", 1),
    ]


def test_a_change_of_mind_is_kept_and_undoing_it_brings_the_first_verdict_back(page):
    client = page.signed_in("rep-a")
    first = client.get("/").links("/lead/")[0]
    client.judge(first, "no_need")
    page.clock.now += HOUR
    shown = client.follow(client.judge(first, "accepted"))
    assert page.rows(STANDING) == [("L00", "accepted", None, None, "rep-a")]
    assert page.rows("SELECT verdict, given_at FROM review_verdicts ORDER BY number") == [
        ("rejected", NOW),
        ("accepted", NOW + HOUR),
    ]
    fields = {"csrf": shown.hidden("csrf"), "number": shown.hidden("number")}
    client.post("/undo", fields)
    assert page.rows(STANDING) == [("L00", "rejected", "no_need", None, "rep-a")]


def test_the_same_form_sent_twice_is_one_verdict(page):
    client = page.signed_in("rep-a")
    first = client.get("/").links("/lead/")[0]
    form = client.get(first)
    answers = [client.judge(first, "accepted", page=form) for _ in range(3)]
    assert {answer.headers["location"] for answer in answers} == {answers[0].headers["location"]}
    assert page.rows("SELECT count(*) FROM review_verdicts") == [(1,)]
    assert page.rows("SELECT what, about FROM review_audit") == [("verdict", "verdict 1")]


def test_two_reps_at_once_on_one_lead_are_both_kept_and_the_second_is_told(page):
    ann, ben = page.signed_in("rep-a", name="Ann"), page.signed_in("rep-b", name="Ben")
    first = ann.get("/").links("/lead/")[0]
    forms = ann.get(first), ben.get(first)
    told = ann.follow(ann.judge(first, "not_now", page=forms[0]))
    assert "meanwhile" not in told.words
    told = ben.follow(ben.judge(first, "accepted", page=forms[1]))
    assert "Ann said: rejected: not now meanwhile; both are kept." in told.words
    assert [row[1] for row in page.rows(STANDING)] == ["rejected", "accepted"]


def test_a_lead_that_newer_scores_let_go_can_still_be_judged_by_who_had_it_open(page):
    client = page.signed_in("rep-a")
    links = client.get("/").links("/lead/")
    form = client.get(links[3])
    ids = [f"L{n:02d}" for n in (*range(3), *range(4, 12))]
    write_scores(page.project, ids, MONDAY + DAY)
    assert "L03" not in client.get("/").words
    assert client.judge(links[3], "accepted", page=form).status == 303
    assert page.rows(STANDING)[0][0] == "L03"


def test_other_reps_leads_are_hidden_only_where_the_config_says_so(project):
    bound = project.settings.serve.model_copy(update={"own_leads_only": True})
    settings = project.settings.model_copy(update={"serve": bound})
    with served(replace(project, settings=settings)) as page:
        everything = page.signed_in("lead-1", Role.SALES_LEAD).get("/").links("/lead/")
        rep = page.signed_in("rep-a")
        own = rep.get("/").links("/lead/")
        assert (len(everything), len(own)) == (11, 6)
        others = next(link for link in everything if link not in own)
        assert rep.get(others).status == 404
        form = rep.get(own[0])
        assert rep.judge(others, "accepted", page=form).status == 404
        assert page.rows(STANDING) == []


def test_a_long_list_comes_in_pages_that_begin_where_the_last_ended(project):
    few = project.settings.serve.model_copy(update={"rows_per_page": 4})
    settings = project.settings.model_copy(update={"serve": few})
    with served(replace(project, settings=settings)) as page:
        client = page.signed_in("rep-a")
        seen = [client.get(f"/?page={n}").links("/lead/") for n in (1, 2, 3)]
        assert [len(links) for links in seen] == [4, 4, 3]
        assert len({link for links in seen for link in links}) == 11
        assert client.get("/?page=99").links("/lead/") == seen[2]
        assert client.get("/?page=-1").links("/lead/") == seen[0]


def test_marketing_reads_verdicts_and_gives_none(page):
    rep = page.signed_in("rep-a", name="Ann")
    rep.judge(rep.get("/").links("/lead/")[0], "competitor", "=HYPERLINK(1)")
    reader = page.signed_in("m-1", Role.MARKETING)
    lead = reader.get("/").links("/lead/")[0]
    assert "Accept" not in reader.get(lead).words
    assert "L00 rejected: competitor =HYPERLINK(1) Ann" in reader.get("/verdicts").words
    csv = reader.get("/verdicts.csv")
    assert csv.headers["content-disposition"] == 'attachment; filename="verdicts.csv"'
    assert ",rejected,competitor,'=HYPERLINK(1)," in csv.text
    assert page.rows("SELECT what FROM review_audit ORDER BY number DESC LIMIT 1") == [("export",)]


def test_an_admin_shuts_people_out_at_once_and_reads_the_audit_log(page):
    rep = page.signed_in("rep-a", name="Ann")
    admin = page.signed_in("adm", Role.ADMIN, name="Eve")
    shown = admin.get("/people")
    fields = {"csrf": shown.hidden("csrf"), "id": "rep-a", "act": "out"}
    assert rep.get("/").status == 200
    assert admin.post("/people", fields).status == 303
    assert rep.get("/").headers["location"] == "/signin"
    assert admin.post("/people", {**fields, "id": "adm"}).status == 400
    assert admin.post("/people", {**fields, "id": "nobody"}).status == 404
    assert "Eve shut out Ann" in admin.get("/audit").words


def test_the_list_is_renewed_when_leads_were_scored_again(page):
    client = page.signed_in("rep-a")
    assert "To judge (11)" in client.get("/").words
    write_scores(page.project, ["L05", "L06", "L07"], MONDAY + DAY)
    assert "To judge (2)" in client.get("/").words


def test_before_the_first_scores_the_page_says_what_to_do(tmp_path, written):
    empty = replace(written, workspace=Workspace(tmp_path / "empty").create())
    with served(empty, Clock()) as page:
        assert "There are no scores yet." in page.signed_in("rep-a").get("/").words


@pytest.mark.parametrize(
    "path", ["/signin", "/", "/keys", "lead", "/verdicts", "/people", "/audit"]
)
def test_pages_are_sound_for_screen_readers(page, path):
    admin = page.signed_in("adm", Role.ADMIN)
    client = page.signed_in("lead-1", Role.SALES_LEAD) if path == "lead" else admin
    client = page.client() if path == "/signin" else client
    path = client.get("/").links("/lead/")[0] if path == "lead" else path
    outline = Outline(client.get(path).text)
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert outline.headings.count(1) == 1
    assert not [pair for pair in steps if pair[1] > pair[0] + 1]
    assert len(outline.ids) == len(set(outline.ids))
    assert not outline.unlabelled
    assert outline.unscoped == outline.tables_without_caption == outline.unfocusable == 0
    assert not [one for one in outline.addresses if "//" in one]
