"""Trainings at the same time, and trainings killed at any moment, on one MLflow store."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.trainings import NAME, local_store, saved_bundle, training_record

from mqlml.storage.atomic import sweep

# A hang must end some day; how long a busy machine takes says nothing.
PATIENCE_S = 1800

TRAIN = """
import sys
from pathlib import Path
from tests.trainings import *
root = Path(sys.argv[1])
logged = local_store(root / "w").log_training(training_record(root / "bundle"))
print(logged.version)
"""

# One process pays for the imports; its children are forked, and killed at drawn moments.
KILL = """
import json, os, random, signal, sys, time, traceback, warnings
from pathlib import Path
from tests.trainings import *
# Python 3.12 warns of forks beside threads; those of linear algebra sleep here.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from mqlml.tracking.library import mlflow
mlflow()
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

root, kills = Path(sys.argv[1]), int(sys.argv[2])

def train():
    store = local_store(root / "w")
    logged = store.log_training(training_record(root / "bundle"))
    store.promote(NAME, logged.version, as_of=MARCH_2, reason="first")

def look():
    store = local_store(root / "w")
    client = mlflow().MlflowClient(store.uri, store.uri)
    found = {"champion": store.champion(NAME).version, "loaded": []}
    for version in client.search_model_versions(f"name = '{NAME}'"):
        store.try_bundle(store.version(NAME, str(version.version)))
        found["loaded"].append(str(version.version))
    with (root / "found.jsonl").open("a") as file:
        file.write(json.dumps(found) + chr(10))

def in_child(work, kill_after=None):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

in_child(train)
begun = time.monotonic()
in_child(train)
whole = time.monotonic() - begun
draw = random.Random(20261123)
for number in range(kills):
    in_child(train, kill_after=draw.uniform(0, whole))
    in_child(look)
"""


@pytest.fixture
def root(tmp_path):
    saved_bundle(tmp_path / "bundle")
    return tmp_path


def run(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )


def test_two_first_trainings_at_once_both_succeed(root):
    jobs = [run(TRAIN, str(root)) for _ in range(2)]
    answers = [job.communicate(timeout=PATIENCE_S) for job in jobs]
    assert sorted(answers) == [("1\n", ""), ("2\n", "")]
    store = local_store(root / "w")
    assert [row.version for row in store.runs(NAME)] in (["1", "2"], ["2", "1"])
    for version in ("1", "2"):
        store.try_bundle(store.version(NAME, version))
    assert [p.name for p in (root / "w").iterdir() if p.name.startswith(".")] == []


SAME_DATA = """
import sys, time
from pathlib import Path
from tests.trainings import *
from mqlml.tracking import runs
root, me, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
store = local_store(root / "w")

def meet(point):
    (root / f"{point}-{me}").touch()
    for _ in range(1_000_000):
        if (root / f"{point}-{1 - me}").exists():
            return
        time.sleep(0.0005)
    sys.exit("the other one is gone")

for number in range(rounds):
    meet(f"ready-{number}")
    record = training_record(root / "bundle").run
    with store._client() as client, store._running(client, record) as run_id:
        meet(f"begun-{number}")
        runs.log_dataset(client, run_id, DatasetFacts("tables", f"digest {number}", 80))
"""


def test_two_trainings_may_name_the_same_new_data_at_the_same_moment(root):
    rounds = 15
    local_store(root / "w").log_training(training_record(root / "bundle"))
    jobs = [run(SAME_DATA, str(root), str(me), str(rounds)) for me in range(2)]
    assert [job.communicate(timeout=PATIENCE_S) for job in jobs] == [("", ""), ("", "")]
    with sqlite3.connect(root / "w" / "mlflow.db") as connection:
        counted = connection.execute(
            "SELECT count(*) FROM datasets JOIN inputs ON source_id = dataset_uuid"
            " WHERE digest LIKE 'digest %' GROUP BY digest"
        ).fetchall()
    connection.close()
    assert counted == [(2,)] * rounds


@pytest.mark.slow
def test_a_training_killed_at_any_moment_leaves_old_or_new_and_only_what_loads(root):
    kills = 10
    job = run(KILL, str(root), str(kills))
    _, errors = job.communicate(timeout=PATIENCE_S)
    assert (job.returncode, errors) == (0, "")
    found = [json.loads(line) for line in (root / "found.jsonl").read_text().splitlines()]
    assert len(found) == kills
    before = 1
    for state in found:
        assert state["champion"] in state["loaded"]
        assert int(state["champion"]) >= before
        before = int(state["champion"])
    store = local_store(root / "w")
    logged = store.log_training(training_record(root / "bundle"))
    assert store.promote(NAME, logged.version, as_of=1, reason="after").version == logged.version


def test_a_killed_making_of_the_database_leaves_nothing_that_stands_in_the_way(root):
    (root / "w").mkdir()
    leftover = root / "w" / ".mlflow.db.abc123.new"
    leftover.mkdir()
    (leftover / "mlflow.db").write_bytes(b"SQLite format 3\0half")
    logged = local_store(root / "w").log_training(training_record(root / "bundle"))
    assert logged.version == "1"
    assert sweep(root / "w") == (leftover.name,)
    assert not leftover.exists()
