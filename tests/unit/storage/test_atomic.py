import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from mqlml.errors import DataError
from mqlml.storage.atomic import replace_file, replace_folder, sweep


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_parents(tmp_path):
    replace_file(tmp_path / "a" / "b.json", b"{}")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"{}"
    assert names(tmp_path / "a") == ["b.json"]


def test_an_existing_file_is_replaced(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    replace_file(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"


def test_a_failed_replacement_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left") as caught:
        replace_file(tmp_path / "x", b"new")
    assert "free some space" in caught.value.faults[0].mend
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_path_below_a_file_is_a_data_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        replace_file(tmp_path / "file" / "x", b"")


def test_other_errors_of_the_system_pass_unchanged(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "folder", b"")
    assert names(tmp_path) == ["folder"]


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with replace_folder(tmp_path / "t" / "snap") as fresh:
        (fresh / "sub").mkdir()
        (fresh / "sub" / "a").write_bytes(b"1")
        assert not (tmp_path / "t" / "snap").exists()
    assert (tmp_path / "t" / "snap" / "sub" / "a").read_bytes() == b"1"
    assert names(tmp_path / "t") == ["snap"]


def test_an_existing_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "snap").mkdir()
    (tmp_path / "snap" / "old").write_bytes(b"")
    with replace_folder(tmp_path / "snap") as fresh:
        (fresh / "new").write_bytes(b"")
    assert names(tmp_path / "snap") == ["new"]
    assert names(tmp_path) == ["snap"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failing_block_changes_nothing(tmp_path, failure):
    (tmp_path / "snap").mkdir()
    (tmp_path / "snap" / "old").write_bytes(b"")

    def fail():
        with replace_folder(tmp_path / "snap") as fresh:
            (fresh / "new").write_bytes(b"")
            raise failure

    with pytest.raises(failure):
        fail()
    assert names(tmp_path / "snap") == ["old"]
    assert names(tmp_path) == ["snap"]


def test_a_killed_writer_leaves_only_what_sweep_removes(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from mqlml.storage.atomic import replace_folder
        with replace_folder(Path(sys.argv[1]) / "snap") as fresh:
            (fresh / "a").write_bytes(b"x")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    assert len(sweep(tmp_path)) == 1
    assert names(tmp_path) == []


def test_sweep_puts_an_old_folder_back_when_its_successor_never_arrived(tmp_path):
    (tmp_path / ".snap.abc.old").mkdir()
    (tmp_path / ".snap.abc.old" / "a").write_bytes(b"1")
    (tmp_path / ".snap.abc.new").mkdir()
    assert sweep(tmp_path) == (".snap.abc.new", ".snap.abc.old")
    assert (tmp_path / "snap" / "a").read_bytes() == b"1"
    assert names(tmp_path) == ["snap"]


def test_sweep_removes_an_old_folder_whose_successor_is_there(tmp_path):
    (tmp_path / ".snap.abc.old").mkdir()
    (tmp_path / "snap").mkdir()
    (tmp_path / ".x.json.abc.new").write_bytes(b"")
    sweep(tmp_path)
    assert names(tmp_path) == ["snap"]


def test_sweep_leaves_other_hidden_files_alone_and_accepts_an_absent_folder(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"")
    (tmp_path / "b.new").write_bytes(b"")
    assert sweep(tmp_path) == ()
    assert sweep(tmp_path / "absent") == ()
    assert names(tmp_path) == [".gitignore", "b.new"]
