import pandas as pd
from tests.unit.storage.test_snapshot import ingested

from mqlml.storage.health import check_workspace
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.scores import write_scores
from mqlml.storage.snapshot import write_tables
from mqlml.storage.workspace import Workspace


def failing(workspace):
    return {check.name: check for check in check_workspace(workspace) if not check.ok}


def test_a_workspace_that_is_not_there_yet_is_sound(tmp_path):
    workspace = Workspace(tmp_path / "w")
    assert [check.ok for check in check_workspace(workspace)] == [True]
    assert not workspace.root.exists()


def test_a_used_workspace_is_sound(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    write_entry(workspace.ledger, Entry("train", 0, {}))
    write_scores(workspace.scores, pd.DataFrame({"lead_id": ["a"]}), as_of=0, name="m")
    found = {check.name: check.found for check in check_workspace(workspace)}
    assert failing(workspace) == {}
    assert found["ledger"] == "1 entries"
    assert found["scores"] == "1 score files"
    assert found["job at work"] == "nobody is at work"


def test_broken_files_and_leftovers_are_named_with_their_mend(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    write_entry(workspace.ledger, Entry("train", 0, {})).write_text("{")
    path = write_scores(workspace.scores, pd.DataFrame({"lead_id": ["a"]}), as_of=0, name="m")
    path.write_text("x")
    (workspace.scores / ".s.parquet.abc.new").write_text("half")
    found = failing(workspace)
    assert set(found) == {"ledger", "scores", "leftovers of killed runs"}
    assert path.name in found["scores"].found
    assert found["leftovers of killed runs"].found == "scores/.s.parquet.abc.new"
    assert all(check.mend for check in found.values())


def test_a_damaged_snapshot_is_named(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    workspace.tables.mkdir()
    assert set(failing(workspace)) == {"tables"}


def test_a_sound_snapshot_is_named_by_its_digest(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    written = write_tables(workspace.root, ingested(tmp_path / "ingested"))
    found = {check.name: check.found for check in check_workspace(workspace)}
    assert found["tables"] == f"snapshot {written.digest}"


def test_files_of_a_job_at_work_are_no_leftovers(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    with workspace.lock("score"):
        (workspace.scores / ".s.parquet.abc.new").write_text("half")
        assert failing(workspace) == {}
        names = {check.name: check.found for check in check_workspace(workspace)}
        assert names["job at work"].startswith("score, process")
