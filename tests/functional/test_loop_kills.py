"""cycle, retrain, promote and rollback, killed at drawn moments: always exactly one champion.

`MQLML_KILLS=100 pytest tests/functional/test_loop_kills.py` draws more of them than the daily few,
trainings by tournament among them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

KILLS = int(os.environ.get("MQLML_KILLS", "3"))

# One process pays for the imports; its children are forked, and killed at drawn moments.
# It never does any work itself: threads do not survive a fork.
KILL = """
import json, os, random, shutil, signal, sys, time, traceback
from pathlib import Path
from mqlml.tracking.library import mlflow
mlflow()
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
import mqlml.engines.local, mqlml.features.bucket, sklearn.linear_model
from mqlml.storage.health import check_workspace
from mqlml.storage.ledger import read_entries
from mqlml.wiring import open_store
from mqlml.workflows.appointing import Word, promote, rollback
from mqlml.workflows.cycle import CycleWishes, cycle
from mqlml.workflows.project import open_project
from mqlml.workflows.promotions import champion_changes, check_promotion, settle_champion
from mqlml.workflows.retrain import retrain

root, kills = Path(sys.argv[1]), int(sys.argv[2])
work, found = root / "work", root / "found.json"
DAY = 1_765_152_000_000_000  # 2025-12-08

def project(name="criteria.yaml"):
    return open_project(root / "company" / name, workspace=work)

def do_cycle():
    cycle(project(), CycleWishes(as_of=DAY), say=str)

def do_retrain():
    retrain(project(), as_of=DAY, seed=0, reason="auto", say=str)

def do_tournament():
    retrain(project("target.yaml"), as_of=DAY, seed=0, reason="manual", say=str)

def do_wait():
    retrain(project(), as_of=DAY, seed=0, reason="auto", say=str, require_approval=True)

def do_promote():
    if store().champion("small").version == "1":
        promote(project(), Word("ann", "looks right", DAY), version="2")
    else:
        settle()

def do_rollback():
    if store().champion("small").version == "2":
        rollback(project(), Word("ann", "was wrong", DAY))
    else:
        settle()

def settle():
    # What whichever command comes next does first: it tells what a killed one could not.
    with project().workspace.lock("next"):
        settle_champion(project(), store(), as_of=DAY)

def store():
    return open_store(project().settings, project().workspace, {})

# From which template a job starts, and which version is champion when it is through.
JOBS = {
    "cycle": (do_cycle, "trained", "2"),
    "retrain": (do_retrain, "trained", "2"),
    "promote": (do_promote, "waiting", "2"),
    "rollback": (do_rollback, "promoted", "1"),
}
if kills > 20:
    JOBS["tournament"] = (do_tournament, "trained", "2")

def champion():
    ref = store().champion("small")
    store().try_bundle(ref)
    return ref.version

def records():
    # Every change of champion in order, and whether the last is the champion of MLflow.
    changes = champion_changes(project())
    return [[c.number for c in changes], changes[-1].version if changes else None]

def faults():
    checks = [*check_workspace(project().workspace), check_promotion(project(), store())]
    return [[c.name, c.found] for c in checks if not c.ok]

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
    return None if os.WIFSIGNALED(status) else json.loads(found.read_text())

def fresh(name):
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(root / name, work)

for name, do, before in (("waiting", do_wait, "trained"), ("promoted", do_promote, "waiting")):
    fresh(before)
    in_child(do)
    work.rename(root / name)
draw, answers, spent = random.Random(20261126), [], {}
for job in JOBS if kills > len(JOBS) else ():
    fresh(JOBS[job][1])
    begun = time.monotonic()
    in_child(JOBS[job][0])
    spent[job] = time.monotonic() - begun
for number in range(kills):
    job = list(JOBS)[number % len(JOBS)]
    do, template, wanted = JOBS[job]
    fresh(template)
    (old,) = in_child(champion)
    after = draw.uniform(0, spent.get(job, 3.0))
    killed = in_child(do, kill_after=after) is None
    (seen,) = in_child(champion)
    _, last, told, left = in_child(do, champion, records, faults)
    answers.append({
        "job": job, "killed": killed, "after": after, "old": old, "seen": seen, "last": last,
        "wanted": wanted, "told": told, "left": left,
    })
print(json.dumps(answers))
"""


@pytest.fixture
def root(company, trained, tmp_path):
    """Return a folder with a trained workspace and configs that give a reason to retrain."""
    copytree(trained, tmp_path / "trained")
    copytree(company.parent, tmp_path / "company")
    text = company.read_text(encoding="utf-8")
    other = text.replace("version: 1", "version: 2").replace("('Steel', 'Software')", "('Steel')")
    (tmp_path / "company" / "criteria.yaml").write_text(other, encoding="utf-8")
    other = text.replace("horizon_days: 21", "horizon_days: 28")
    (tmp_path / "company" / "target.yaml").write_text(other, encoding="utf-8")
    return tmp_path


def test_a_kill_at_any_moment_leaves_one_champion_and_no_lost_record(root):
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILL, str(root), str(KILLS)],
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
    # Right after the kill the old or the new one loads; the same command again ends it.
    assert [a for a in answers if a["seen"] not in {a["old"], a["wanted"]}] == []
    assert [a for a in answers if a["last"] in {a["old"]} - {a["wanted"]}] == []
    # Changes are told in order without a gap, and the last one told is who is champion.
    assert [a for a in answers if a["told"][1] != a["last"]] == []
    assert [a for a in answers if a["told"][0] != list(range(1, len(a["told"][0]) + 1))] == []
    assert [a for a in answers if a["left"]] == []
