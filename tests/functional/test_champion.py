"""Who becomes champion by whose word, and that the registry, the ledger and `runs` agree."""

import json

import pandas as pd
import pytest

from mqlml.storage.ledger import read_entries
from mqlml.wiring import open_store
from mqlml.workflows.appointing import Word, promote
from mqlml.workflows.project import open_project
from mqlml.workflows.promotions import champion_changes
from mqlml.workflows.retrain import retrain

DAY = "2025-12-08"


@pytest.fixture
def other(company):
    """Return a config with criteria version 2, which is a reason to retrain."""
    text = company.read_text(encoding="utf-8")
    text = text.replace("version: 1", "version: 2").replace("('Steel', 'Software')", "('Steel')")
    path = company.parent / "criteria_2.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def run(mqlml, workspace, other):
    """Run a command on the copy of the trained workspace; answer its document."""

    def call(command, *words, code=0):
        answer = mqlml(command, "--config", other, "--workspace", workspace, "--json", *words)
        assert answer.code == code, answer.err
        return answer

    return call


def aliases(project):
    store = open_store(project.settings, project.workspace, {})
    found = (store.champion("small"), store.previous("small"), store.challenger("small"))
    return tuple(ref.version if ref else "" for ref in found)


def test_a_challenger_waits_for_a_yes_scores_in_the_shadow_takes_over_and_goes(
    run, workspace, other, mqlml
):
    project = open_project(other, workspace=workspace)
    asked = run("retrain", "--as-of", DAY, "--require-approval").document
    assert (asked["reason"], asked["approach"]) == ("criteria", "new criteria")
    assert (asked["promoted"], asked["waits_for_approval"]) == (False, True)
    assert aliases(project) == ("1", "", "2")
    scored = run("score", "--as-of", DAY, "--shadow").document
    assert (scored["model"]["version"], scored["shadow"]["version"]) == ("1", "2")
    shadow = pd.read_parquet(scored["shadow"]["path"])
    assert shadow["model_version"].unique().tolist() == ["2"]
    assert set(shadow["lead_id"]) == set(pd.read_parquet(scored["path"])["lead_id"])

    yes = run("promote", "--by", "ann", "--reason", "agreed on Monday", "--as-of", DAY).document
    assert yes["decision"] == "version 2 is champion instead of version 1, by ann: agreed on Monday"
    assert aliases(project) == ("2", "1", "")
    run("decline", "--by", "ann", "--reason", "none waits", code=7)

    back = run("rollback", "--by", "bo", "--reason", "sales complains", "--as-of", DAY).document
    assert back["champion"]["version"] == "1"
    assert aliases(project) == ("1", "", "")
    assert "nothing to go back to" in run("rollback", "--reason", "again", code=7).err

    told = [(c.number, c.kind, c.version, c.by) for c in champion_changes(project)]
    assert told == [
        (1, "train", "1", ""),
        (2, "promote", "2", "ann"),
        (3, "rollback", "1", "bo"),
    ]
    lines = mqlml("runs", "--config", other, "--workspace", workspace).out.splitlines()
    assert lines[-1] == ("v1 champion since 2025-12-08: brought back by bo: sales complains")


def test_the_shadow_of_a_ranked_list_has_as_many_places(company, workspace, tmp_path, mqlml):
    config = tmp_path / "ranked.yaml"
    text = company.read_text("utf-8").replace("capacity_per_week: 15,", "ranked: {most: 6},")
    config.write_text(text, encoding="utf-8")
    shared = ("--config", config, "--data", company.parent, "--workspace", workspace)
    asked = mqlml("retrain", *shared, "--as-of", DAY, "--require-approval", "--json").document
    assert (asked["reason"], asked["waits_for_approval"]) == ("criteria", True)
    scored = mqlml("score", *shared, "--as-of", DAY, "--shadow", "--json").document
    shadow = scored["shadow"]
    said = pd.read_parquet(shadow["path"])
    # The challenger is the champion by new criteria: both give the same leads the same places.
    taken, raised = scored["ranked"]["taken"], scored["ranked"]["raised"]
    assert taken + raised == 6
    assert shadow["mqls"] == shadow["mqls_of_champion"] == shadow["mqls_of_both"] == taken
    assert said["because"].str.startswith("ranked ").sum() >= taken


def test_a_champion_set_by_hand_in_mlflow_is_noticed_obeyed_and_recorded(
    run, workspace, other, mqlml
):
    run("retrain", "--as-of", DAY)
    project = open_project(other, workspace=workspace)
    assert aliases(project) == ("2", "1", "")
    store = open_store(project.settings, project.workspace, {})
    store._connection.client().set_registered_model_alias("small", "champion", "1")
    scored = run("score", "--as-of", DAY)
    assert scored.document["model"]["version"] == "1"
    monitored = run("monitor", "--as-of", DAY)
    assert "somebody made version 1 champion in MLflow instead of version 2" in monitored.err
    last = champion_changes(project)[-1]
    assert (last.kind, last.version, last.previous) == ("by hand", "1", "2")
    kinds = [row["kind"] for row in json.loads(run("runs").out)]
    assert kinds.count("champion") == 1
    assert aliases(project) == ("1", "2", "")
    # Told once.
    assert "somebody" not in run("monitor", "--as-of", DAY).err


def test_a_promotion_that_died_before_it_was_told_is_told_by_the_next_command(
    run, workspace, other, monkeypatch
):
    from mqlml.workflows import promotions

    run("retrain", "--as-of", DAY, "--require-approval")
    project = open_project(other, workspace=workspace)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(promotions, "_tell", die)
        with pytest.raises(KeyboardInterrupt):
            promote(project, Word("ann", "agreed on Monday"), version="2")
    # The alias has moved and the ledger does not know.
    assert aliases(project)[0] == "2"
    assert [c.version for c in champion_changes(project)] == ["1"]
    run("monitor", "--as-of", DAY)
    told = champion_changes(project)[-1]
    assert (told.number, told.kind, told.version, told.by) == (2, "promote", "2", "ann")


def test_of_two_retrainings_at_once_the_second_does_not_overturn_the_first(
    workspace, other, monkeypatch
):
    from mqlml.workflows import retrain as module

    project = open_project(other, workspace=workspace)
    learn = module.under_new_criteria

    def overtaken(*arguments):
        monkeypatch.setattr(module, "under_new_criteria", learn)
        retrain(project, as_of=None, seed=0, reason="criteria", say=str)
        return learn(*arguments)

    monkeypatch.setattr(module, "under_new_criteria", overtaken)
    done = retrain(project, as_of=None, seed=0, reason="criteria", say=str)
    assert not done.decision.promote
    assert "version 2 became champion while this one was compared with 1" in done.decision.why
    assert aliases(project) == ("2", "1", "3")
    decisions = [
        e.payload["promoted"] for e in read_entries(project.workspace.ledger, kind="retrain")
    ]
    assert sorted(decisions) == [False, True]
    # A person may still want it.
    said = promote(project, Word("ann", "the later one"), version=None)
    assert (said.champion, said.before) == ("3", "2")


def test_while_mlflow_is_down_the_last_champion_scores_and_the_rest_is_done_later(
    workspace, company, mqlml
):
    words = ("--workspace", workspace, "--as-of", DAY, "--json")
    mqlml("score", "--config", company, *words)
    text = company.read_text(encoding="utf-8") + "tracking: {uri: 'http://127.0.0.1:9'}\n"
    away = company.parent / "away.yaml"
    away.write_text(text, encoding="utf-8")
    night = mqlml("cycle", "--config", away, *words)
    assert night.code == 7
    steps = {step["step"]: step for step in night.document["steps"]}
    failed = [name for name, step in steps.items() if step["failed"]]
    assert failed == ["retrain", "tidy"]
    assert steps["retrain"]["outcome"] == "failed: the tracking server cannot be reached"
    assert steps["monitor"]["outcome"] == "Nothing that matters has changed."
    assert "version 1 serves, the champion of the last time" in night.err
    assert steps["score"]["outcome"].startswith("73 leads scored")


def test_a_cycle_is_not_done_twice(run):
    first = run("cycle", "--as-of", DAY).document
    assert [step["earlier"] for step in first["steps"]] == [False] * 5
    assert "criteria version 2" in first["steps"][2]["outcome"]
    again = run("cycle", "--as-of", DAY).document
    assert [step["earlier"] for step in again["steps"]] == [True] * 5
    assert [s["outcome"] for s in again["steps"]] == [s["outcome"] for s in first["steps"]]
