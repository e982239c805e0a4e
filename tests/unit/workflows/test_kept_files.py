"""Files that did not change are not read again: their rows stay in the workspace, whole or not."""

import json

import pytest

from mqlml.sources import door, kept_files
from mqlml.storage.snapshot import read_quarantine, snapshot_facts
from mqlml.workflows.ingest import KEPT, ingest, retry_quarantine
from mqlml.workflows.project import open_project

CONFIG = """\
name: ours
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  events: {file: 'days/*.ndjson', columns: {event_id: id, lead_id: lead, occurred_at: at, type: k}}
target: {stage: customer, horizon_days: 30}
"""


def line(number, *, lead="a", kind="open", at="2025-01-02"):
    return json.dumps({"id": f"e{number}", "lead": lead, "at": at, "k": kind}) + "\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "days").mkdir()
    (tmp_path / "leads.csv").write_text("id,at\na,2025-01-01\nb,2025-01-01\n")
    for day in (1, 2):
        write(tmp_path, day, line(day) + line(day * 10, lead="b"))
    return tmp_path


@pytest.fixture
def read(monkeypatch):
    """Return the names of the day files that were read, in order."""
    names = []

    def stage_file(connection, path, **options):
        if path.parent.name == "days":
            names.append(path.name)
        return real(connection, path, **options)

    real = door.stage_file
    monkeypatch.setattr(door, "stage_file", stage_file)
    return names


def write(folder, day, text):
    (folder / "days" / f"{day}.ndjson").write_text(text)


def opened(folder, workspace="w", text=CONFIG):
    (folder / "our.yaml").write_text(text)
    return open_project(folder / "our.yaml", workspace=folder / workspace)


def ingested(folder, workspace="w", text=CONFIG):
    project = opened(folder, workspace, text)
    ingest(project, say=str)
    return snapshot_facts(project.workspace.root)


def test_only_the_day_that_came_is_read(folder, read):
    ingested(folder)
    write(folder, 3, line(3) + line(1))
    grown = ingested(folder)
    assert read == ["1.ndjson", "2.ndjson", "3.ndjson"]
    assert grown == ingested(folder, "other")


def test_a_day_that_was_corrected_is_read_again_and_what_it_said_before_goes(folder, read):
    ingested(folder)
    write(folder, 1, line(1, kind="click"))
    ingested(folder)
    assert read == ["1.ndjson", "2.ndjson", "1.ndjson"]
    assert len(list((folder / "w" / KEPT).iterdir())) == 2
    assert snapshot_facts(folder / "w") == ingested(folder, "other")


def test_other_settings_read_all_days_again(folder, read):
    ingested(folder)
    ingested(folder, text=CONFIG.replace("timezone: UTC", "timezone: Europe/Berlin"))
    assert len(read) == 4


def test_a_file_that_two_sources_name_is_read_twice_and_counts_once(folder):
    twice = CONFIG.replace("  events: {", "  events:\n  - {").replace("target:", "TARGET")
    source = next(one for one in twice.splitlines() if one.startswith("  - {"))
    text = twice.replace(source, f"{source}\n{source}").replace("TARGET", "target:")
    ingested(folder, text=text)
    write(folder, 3, line(3))
    facts = ingested(folder, text=text)
    assert facts.event_rows == 5
    assert facts == ingested(folder, "other", text)


def test_kept_rows_that_were_cut_are_read_again(folder, read):
    first = ingested(folder)
    part = next((folder / "w" / KEPT).glob("*/*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    assert ingested(folder) == first
    assert len(read) == 3


def test_rows_refused_of_a_kept_day_stand_whole_in_the_quarantine(folder, read):
    write(folder, 1, line(1) + line(4, at="soon") + line(6) + '{"id":')
    ingested(folder)
    write(folder, 3, line(2, kind="click"))  # says otherwise than the second day
    ingested(folder)
    rows = read_quarantine(folder / "w")
    assert rows["file"].tolist() == ["days/1.ndjson", "days/1.ndjson", "days/3.ndjson"]
    whole = [json.loads(row) for row in rows["raw"]]
    assert whole[0] == {"id": "e4", "lead": "a", "at": "soon", "k": "open"}
    assert whole[1:] == ['{"id":', {"id": "e2", "lead": "a", "at": "2025-01-02", "k": "click"}]
    assert snapshot_facts(folder / "w") == ingested(folder, "other")


def test_the_quarantine_is_retried_after_days_came_one_by_one(folder):
    write(folder, 1, line(1) + line(4, lead="") + line(6))
    for workspace in ("w", "other"):
        ingested(folder, workspace)
    write(folder, 3, line(3))
    ingested(folder)
    (folder / "other" / "ingested.json").unlink()
    ingested(folder, "other")
    mended = CONFIG.replace("type: k}", "type: k}, constants: {lead_id: b}")
    for workspace in ("w", "other"):
        assert retry_quarantine(opened(folder, workspace, mended), say=str).quarantined == 0
    one, two = (snapshot_facts(folder / name) for name in ("w", "other"))
    assert one == two


def test_a_reading_that_is_cut_short_leaves_whole_days_or_none(folder, monkeypatch):
    def stopped(one, made):
        if one.plan.number == 1:
            raise KeyboardInterrupt
        return real(one, made)

    real = kept_files._about
    monkeypatch.setattr(kept_files, "_about", stopped)
    with pytest.raises(KeyboardInterrupt):
        ingested(folder)
    monkeypatch.undo()
    kept = list((folder / "w" / KEPT).iterdir())
    assert [sorted(p.name for p in one.iterdir()) for one in kept] == [
        ["about.json", "data_0.parquet"]
    ]
    assert ingested(folder) == ingested(folder, "other")


def test_where_ids_are_hashed_nothing_is_kept_as_it_came(folder):
    text = CONFIG.replace("sources:\n", "sources:\n  identity: {hash_key_env: SALT}\n")
    (folder / "our.yaml").write_text(text)
    project = open_project(folder / "our.yaml", workspace=folder / "w", secrets={"SALT": "x"})
    ingest(project, say=str)
    assert not list((folder / "w").glob(f"{KEPT}/*"))
