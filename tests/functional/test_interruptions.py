"""Locks, full disks, Ctrl-C, kill -9 and defects: the old result or the new one, never half."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.flat_table import refused, rows_of, train

from mqlml.cli import main as entry
from mqlml.storage.locks import hold


def test_a_busy_workspace_says_who_holds_it(mqlml, flat, monkeypatch):
    config, _ = flat
    monkeypatch.setattr("mqlml.storage.workspace.Workspace.lock", _impatient)
    (config.parent / "w").mkdir()
    with hold(config.parent / "w" / "lock", "nightly scoring", wait_s=0):
        answer = mqlml("ingest", "--config", config, "--workspace", config.parent / "w")
    assert refused(answer, 5, "nightly scoring")


def _impatient(self, purpose):
    return hold(self.lock_file, purpose, wait_s=0.2)


@pytest.mark.usefixtures("brief_locks")
def test_a_retraining_while_the_database_is_locked_is_told_later(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace)
    holder = sqlite3.connect(workspace / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        answer = mqlml("retrain", *shared, "--reason", "manual")
    finally:
        holder.rollback()
        holder.close()
    assert answer.code == 0, answer.err
    assert "the store is locked by another program: what was done is kept" in answer.err
    assert "retrain" not in mqlml("runs", *shared).out
    assert mqlml("monitor", *shared).code in {0, 10}
    (line,) = (line for line in mqlml("runs", *shared).out.splitlines() if "retrain" in line)
    assert "manual" in line


def test_a_full_disk_leaves_the_old_tables(mqlml, flat, monkeypatch):
    config, rewrite = flat
    words = ("ingest", "--config", config, "--workspace", config.parent / "w")
    assert mqlml(*words).code == 0
    pointer = config.parent / "w" / "tables" / "CURRENT"
    before = pointer.read_bytes()
    rewrite(rows_of(leads=300))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr("mqlml.storage.snapshot.pq.write_table", full)
    answer = mqlml(*words)
    assert refused(answer, 5, "No space left")
    assert pointer.read_bytes() == before


def test_ctrl_c_ends_without_a_traceback(mqlml, flat, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", interrupted)
    answer = train(mqlml, flat[0])
    assert (answer.code, answer.out) == (130, "")
    assert "interrupted" in answer.err
    assert not (flat[0].parent / "w" / "reports").exists() or not list(
        (flat[0].parent / "w" / "reports").iterdir()
    )


def _take_interrupts():
    """Undo that a shell in the background makes its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("after_s", [1.0, 2.0, 3.0])
def test_a_real_interrupt_has_its_code_and_leaves_a_sound_workspace(mqlml, flat, after_s):
    shared = ["--config", str(flat[0]), "--workspace", str(flat[0].parent / "w")]
    with subprocess.Popen(
        [sys.executable, "-m", "mqlml", "train", *shared],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_take_interrupts,
    ) as process:  # fmt: skip
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert "Traceback" not in err
    assert process.returncode == 130 or (process.returncode == 0 and "published" in out)
    assert mqlml("doctor", *shared).code == 0


def test_an_interrupt_inside_code_made_from_text_has_the_same_code():
    # CPython remembers such an interrupt after it was caught, and would die of SIGINT.
    begin = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': exec('raise KeyboardInterrupt')\n"
        "sys.meta_path.insert(0, Stop())\n"
        "import atexit; atexit.register(print, 'cleaned up')\n"
        "from mqlml.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", begin], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "cleaned up\n")


def test_an_interrupt_in_the_middle_of_a_query_has_the_same_code(mqlml, flat, monkeypatch):
    def interrupted(*_args, **_kwargs):
        # So DuckDB tells of it; a real query would have to be caught at the right moment.
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", interrupted)
    answer = train(mqlml, flat[0])
    assert (answer.code, answer.out) == (130, "")
    assert "interrupted" in answer.err


def test_an_interrupt_while_the_command_is_still_imported_has_no_traceback():
    begin = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from mqlml.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", begin], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "interrupted before anything began\n")


def test_files_that_may_not_grow_are_a_full_disk(mqlml, flat):
    config = flat[0]
    words = ["train", "--config", str(config), "--workspace", str(config.parent / "w")]
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from mqlml.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert mqlml("doctor", *words[1:]).code == 0
    assert mqlml(*words).code == 0


def test_a_defect_of_ours_shows_its_kind_and_asks_to_report(mqlml, flat, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("wheel came off")

    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", broken)
    answer = train(mqlml, flat[0])
    assert answer.code == 1
    assert "RuntimeError: wheel came off" in answer.err
    assert "report" in answer.err
    words = ["train", "--config", str(flat[0]), "--workspace", str(flat[0].parent / "w")]
    with pytest.raises(RuntimeError):
        entry.run(["--traceback", *words])


def test_main_exits_with_the_code_of_the_command(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        entry.main(["train", "--config", str(tmp_path / "no.yaml")])
    assert stopped.value.code == 3


KILL = """
import os, random, signal, sys, time
import mlflow, lightgbm, numba, duckdb, sklearn.linear_model
import mqlml.workflows.train, mqlml.workflows.score
from mqlml.cli.main import run

kills, words = int(sys.argv[1]), sys.argv[2:]
draw = random.Random(11)

def child(after):
    pid = os.fork()
    if pid == 0:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1); os.dup2(nothing.fileno(), 2)
            os._exit(run(words))
    if after is None:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

start = time.monotonic()
assert child(None) == 0
whole = time.monotonic() - start
for _ in range(kills):
    child(draw.uniform(0, whole))
assert child(None) == 0
"""


@pytest.mark.parametrize("command", ["train", "score"])
def test_killed_at_twenty_moments_leaves_old_or_new_and_every_version_loads(
    mqlml, company, workspace, command, tmp_path
):
    words = [
        command,
        "--config",
        str(company),
        "--workspace",
        str(workspace),
        "--as-of",
        "2025-12-01",
    ]
    done = subprocess.run(
        [sys.executable, "-c", KILL, "20", *words],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shared = ("--config", company, "--workspace", workspace)
    found = mqlml("doctor", *shared, "--json")
    assert found.code == 0, found.out
    runs = mqlml("runs", *shared, "--json").document
    versions = {run["model"]["version"] for run in runs if run["model"]["version"]}
    for version in sorted(versions):
        words = ("score", *shared, "--as-of", "2025-12-01", "--model", version, "--json")
        assert mqlml(*words).code == 0
    pages = [p.read_text(encoding="utf-8") for p in Path(workspace / "reports").glob("*.html")]
    assert all(page.rstrip().endswith("</html>") for page in pages)
