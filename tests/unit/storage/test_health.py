import pandas as pd
from tests.builders import write_scores
from tests.unit.storage.test_score_runs import DAY, run_of
from tests.unit.storage.test_snapshot import ingested

from mqlml.storage.health import check_workspace
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.score_runs import keep_run
from mqlml.storage.scores import parquet_bytes
from mqlml.storage.snapshot import write_tables
from mqlml.storage.workspace import Workspace


def failing(workspace):
    return {check.name: check for check in check_workspace(workspace) if not check.ok}


def test_a_workspace_that_is_not_there_yet_is_sound(tmp_path):
    workspace = Workspace(tmp_path / "w")
    assert [check.ok for check in check_workspace(workspace)] == [True]
    assert not workspace.root.exists()


def given_run(workspace, as_of=0, **score_of):
    """Write a run's scores and its ledger entry, as `mqlml score` does."""
    frame = pd.DataFrame({"lead_id": list(score_of), "score": list(score_of.values())})
    path = write_scores(workspace.scores, frame, as_of=as_of, name="m")
    return path, keep_run(workspace.ledger, run_of(path.read_bytes(), as_of=as_of))


def test_a_used_workspace_is_sound(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    write_entry(workspace.ledger, Entry("train", 0, {}))
    given_run(workspace, a=1.0)
    given_run(workspace, a=2.0)
    found = {check.name: check.found for check in check_workspace(workspace)}
    assert failing(workspace) == {}
    assert found["ledger"] == "3 entries"
    assert found["scores"] == "1 score files"
    assert found["scoring runs"] == "2 runs, their scores as given"
    assert found["job at work"] == "nobody is at work"


def test_broken_files_and_leftovers_are_named_with_their_mend(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    write_entry(workspace.ledger, Entry("train", 0, {})).write_text("{")
    path = write_scores(workspace.scores, pd.DataFrame({"lead_id": ["a"]}), as_of=0, name="m")
    path.write_text("x")
    (workspace.scores / ".s.parquet.abc.new").write_text("half")
    found = failing(workspace)
    assert set(found) == {"ledger", "scores", "scoring runs", "leftovers of killed runs"}
    assert path.name in found["scores"].found
    assert found["leftovers of killed runs"].found == "scores/.s.parquet.abc.new"
    assert all(check.mend for check in found.values())


def test_altered_missing_and_unlisted_scores_are_named_with_the_command_that_mends(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    altered, _ = given_run(workspace, DAY, a=1.0)
    whole = pd.DataFrame({"lead_id": ["a"], "score": [1.5]})
    altered.write_bytes(parquet_bytes(whole))
    gone, _ = given_run(workspace, 2 * DAY, a=1.0)
    gone.unlink()
    write_scores(workspace.scores, whole.assign(score=7.0), as_of=3 * DAY, name="m")
    found = failing(workspace)["scoring runs"]
    assert "the score file of run 1 was altered" in found.found
    assert "the score file of run 2 is missing" in found.found
    assert "m-19700104T000000Z.parquet the score file stands in no ledger entry" in found.found
    assert found.mend == (
        "run 'mqlml score --as-of 19700102T000000Z --model 1' again; "
        "run 'mqlml score --as-of 19700103T000000Z --model 1' again; "
        "run the killed 'mqlml score' again"
    )


def test_one_altered_byte_of_the_tables_is_found(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    write_tables(workspace.root, ingested(tmp_path / "ingested"))
    (leads,) = workspace.tables.glob("*/leads.parquet")
    content = bytearray(leads.read_bytes())
    content[len(content) // 2] ^= 1
    leads.write_bytes(bytes(content))
    assert "altered" in failing(workspace)["tables"].found
    assert failing(workspace)["tables"].mend == "run 'mqlml ingest' again"


def test_a_first_ingest_that_was_stopped_leaves_nothing_unsound(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    workspace.tables.mkdir(exist_ok=True)
    assert failing(workspace) == {}


def test_a_damaged_snapshot_is_named(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    workspace.tables.mkdir(exist_ok=True)
    (workspace.tables / "CURRENT").write_text("no JSON")
    assert set(failing(workspace)) == {"tables"}


def test_a_sound_snapshot_is_named_by_its_digest(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    written = write_tables(workspace.root, ingested(tmp_path / "ingested"))
    found = {check.name: check.found for check in check_workspace(workspace)}
    assert found["tables"].startswith(f"snapshot {written.digest}, ")


def test_files_of_a_job_at_work_are_no_leftovers(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    with workspace.lock("score"):
        (workspace.scores / ".s.parquet.abc.new").write_text("half")
        assert failing(workspace) == {}
        names = {check.name: check.found for check in check_workspace(workspace)}
        assert names["job at work"].startswith("score, process")
