"""Who was erased does not come back from a warehouse: by the watermark, nor read in full."""

import sqlite3

import psycopg
import pyarrow.parquet as pq
import pytest

from mqlml.storage.snapshot import current_snapshot
from mqlml.workflows.erase import erase
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import open_project

GONE, STAYS = "zoe-quist-7319", "amy-quill-2216"
CONFIG = """\
name: ours
timezone: UTC
sources:
  warehouse:
    crm: {WAREHOUSE}
  leads:
    - table: {warehouse: crm, name: people, watermark: changed, key: [id]}
      columns: {lead_id: id, created_at: at}
  events:
    - table: {warehouse: crm, name: touches, watermark: changed, key: [id]}
      columns: {event_id: id, lead_id: lead, occurred_at: at}
target: {stage: customer, horizon_days: 30}
"""
KINDS = {"sqlite": "kind: sqlite, path: crm.sqlite", "postgres": "kind: postgres, url_env: U"}


def silent(_text):
    """Take a step's progress."""


@pytest.fixture(params=sorted(KINDS))
def warehouse(request, tmp_path):
    """Return (project, execute) of a company whose people and events lie in a database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""

    def execute(*statements):
        own = sqlite3.connect(tmp_path / "crm.sqlite") if not url else psycopg.connect(url)
        with own as connection:
            for statement in statements:
                connection.execute(statement)
        own.close()

    execute(
        "CREATE TABLE people (id text, at text, job text, changed text)",
        "CREATE TABLE touches (id text, lead text, at text, type text, changed text)",
    )
    for person in (GONE, STAYS):
        execute(f"INSERT INTO people VALUES ('{person}', '2025-01-01', 'CTO', '2025-01-01')")
        execute(touch(f"1-{person}", person, "2025-01-02"))
    (tmp_path / "our.yaml").write_text(CONFIG.replace("{WAREHOUSE}", f"{{{KINDS[request.param]}}}"))
    return open_project(
        tmp_path / "our.yaml", workspace=tmp_path / "w", secrets={"U": url}
    ), execute


def touch(number, person, day):
    """Return SQL that adds an event of a person."""
    return f"INSERT INTO touches VALUES ('{number}', '{person}', '{day}', 'call', '{day}')"


def mentions(workspace, needle):
    """Return the files that hold the needle: in their bytes, or in their rows."""
    found = set()
    for path in sorted(p for p in workspace.rglob("*") if p.is_file()):
        text = path.read_bytes()
        if path.suffix == ".parquet":
            text += repr(pq.read_table(path).to_pydict()).encode()
        if needle.encode() in text:
            found.add(path.relative_to(workspace).as_posix())
    return found


def people(workspace):
    """Return whose events and leads the current tables hold."""
    folder = current_snapshot(workspace)
    read = [pq.read_table(folder / table, columns=["lead_id"]) for table in ("events",)]
    read.append(pq.read_table(folder / "leads.parquet", columns=["lead_id"]))
    return {lead for table in read for lead in table["lead_id"].to_pylist()}


def test_who_was_erased_comes_back_neither_by_the_watermark_nor_in_full(warehouse, tmp_path):
    project, execute = warehouse
    workspace = tmp_path / "w"
    ingest(project, say=silent)
    assert people(workspace) == {GONE, STAYS}
    assert mentions(workspace, GONE)
    assert erase(project, [GONE], salt="salt").leads == 1
    assert mentions(workspace, GONE) == set()
    execute(touch(f"2-{GONE}", GONE, "2025-02-01"), touch("9", STAYS, "2025-02-02"))
    execute(f"UPDATE people SET changed = '2025-02-01' WHERE id = '{GONE}'")
    for full in (False, False, True):
        ingest(project, say=silent, full=full)
        assert people(workspace) == {STAYS}
        assert mentions(workspace, GONE) == set()
    assert mentions(workspace, STAYS)
