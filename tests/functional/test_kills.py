"""ingest, features, score and the upsert to PostgreSQL, killed at drawn moments.

`MQLML_KILLS=100 pytest tests/functional/test_kills.py` draws more of them than the daily few.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest

from mqlml.storage.ledger import read_entries

KILLS = int(os.environ.get("MQLML_KILLS", "8"))

# One process pays for the imports; its children are forked, and killed at drawn moments.
# It never does any work itself: threads do not survive a fork.
KILL = """
import hashlib, json, os, random, shutil, signal, sys, time, traceback
from pathlib import Path
import pandas as pd, psycopg
from mqlml.tracking.library import mlflow
mlflow()
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
import mqlml.engines.local, mqlml.features.bucket
from mqlml.errors import DataError
from mqlml.storage.health import check_workspace
from mqlml.storage.ledger import read_entries
from mqlml.storage.postgres import upsert_scores
from mqlml.storage.snapshot import read_tables
from mqlml.workflows.features import write_features
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import open_project
from mqlml.workflows.score import score

root, url, kills = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
work, found = root / "work", root / "found.json"
DAY = 1_764_547_200_000_000  # 2025-12-01

def project():
    return open_project(root / "late" / "config.yaml", workspace=work)

def digest(*paths):
    content = b"".join(p.name.encode() + p.read_bytes() for p in sorted(paths) if p.is_file())
    return hashlib.sha256(content).hexdigest()

def do_ingest():
    ingest(project(), say=str)

def see_ingest():
    return read_tables(work, verify=True).digest

def do_features():
    write_features(project(), work / "f.parquet", as_of=DAY)

def see_features():
    return digest(work / "f.parquet")

def do_score():
    score(project(), as_of=DAY, say=str)

def see_score():
    return digest(*(work / "scores").glob("*.parquet"))

def do_upsert():
    upsert_scores(url, "scores", pd.read_parquet(root / "late.parquet"))

def see_upsert():
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT * FROM scores ORDER BY lead_id, as_of").fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()

def reset_upsert():
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS scores")
    upsert_scores(url, "scores", pd.read_parquet(root / "early.parquet"))

JOBS = {
    "ingest": (do_ingest, see_ingest, None),
    "features": (do_features, see_features, None),
    "score": (do_score, see_score, None),
    "upsert": (do_upsert, see_upsert, reset_upsert),
}

def whole_state():
    names = ("scores", "ledger", "reports")
    files = [p for name in names for p in (work / name).rglob("*")]
    out = work / "f.parquet"
    return [digest(*files, out), read_tables(work, verify=True).digest]

def ledger_size():
    return len(read_entries(work / "ledger"))

def broken():
    return [[c.name, c.found] for c in check_workspace(project().workspace) if not c.ok]

def in_child(*steps, kill_after=None):
    found.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        try:
            found.write_text(json.dumps([step() for step in steps]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return None
    return json.loads(found.read_text())

def counting(do, at=0, before=False):
    # Returns `do` that counts the changes of names in `counted`, and dies at one of them.
    def change(original):
        def changed(*arguments, **options):
            counted[0] += 1
            if counted[0] == at and before:
                os.kill(os.getpid(), signal.SIGKILL)
            original(*arguments, **options)
            if counted[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return changed
    def run():
        os.replace, os.rename, os.unlink = map(change, (os.replace, os.rename, os.unlink))
        do()
        return counted[0]
    return run

def fresh(job):
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(root / ("template" if job == "ingest" else "ingested"), work)
    if JOBS[job][2]:
        in_child(JOBS[job][2])

shutil.copytree(root / "template", work)
in_child(do_ingest)
work.rename(root / "ingested")
counted = [0]
draw, answers, wanted = random.Random(20261125), [], {}
for job, (do, see, _) in JOBS.items():
    fresh(job)
    (old,) = in_child(see)
    begun = time.monotonic()
    changes, new, state = in_child(counting(do), see, whole_state)
    wanted[job] = (old, new, state, time.monotonic() - begun, changes)
for number in range(kills):
    job = list(JOBS)[number % len(JOBS)]
    do, see, _ = JOBS[job]
    old, new, state, spent, changes = wanted[job]
    fresh(job)
    # Half of the kills come at any time, half at one of the few moments at which a name changes.
    after, at, before = draw.uniform(0, spent), 0, draw.random() < 0.5
    if changes and draw.random() < 0.5:
        after, at = None, draw.randint(1, changes)
    killed = in_child(counting(do, at, before), kill_after=after) is None
    seen, faults, _, again, whole, left, _, twice = in_child(
        see, broken, do, see, whole_state, broken, do, whole_state
    )
    answers.append({
        "job": job, "killed": killed, "after": after, "at": at, "changes": changes,
        "moved": old != new,
        "seen": "old" if seen == old else "new" if seen == new else "neither",
        "faults": faults, "left": left,
        "again": again == new and whole == state, "twice": twice == state,
    })
print(json.dumps(answers))
"""


@pytest.fixture
def root(company, trained, tmp_path, mqlml):
    """Return a folder with an early state of a workspace, and the later data it is to move to."""
    copytree(trained, tmp_path / "template")
    copytree(company.parent, tmp_path / "late")
    shared = ("--config", company, "--workspace", tmp_path / "template")
    early = "2025-11-24"
    mqlml("score", *shared, "--as-of", early)
    # What the kill finds at its own moment must be other than what it brings.
    mqlml("score", *shared, "--as-of", "2025-12-01")
    mqlml("features", *shared, "--as-of", early, "--out", tmp_path / "template" / "f.parquet")
    events = pd.read_csv(company.parent / "events.csv")
    later = events[events["at"].between("2025-11-01", "2025-12-01")].assign(type="demo_request")
    pd.concat([events, later.tail(60)]).to_csv(tmp_path / "late" / "events.csv", index=False)
    moment = pd.to_datetime(["2025-12-01"], utc=True).as_unit("us")[0]
    for name, factor in (("early", 1.0), ("late", 2.0)):
        ids = [f"L{number:05d}" for number in range(6_000)]
        scores = pd.Series(range(6_000), dtype="float64") * factor
        frame = pd.DataFrame({"lead_id": ids, "as_of": moment, "score": scores, "grade": "A1"})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_and_a_rerun_ends_it(root, postgres_url):
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILL, str(root), postgres_url, str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.returncode == 0, process.stderr[-4000:]
    answers = json.loads(process.stdout.splitlines()[-1])
    (root / "answers.json").write_text(process.stdout)
    assert len(answers) == KILLS
    assert all(answer["moved"] for answer in answers)
    assert [a for a in answers if a["seen"] == "neither"] == []
    assert [a for a in answers if not (a["again"] and a["twice"])] == []
    assert [a for a in answers if a["left"]] == []
    # Between the scores and their entry in the ledger a kill is seen, named, and mended.
    named = {"leftovers of killed runs", "scoring runs"}
    assert {fault[0] for a in answers for fault in a["faults"]} <= named
    assert sum(answer["killed"] for answer in answers) >= KILLS // 2


# The champion is new and the ledger's entry is not written yet: only the page lies between.
KILL_BEFORE_ENTRY = """
import os, signal, sys
import mqlml.workflows.train
from mqlml.cli.main import run

mqlml.workflows.train.keep_page = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run(sys.argv[1:])
"""


def test_a_promotion_whose_run_was_killed_before_its_entry_is_named_and_told_by_the_next(
    company, workspace, mqlml
):
    shared = ("--config", str(company), "--workspace", str(workspace))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILL_BEFORE_ENTRY, "train", *shared],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    runs = mqlml("runs", *shared, "--json").document
    killed = [run for run in runs if run["kind"] == "train"][-1]
    found = mqlml("doctor", *shared, "--json")
    bad = [check for check in found.document["checks"] if not check["ok"]]
    assert found.code != 0
    assert [check["name"] for check in bad] == ["champion's promotion"]
    version = killed["model"]["version"]
    assert f"version {version} was promoted by a train that was killed" in bad[0]["found"]
    mqlml("monitor", *shared)
    assert mqlml("doctor", *shared).code == 0
    entries = read_entries(workspace / "ledger", kind="train")
    told = {e.payload["run_id"]: e.payload for e in entries}
    assert told[killed["run_id"]] == {
        "run_id": killed["run_id"],
        "version": version,
        "reason": "manual",
        "promoted": True,
    }
