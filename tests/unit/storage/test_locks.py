import os
import signal
import subprocess
import sys

import pytest

from mqlml.errors import DataError
from mqlml.storage.locks import hold, holder, is_held

HOLD_FOREVER = """
import sys, time
from pathlib import Path
from mqlml.storage.locks import hold
with hold(Path(sys.argv[1]), "train"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_job(tmp_path):
    """Return a process that holds the lock file `lock`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_FOREVER, str(tmp_path / "lock")], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_job_is_told_who_holds_the_lock(tmp_path, other_job):
    with pytest.raises(DataError) as caught, hold(tmp_path / "lock", "score", wait_s=0.2):
        pass
    assert caught.value.exit_code == 5
    assert caught.value.faults[0].found == f"train, process {other_job.pid}"
    assert "`score` cannot start" in caught.value.faults[0].what


def test_a_killed_job_leaves_no_lock(tmp_path, other_job):
    assert is_held(tmp_path / "lock")
    os.kill(other_job.pid, signal.SIGKILL)
    other_job.wait()
    assert not is_held(tmp_path / "lock")
    with hold(tmp_path / "lock", "score", wait_s=0):
        assert holder(tmp_path / "lock") == f"score, process {os.getpid()}"


def test_a_waiting_job_starts_when_the_other_ends(tmp_path, other_job):
    with hold(tmp_path / "lock", "score", say=lambda _: other_job.kill()):
        assert holder(tmp_path / "lock").startswith("score")


def test_a_job_that_has_to_wait_says_once_for_whom(tmp_path, other_job):
    said = []
    with (
        pytest.raises(DataError),
        hold(tmp_path / "lock", "score", wait_s=0.3, say=said.append),
    ):
        pass
    job = f"train, process {other_job.pid}"
    assert said == [f"waiting for another job in this workspace: {job}"]
    os.kill(other_job.pid, signal.SIGKILL)
    other_job.wait()
    with hold(tmp_path / "lock", "score", say=said.append):
        assert len(said) == 1


def test_after_the_block_nobody_is_named(tmp_path):
    with hold(tmp_path / "lock", "score"):
        pass
    assert holder(tmp_path / "lock") == ""
    assert not is_held(tmp_path / "lock")


def test_a_lock_that_nobody_ever_took_is_not_held(tmp_path):
    assert not is_held(tmp_path / "lock")
    assert holder(tmp_path / "lock") == ""


def test_a_lock_file_that_cannot_be_made_is_a_clear_error(tmp_path):
    with (
        pytest.raises(DataError, match="cannot be locked"),
        hold(tmp_path / "no" / "lock", "score"),
    ):
        pass


def test_the_command_is_told_beside_the_step(tmp_path):
    with hold(tmp_path / "lock", "ingest", command="mqlml train"):
        assert holder(tmp_path / "lock") == f"ingest, process {os.getpid()}, mqlml train"
