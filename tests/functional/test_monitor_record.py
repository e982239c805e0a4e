"""What MLflow holds of looks, and of what followed from them."""

import pytest

from mqlml.wiring import open_store
from mqlml.workflows.project import open_project

DAY, WEEK_LATER = "2025-12-08", "2025-12-15"


@pytest.fixture
def edited(company):
    """Return a config whose criteria were edited by hand, which raises the alarm."""
    text = company.read_text(encoding="utf-8").replace("('Steel', 'Software')", "('Steel')")
    path = company.parent / "by_hand.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_two_looks_at_one_change_lie_under_it_and_on_the_time_line(mqlml, edited, workspace):
    words = ("--config", edited, "--workspace", workspace, "--json", "--as-of")
    looks = [mqlml("monitor", *words, day).document["run_id"] for day in (DAY, WEEK_LATER)]
    project = open_project(edited, workspace=workspace)
    client = open_store(project.settings, project.workspace, {})._connection.client()
    runs = [client.get_run(run_id) for run_id in looks]
    (parent,) = {run.data.tags["mlflow.parentRunId"] for run in runs}
    assert client.get_run(parent).data.tags["change_kind"] == "definition"
    tags = runs[0].data.tags
    assert (tags["change_kind"], tags["change_columns"]) == ("definition", "criteria")
    assert (tags["proposal"], tags["decided_by"]) == ("ask_for_criteria", "mqlml")
    named = {"criteria_version", "criteria_digest", "data_digest"}
    assert {f"mqlml.{name}" for name in named} <= set(tags)
    weeks = [m.step for m in client.get_metric_history(looks[0], "week.expected_rate")]
    assert sorted(weeks) == list(range(min(weeks), max(weeks) + 1))
    experiment = client.get_experiment_by_name("small").experiment_id
    (line,) = client.search_runs([experiment], "tags.`mqlml.kind` = 'timeline'")
    alarms = client.get_metric_history(line.info.run_id, "alarm")
    # Mondays a week apart: two steps that follow one another.
    assert [(m.step, m.value) for m in alarms] == [(2918, 1.0), (2919, 1.0)]
    champion = client.get_metric_history(line.info.run_id, "champion_version")
    assert {m.value for m in champion} == {1.0}


def test_a_retraining_for_a_change_and_the_way_back_lie_under_the_change_too(
    mqlml, edited, workspace
):
    words = ("--config", edited, "--workspace", workspace, "--json", "--as-of")
    look = mqlml("monitor", *words, DAY).document["run_id"]
    retrained = mqlml("retrain", *words, DAY).document
    assert (retrained["reason"], retrained["promoted"]) == ("criteria", True)
    back = mqlml("rollback", *words, DAY, "--by", "bo", "--reason", "not agreed").document
    project = open_project(edited, workspace=workspace)
    client = open_store(project.settings, project.workspace, {})._connection.client()
    told = [client.get_run(one).data.tags for one in (look, retrained["run_id"], back["run_id"])]
    assert len({tags["mlflow.parentRunId"] for tags in told}) == 1
    assert (told[1]["from_version"], told[1]["to_version"]) == ("1", "2")
    assert told[1]["mqlml.decision"] == "promoted"
    assert (told[2]["from_version"], told[2]["to_version"]) == ("2", "1")
    assert told[2]["decided_by"] == "bo"
    experiment = client.get_experiment_by_name("small").experiment_id
    (line,) = client.search_runs([experiment], "tags.`mqlml.kind` = 'timeline'")
    champions = client.get_metric_history(line.info.run_id, "champion_version")
    assert {m.value for m in champions} == {1.0, 2.0}
