import os

import pytest

from mqlml.errors import DataError
from mqlml.storage.locks import is_held
from mqlml.storage.workspace import Workspace


def test_a_new_workspace_has_its_folders_and_keeps_itself_out_of_git(tmp_path):
    workspace = Workspace(tmp_path / "new" / "w").create()
    assert sorted(p.name for p in workspace.root.iterdir()) == [
        ".gitignore",
        "bundles",
        "ledger",
        "quarantine",
        "reports",
        "scores",
    ]
    assert (workspace.root / ".gitignore").read_text() == "*\n"


def test_everything_lies_under_the_root(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.tables == tmp_path / "tables"
    assert workspace.database == tmp_path / "mlflow.db"
    assert workspace.artifacts == tmp_path / "mlartifacts"


def test_creating_again_changes_nothing(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    (workspace.scores / "kept").write_text("x")
    (workspace.root / ".gitignore").write_text("mine")
    workspace.create()
    assert (workspace.scores / "kept").read_text() == "x"
    assert (workspace.root / ".gitignore").read_text() == "mine"


def test_a_file_where_the_workspace_should_be_is_a_clear_error(tmp_path):
    (tmp_path / "w").write_text("a file")
    with pytest.raises(DataError, match="--workspace"):
        Workspace(tmp_path / "w").create()


def test_locking_makes_the_workspace_and_sweeps_leftovers(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    leftover = workspace.scores / ".s.parquet.abc.new"
    leftover.write_text("half")
    with workspace.lock("score"):
        assert is_held(workspace.lock_file)
        assert not leftover.exists()
    assert not is_held(workspace.lock_file)


def test_who_waits_for_the_workspace_is_told_for_whom(tmp_path):
    said = []
    workspace = Workspace(tmp_path / "w", said.append)
    with (
        workspace.lock("train"),
        pytest.raises(DataError, match="`score` cannot start"),
        workspace.lock("score", wait_s=0.1),
    ):
        pass
    assert said == [f"waiting for another job in this workspace: train, process {os.getpid()}"]
