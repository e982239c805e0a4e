"""The commands around the page, its verdicts in the tables, and a server that is killed."""

import json
import shutil
import signal
import time
from contextlib import closing
from dataclasses import replace

import pytest
from benchmarks.serve import Profile, list_seconds, measure
from tests.serving_race import Race, started
from tests.serving_site import MONDAY, NOW, Client, Clock, outside, served, write_site

from mqlml.errors import ConfigError, UsageError
from mqlml.serving.roles import Role
from mqlml.storage.scores import read_scores
from mqlml.storage.snapshot import read_tables
from mqlml.storage.workspace import Workspace
from mqlml.workflows.erase import erase
from mqlml.workflows.ingest import current_tables, ingest
from mqlml.workflows.project import open_project
from mqlml.workflows.verdict_store import prepared_store
from mqlml.workflows.verdicts import invite_person


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def project(written, tmp_path):
    target = tmp_path / "w"
    shutil.copytree(written.workspace.root, target)
    return replace(written, workspace=Workspace(target))


def words_of(project, *more):
    config = project.data_dir / "config.yaml"
    return (*more, "--config", config, "--workspace", project.workspace.root)


def silent(_text):
    pass


def shown(verdicts):
    rows = verdicts.sort_values("given_at")[["lead_id", "verdict", "reason", "who", "note"]]
    return [tuple(None if v != v else v for v in row) for row in rows.to_numpy()]


def judge_two(page):
    """Reject L00, change the mind; reject L01, undo; reject L02."""
    client = page.signed_in("rep-a")
    first, second, third, *_ = client.get("/").links("/lead/")
    client.judge(first, "no_need")
    page.clock.now += 1
    client.judge(first, "accepted")
    told = client.follow(client.judge(second, "duplicate"))
    fields = {"csrf": told.hidden("csrf"), "number": told.hidden("number")}
    client.post("/undo", fields)
    page.clock.now += 1
    client.judge(third, "other", "has left the firm")


def test_what_stands_on_the_page_is_in_the_tables_after_the_next_reading(project):
    before = read_tables(project.workspace.root)
    with served(project) as page:
        judge_two(page)
    tables = current_tables(project, say=silent)
    assert shown(tables.verdicts) == [
        ("L00", "accepted", None, "rep-a", None),
        ("L02", "rejected", "other", "rep-a", "has left the firm"),
    ]
    # A verdict of today says nothing of how far the events reach.
    assert tables.data_end == before.data_end
    said = []
    current_tables(project, say=said.append)
    assert said == []  # nothing changed, nothing is read again
    (count,) = [c for c in ingest(project, say=silent).counts if "standing" in c.file]
    assert (count.table, count.rows, count.kept) == ("verdicts", 2, 2)


def test_a_file_without_a_row_is_read_again_each_time_and_stops_nothing(project):
    with served(project) as page:
        client = page.signed_in("rep-a")
        links = client.get("/").links("/lead/")
        for number, link in enumerate(links[:3], start=1):
            client.judge(link, "accepted")
            page.clock.now += 1
            assert len(current_tables(project, say=silent).verdicts) == number


def test_verdicts_of_the_page_may_be_later_than_a_declared_end_of_the_data(project):
    sources = project.settings.sources.model_copy(update={"data_end": "2026-03-02"})
    settings = project.settings.model_copy(update={"sources": sources})
    with served(project) as page:
        judge_two(page)
    tables = current_tables(replace(project, settings=settings), say=silent)
    assert len(tables.verdicts) == 2
    assert tables.data_end == MONDAY


def test_the_page_and_its_door_work_on_postgres(project, postgres_url):
    serve = project.settings.serve.model_copy(update={"store_url_env": "REVIEW_DB"})
    settings = project.settings.model_copy(update={"serve": serve})
    project = replace(project, settings=settings, secrets={"REVIEW_DB": postgres_url})
    with served(project) as page:
        judge_two(page)
        assert not project.workspace.verdicts.exists()
        assert len(current_tables(project, say=silent).verdicts) == 2
        erase(project, ["L02"], salt="salt")
        assert page.rows("SELECT DISTINCT lead_id FROM review_verdicts ORDER BY 1") == [
            ("L00",),
            ("L01",),
        ]
        client = page.signed_in("rep-a")
        assert "L02" not in client.get("/?show=all").words
    assert len(current_tables(project, say=silent).verdicts) == 1


def test_the_scores_of_a_real_model_make_the_list(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace)
    for day in ("2025-10-13", "2025-10-20"):
        told = mqlml("score", *shared, "--as-of", day, "--json")
        assert told.code == 0, told.err
    project = open_project(company, workspace=workspace)
    tuesday = project.instant("2025-10-21")
    with served(project, Clock(tuesday)) as page:
        client = page.signed_in("rep-a")
        listed = client.get("/?show=all")
        scores = read_scores(workspace / "scores")
        latest = scores[scores["as_of"] == scores["as_of"].max()]
        wanted = latest[latest["outcome"].isin(["mql", "hand_raiser"])]
        assert f"All ({len(wanted)})" in listed.words
        best = wanted[wanted["lead_id"] == wanted.iloc[0]["lead_id"]].iloc[0]
        pages = [client.get(link).words for link in listed.links("/lead/")[:50]]
        shown = next(words for words in pages if f"Lead {best['lead_id']} " in words)
        assert all(reason in shown for reason in best["reasons_up"].split("; "))
        assert "What the lead did" in shown


def test_a_lead_that_the_crm_judged_is_not_asked_for_again(project, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(project.data_dir, folder, ignore=shutil.ignore_patterns("w"))
    (folder / "verdicts.csv").write_text(
        "lead,at,verdict,reason,rep\n"
        "L00,2026-03-02T08:00:00,rejected,no_budget,crm-7\n"
        "L01,2026-03-01T08:00:00,accepted,,crm-7\n"  # before it was handed over
    )
    moved = replace(project, data_dir=folder)
    ingest(moved, say=silent)
    with served(moved) as page:
        client = page.signed_in("rep-a")
        assert "To judge (10) Judged (1)" in client.get("/").words
        first = client.get("/?show=judged").links("/lead/")[0]
        assert "crm-7, elsewhere: rejected: no budget" in client.get(first).words


def test_invite_export_and_import_are_commands(mqlml, project, tmp_path, monkeypatch):
    fixed = outside(Clock(NOW))
    monkeypatch.setattr("mqlml.cli.review._outside", lambda: fixed)
    told = mqlml(*words_of(project, "review", "invite", "Ann", "--who", "a-1", "--json"))
    assert told.code == 0, told.err
    assert told.document["id"] == "a-1"
    assert told.document["address"].startswith("http://127.0.0.1:8321/welcome/")
    behind = ("--behind-proxy", "https://leads.firm.example/")
    told = mqlml(*words_of(project, "review", "invite", "Ben", *behind))
    assert "https://leads.firm.example/welcome/" in told.out
    out = tmp_path / "list.csv"
    told = mqlml(*words_of(project, "review", "export", out, "--list", "--json"))
    assert told.document["rows"] == 11
    lines = out.read_text().splitlines()
    filled = [lines[0], *(f"{line[:-3]},accepted,," for line in lines[1:3]), *lines[3:]]
    out.write_text("\n".join([*filled, "L99,,,,,,,accepted,,"]) + "\n")
    told = mqlml(*words_of(project, "review", "import", out, "--who", "Ann", "--json"))
    assert told.code == 0, told.err
    assert (told.document["added"], told.document["without_verdict"]) == (2, 9)
    assert told.document["refused"][0]["line"] == 13
    assert "no such lead" in (tmp_path / "list.refused.csv").read_text()
    history = tmp_path / "history.csv"
    assert mqlml(*words_of(project, "review", "export", history)).code == 0
    assert len(history.read_text().splitlines()) == 3
    told = mqlml(*words_of(project, "review", "import", history, "--json"))
    assert (told.document["added"], told.document["known"]) == (0, 2)
    assert mqlml(*words_of(project, "review", "import", tmp_path / "no.csv")).code == 5
    nobody = mqlml(*words_of(project, "review", "import", history, "--who", "Eve"))
    assert (nobody.code, "nobody of this name" in nobody.err) == (UsageError.exit_code, True)


def test_shared_options_may_stand_before_each_command_of_review(mqlml, project, tmp_path):
    shared = words_of(project)
    for words in (
        ("review", "export", tmp_path / "a.csv", *shared),
        ("review", *shared, "export", tmp_path / "b.csv"),
        (*shared, "review", "export", tmp_path / "c.csv"),
    ):
        assert mqlml(*words).code == 0
    told = mqlml("review")
    assert (told.code, "Missing option '--config'" in told.err) == (UsageError.exit_code, True)
    assert mqlml(*shared, "review").code == 7  # there is no champion to review


def test_faults_of_the_command_line_are_told(mqlml, project, tmp_path):
    told = mqlml(*words_of(project, "review", "serve", "--behind-proxy", "leads.firm.example"))
    assert "not an address" in told.err
    with served(project) as page:
        told = mqlml(*words_of(project, "review", "serve", "--port", page.port))
        assert (told.code, "cannot listen there" in told.err) == (UsageError.exit_code, True)
    config = tmp_path / "hashed.yaml"
    text = (project.data_dir / "config.yaml").read_text()
    config.write_text(text.replace("sources:\n", "sources:\n  identity: {hash_key_env: KEY}\n", 1))
    told = mqlml("review", "serve", "--config", config, "--workspace", tmp_path / "none")
    assert (told.code, "nobody could judge" in told.err) == (ConfigError.exit_code, True)
    config.write_text(text.replace("owner: owner", "own_leads_only: true"))
    told = mqlml("review", "serve", "--config", config)
    assert "'own_leads_only' needs 'owner'" in told.err


def test_the_benchmark_in_its_smallest_form_loses_and_doubles_nothing(project):
    with served(project) as page:
        asked = Profile(reps=3, verdicts=3, leads=11, tries=12)
        taken, lost, doubled = measure(page, asked)
        assert (len(taken.saved), len(taken.bare), lost, doubled) == (9, 9, 0, 0)
        assert len(list_seconds(page.port, page.signed_in("x").cookie, times=2)) == 2


def test_a_server_killed_while_reps_save_loses_nothing_it_answered_and_doubles_nothing(project):
    with closing(prepared_store(project, outside(Clock()))):
        pass
    job, port = started(words_of(project))
    with served(project, Clock(time.time_ns() // 1_000)) as page:
        race = Race.prepared(page)
    race.run(port, job.kill)
    job.wait()
    job.stderr.close()
    assert 5 <= len(race.answered) < len(race.forms)
    with served(project, Clock(time.time_ns() // 1_000)) as page:
        race.settle(page)
        assert page.signed_in("m", Role.MARKETING).get("/verdicts").status == 200


def test_a_server_ends_on_an_interruption_and_leaves_no_line_about_leads(project):
    clock = Clock(time.time_ns() // 1_000)
    invite_person(project, "Ann", Role.REP, who="a", address="", outside=outside(clock))
    job, port = started(words_of(project))
    stranger = Client(port)
    assert stranger.get("/lead/L00?lead=L00").headers["location"] == "/signin"
    job.send_signal(signal.SIGINT)
    text = job.stderr.read()
    assert job.wait(timeout=30) in {0, 130}
    job.stderr.close()
    assert "L00" not in text
    assert json.dumps(text).count("GET") == 0
