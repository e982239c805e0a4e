"""Runs that belong to one change lie under it, and a model's time line has a step a week."""

import pytest
from tests.trainings import MARCH_2, NAME, local_store, saved_bundle, training_record, with_run

from mqlml.timeline import MICROS_PER_WEEK
from mqlml.tracking.library import hushed
from mqlml.tracking.records import Campaign, RunRecord

CHANGE = Campaign("c0ffee", "concept", MARCH_2 - MICROS_PER_WEEK, ("title",), "x", MARCH_2, "1")


@pytest.fixture
def store(tmp_path):
    return local_store(tmp_path)


@pytest.fixture
def client(store):
    with hushed():  # MLflow's libraries warn of one another when they are first used
        return store._connection.client()


def test_a_look_a_retraining_and_the_next_look_lie_under_one_change(store, client, tmp_path):
    first = store.log_run(RunRecord(NAME, "monitor", MARCH_2, campaign=CHANGE))
    record = with_run(training_record(saved_bundle(tmp_path / "bundle")), campaign=CHANGE)
    training = store.log_training(record)
    later = MARCH_2 + MICROS_PER_WEEK
    second = store.log_run(RunRecord(NAME, "monitor", later, campaign=CHANGE))
    alone = store.log_run(RunRecord(NAME, "monitor", later))
    tags = [client.get_run(one).data.tags for one in (first, training.run_id, second, alone)]
    parents = [one.get("mlflow.parentRunId") for one in tags]
    assert len(set(parents[:3])) == 1
    assert parents[3] is None
    above = client.get_run(parents[0]).data.tags
    assert (above["change_kind"], above["change_columns"]) == ("concept", "title")
    assert above["change_since"] == str(MARCH_2 - MICROS_PER_WEEK)
    # `mqlml runs` lists what was done; what holds it together is no run of its own there.
    assert [row.kind for row in store.runs(NAME)] == ["monitor", "train", "monitor", "monitor"]


def test_weekly_figures_of_a_look_are_a_series_with_a_step_a_week(store, client):
    # 2026-03-02 lies in the 2930th week since 1970; nothing is known of the week between.
    series = {"week.leads": [(MARCH_2, 12), (MARCH_2 + 2 * MICROS_PER_WEEK, 9)]}
    run_id = store.log_run(RunRecord(NAME, "monitor", MARCH_2, series=series))
    history = client.get_metric_history(run_id, "week.leads")
    assert sorted((m.step, m.timestamp, m.value) for m in history) == [
        (2930, 1_772_409_600_000, 12.0),
        (2932, 1_773_619_200_000, 9.0),
    ]


def test_looks_and_promotions_share_one_time_line_and_a_look_made_twice_is_there_once(
    store, client
):
    look = RunRecord(NAME, "monitor", MARCH_2, timeline={"alarm": 1, "champion_version": 1})
    store.log_run(look)
    store.log_run(look)
    store.log_timeline(NAME, {"champion_version": 2}, as_of=MARCH_2 + MICROS_PER_WEEK)
    experiment = client.get_experiment_by_name(NAME).experiment_id
    (line,) = client.search_runs([experiment], "tags.`mqlml.kind` = 'timeline'")
    steps = {
        name: [(m.step, m.value) for m in client.get_metric_history(line.info.run_id, name)]
        for name in ("alarm", "champion_version")
    }
    assert steps == {"alarm": [(2930, 1.0)], "champion_version": [(2930, 1.0), (2931, 2.0)]}
