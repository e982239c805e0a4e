"""Verdicts in PostgreSQL while the page, or the database, is killed in the middle of saving."""

import os
import signal
import time
from contextlib import closing

import psycopg
import pytest
from tests.serving_race import Race, started
from tests.serving_site import Clock, outside, served, write_site

from mqlml.workflows.project import open_project
from mqlml.workflows.verdict_store import prepared_store


@pytest.fixture
def project(tmp_path, postgres_url, monkeypatch):
    write_site(tmp_path)
    config = tmp_path / "config.yaml"
    text = config.read_text().replace("serve: {", "serve: {store_url_env: REVIEW_DB, ")
    config.write_text(text)
    monkeypatch.setenv("REVIEW_DB", postgres_url)
    project = open_project(config, workspace=tmp_path / "w", secrets={"REVIEW_DB": postgres_url})
    with closing(prepared_store(project, outside(Clock()))):
        pass
    return project


def wait_for(url):
    for _ in range(300):
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL did not come back")


def now():
    return Clock(time.time_ns() // 1_000)


def test_a_page_killed_while_reps_save_to_postgres_loses_nothing_and_doubles_nothing(project):
    config = project.data_dir / "config.yaml"
    job, port = started(["--config", config, "--workspace", project.workspace.root])
    with served(project, now()) as page:
        race = Race.prepared(page)
    race.run(port, job.kill)
    job.wait()
    job.stderr.close()
    assert 5 <= len(race.answered) < len(race.forms)
    with served(project, now()) as page:
        race.settle(page)
    assert not project.workspace.verdicts.exists()


def test_postgres_killed_while_reps_save_is_told_and_loses_nothing(project, postgres_url):
    def kill():
        # One of its processes: the server then ends all, and recovers from its log.
        others = "SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            found = connection.execute(f"{others} AND pid <> pg_backend_pid()").fetchone()
        os.kill(found[0], signal.SIGKILL)

    with served(project, now()) as page:
        race = Race.prepared(page)
        race.run(page.port, kill, after=2)
        assert set(race.others) <= {503}
        assert len(race.others) >= 1
        wait_for(postgres_url)
        race.settle(page)
