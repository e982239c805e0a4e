"""Ingest of two small files: killed runs leave nothing, unchanged sources are not read again."""

import pytest

from mqlml.workflows import ingest as ingesting
from mqlml.workflows.ingest import current_tables, ingest
from mqlml.workflows.project import open_project

CONFIG = """\
name: ours
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  events: {file: events.ndjson, columns: {event_id: id, lead_id: lead, occurred_at: at, type: type}}
target: {stage: customer, horizon_days: 30}
"""
EVENTS = """\
{"id": 1, "lead": "a", "at": "2025-01-02", "type": "open"}
{"id": 1, "lead": "a", "at": "2025-01-02", "type": "open"}
{"id": 2, "lead"
{"id": 3, "lead": "gone", "at": "2025-01-03T10:00:00.5Z", "type": "open"}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "our.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "leads.csv").write_text("id,at\na,2025-01-01\n", encoding="utf-8")
    (tmp_path / "events.ndjson").write_text(EVENTS, encoding="utf-8")
    return open_project(tmp_path / "our.yaml", workspace=tmp_path / "w")


@pytest.fixture
def workdirs(monkeypatch):
    """Return the folders that sources were read into, in order."""
    used = []

    def read_sources(*args, workdir, **options):
        used.append(workdir)
        return real(*args, workdir=workdir, **options)

    real = ingesting.read_sources
    monkeypatch.setattr(ingesting, "read_sources", read_sources)
    return used


def silent(_text):
    """Take a step's progress."""


def test_every_row_of_every_file_is_accounted_for(project):
    leads, events = ingest(project, say=silent).counts
    assert (leads.rows, leads.kept) == (1, 1)
    assert (events.rows, events.kept, events.duplicates, events.quarantined) == (4, 2, 1, 1)


def test_what_a_killed_ingest_left_is_swept_by_the_next(project, workdirs):
    first = ingest(project, say=silent)
    (killed,) = workdirs
    assert killed.parent == project.workspace.root
    assert not killed.exists()
    killed.mkdir()
    (killed / "half.parquet").write_bytes(b"half")
    assert ingest(project, say=silent).snapshot == first.snapshot
    assert not killed.exists()


def test_sources_that_did_not_change_are_not_read_again(project, workdirs, tmp_path):
    ingest(project, say=silent)
    before = current_tables(project, say=silent)
    assert len(workdirs) == 1
    (tmp_path / "leads.csv").write_text("id,at\na,2025-01-01\nb,2025-01-02\n", encoding="utf-8")
    after = current_tables(project, say=silent)
    assert len(workdirs) == 2
    assert (len(before.leads), len(after.leads)) == (1, 2)
