import json
import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from tests.trainings import (
    MARCH_2,
    NAME,
    local_store,
    saved_bundle,
    tiny_bundle,
    tiny_matrix,
    training_record,
    with_run,
)

from mqlml.errors import BundleError
from mqlml.modeling.bundle import load_bundle
from mqlml.tracking.library import mlflow
from mqlml.tracking.records import RunRecord, RunRow
from mqlml.tracking.runs import experiment_id
from mqlml.tracking.sqlite import make_database

WEEK = 7 * 86_400_000_000


@pytest.fixture
def store(tmp_path):
    return local_store(tmp_path / "w")


@pytest.fixture
def record(tmp_path):
    return training_record(saved_bundle(tmp_path / "bundle"))


@pytest.fixture
def client(store, tmp_path):
    make_database(tmp_path / "w" / "mlflow.db", tmp_path / "w" / "mlartifacts")
    return mlflow().MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)


def test_a_training_is_a_finished_run_with_all_that_was_told(store, record, client):
    logged = store.log_training(record)
    run = client.get_run(logged.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.start_time == run.info.end_time == MARCH_2 // 1000
    assert run.data.params == {
        "horizon_days": "60",
        "contestants": '["logistic", "base_rate"]',
    }
    assert run.data.metrics == {
        "test.roc_auc": 0.75,
        "test.log_loss": 0.4,
        "contestant.logistic.log_loss": 0.4,
        "contestant.base_rate.log_loss": 0.6,
    }
    ours = {k: v for k, v in run.data.tags.items() if k.startswith("mqlml.")}
    assert ours.pop("mqlml.version")
    assert ours.pop("mqlml.plan_fingerprint") == record.plan_fingerprint
    assert ours == {
        "mqlml.kind": "train",
        "mqlml.as_of": str(MARCH_2),
        "mqlml.when": "2026-03-02",
        "mqlml.reason": "first",
        "mqlml.decision": "",
        "mqlml.model_name": NAME,
        "mqlml.model_version": "",
        "mqlml.data_digest": "0123456789abcdef",
        "mqlml.criteria_version": "1",
        "mqlml.criteria_digest": "c0ffee",
        "mqlml.seed": "7",
    }
    assert sorted(a.path for a in client.list_artifacts(logged.run_id)) == ["facts", "report.html"]


def test_the_data_of_a_training_are_named_by_their_digest(store, record, client):
    long = replace(record, dataset=replace(record.dataset, digest="d" * 64))
    runs = [client.get_run(store.log_training(r).run_id) for r in (record, long)]
    digests = [run.inputs.dataset_inputs[0].dataset.digest for run in runs]
    assert digests[0] == "0123456789abcdef"
    assert len(digests[1]) == 36


def test_a_training_becomes_a_version_and_not_the_champion(store, record):
    logged = store.log_training(record)
    assert (logged.name, logged.version) == (NAME, "1")
    assert store.champion(NAME) is None
    assert store.version(NAME, "1").run_id == logged.run_id


def test_promotion_makes_a_version_champion_until_the_next(store, record):
    for version in ("1", "2"):
        logged = store.log_training(record)
        ref = store.promote(NAME, logged.version, as_of=MARCH_2, reason="better")
        assert ref.version == version
        assert store.champion(NAME) == ref
        assert ref.uri == f"models:/{NAME}/{version}"


def test_a_training_that_is_not_published_is_a_run_without_a_version(store, record):
    logged = store.log_training(
        with_run(record, decision="not published: too few conversions"), publish=False
    )
    assert logged.version == ""
    (row,) = store.runs(NAME)
    assert (row.version, row.decision) == ("", "not published: too few conversions")
    with pytest.raises(BundleError, match="no such model version"):
        store.version(NAME, "1")


def test_runs_are_listed_by_the_time_they_speak_of(store, record):
    logged = store.log_training(with_run(record, as_of=MARCH_2 + WEEK))
    store.promote(NAME, logged.version, as_of=MARCH_2 + WEEK, reason="first")
    run_id = store.log_run(
        RunRecord(
            NAME,
            "monitor",
            MARCH_2,
            reason="schedule",
            decision="nothing to do",
            model_version="1",
            metrics={"base_rate": 0.1},
        )
    )
    assert store.runs(NAME) == (
        RunRow(run_id, "monitor", MARCH_2, NAME, "1", "schedule", "nothing to do"),
        RunRow(logged.run_id, "train", MARCH_2 + WEEK, NAME, "1", "first", "promoted"),
    )


def test_a_run_that_someone_else_wrote_is_listed_by_the_clock(store, record, client):
    store.log_run(record.run)
    experiment = client.get_experiment_by_name(NAME).experiment_id
    foreign = client.create_run(experiment, start_time=5)
    client.set_terminated(foreign.info.run_id)
    assert (store.runs(NAME)[0].at, store.runs(NAME)[0].kind) == (5000, "")


def test_nothing_is_made_by_asking(store, tmp_path):
    assert store.champion(NAME) is None
    assert store.runs(NAME) == ()
    assert store.unfinished(NAME) == ()
    assert not (tmp_path / "w").exists()


def test_a_name_without_runs_has_none(store, record):
    store.log_run(record.run)
    assert store.runs("other") == ()
    assert store.unfinished("other") == ()


def test_many_parameters_and_tags_arrive(store, client):
    record = RunRecord(
        NAME,
        "train",
        MARCH_2,
        params={f"p{i}": i for i in range(230)},
        metrics={f"m{i}": i for i in range(1100)},
        tags={"long": "x" * 9000},
    )
    run = client.get_run(store.log_run(record))
    assert len(run.data.params) == 230
    assert len(run.data.metrics) == 1100
    assert len(run.data.tags["long"]) == 5000


def test_runs_beyond_one_page_are_listed(store, monkeypatch):
    for week in range(3):
        store.log_run(RunRecord(NAME, "score", MARCH_2 + week * WEEK))
    monkeypatch.setattr("mqlml.tracking.runs._PAGE", 2)
    assert len(store.runs(NAME)) == 3


def test_a_bundle_comes_back_byte_for_byte(store, record, tmp_path):
    ref = store.promote(NAME, store.log_training(record).version, as_of=MARCH_2, reason="first")
    folder = store.download_bundle(ref, tmp_path / "models" / "demo")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        p.name: p.read_bytes() for p in record.bundle.iterdir()
    }
    assert [p.name for p in folder.parent.iterdir()] == ["demo"]


def test_an_exported_bundle_is_replaced_and_nothing_else_is(store, record, tmp_path):
    store.log_training(record)
    store.log_training(replace(record, bundle=saved_bundle(tmp_path / "b2", shift=1.0)))
    target = tmp_path / "out"
    target.mkdir()
    for version, shift in (("1", 0.0), ("2", 1.0)):
        store.download_bundle(store.version(NAME, version), target)
        assert load_bundle(target).model.calibration.shift == shift
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("kept")
    with pytest.raises(BundleError, match="no bundle"):
        store.download_bundle(store.version(NAME, "1"), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "kept"


def test_a_bundle_that_cannot_be_loaded_is_never_registered(store, record, client):
    (record.bundle / "plan.json").write_text("{}")
    with pytest.raises(BundleError, match="altered"):
        store.log_training(record)
    with pytest.raises(BundleError, match="no such model version"):
        store.version(NAME, "1")
    experiment = client.get_experiment_by_name(NAME).experiment_id
    assert [run.info.status for run in client.search_runs([experiment])] == ["FAILED"]
    assert [m.status for m in client.search_logged_models([experiment])] == ["FAILED"]
    assert store.runs(NAME) == ()


def test_a_version_whose_files_are_gone_or_altered_is_not_promoted(store, record, tmp_path):
    store.log_training(record)
    (plan,) = (tmp_path / "w" / "mlartifacts").rglob("plan.json")
    plan.write_text("{}")
    with pytest.raises(BundleError, match="altered"):
        store.promote(NAME, "1", as_of=MARCH_2, reason="first")
    for path in plan.parent.iterdir():
        path.unlink()
    plan.parent.rmdir()
    with pytest.raises(BundleError, match="not where MLflow keeps them"):
        store.promote(NAME, "1", as_of=MARCH_2, reason="first")
    assert store.champion(NAME) is None


def test_a_champion_that_was_never_finished_is_refused(store, record, client):
    store.log_run(record.run)
    experiment = client.get_experiment_by_name(NAME).experiment_id
    pending = client.create_logged_model(experiment, name="model")
    client.create_registered_model(NAME)
    client.create_model_version(
        NAME, pending.artifact_location, tags={"mqlml.model_id": pending.model_id}
    )
    client.set_registered_model_alias(NAME, "champion", "1")
    with pytest.raises(BundleError, match="never finished"):
        store.champion(NAME)


def test_a_version_registered_by_hand_can_be_champion(store, record, client):
    logged = store.log_training(record, publish=False)
    experiment = client.get_experiment_by_name(NAME).experiment_id
    (model,) = client.search_logged_models([experiment])
    client.create_registered_model(NAME)
    client.create_model_version(NAME, model.artifact_location, run_id=logged.run_id)
    client.set_registered_model_alias(NAME, "champion", "1")
    store.try_bundle(store.champion(NAME))


def test_a_deleted_experiment_is_a_clear_error(store, record, client):
    store.log_run(record.run)
    client.delete_experiment(client.get_experiment_by_name(NAME).experiment_id)
    with pytest.raises(BundleError, match="deleted in MLflow"):
        store.log_run(record.run)


def test_a_name_that_mlflow_refuses_is_a_clear_error(store, record):
    with pytest.raises(BundleError, match="MLflow refuses"):
        store.log_training(with_run(record, name="a:b"))
    with pytest.raises(BundleError, match="MLflow refuses"):
        store.version(NAME, "first")


def test_a_name_with_an_apostrophe_is_a_name(store, record):
    logged = store.log_training(with_run(record, name="Ann's leads"))
    assert [row.version for row in store.runs("Ann's leads")] == [logged.version]


def test_an_experiment_that_another_process_made_meanwhile_is_used(store, record, client):
    store.log_run(record.run)

    class LateClient:
        """A client that first looks before the other process was through."""

        looks = 0

        def get_experiment_by_name(self, name):
            self.looks += 1
            return None if self.looks == 1 else client.get_experiment_by_name(name)

        def __getattr__(self, name):
            return getattr(client, name)

    found = experiment_id(LateClient(), NAME, location=None)
    assert found == client.get_experiment_by_name(NAME).experiment_id
    with pytest.raises(mlflow().MlflowException):
        experiment_id(client, "", location=None)


def test_a_training_without_an_example_is_kept_too(store, record):
    logged = store.log_training(replace(record, example=None))
    store.try_bundle(store.version(NAME, logged.version))


PREDICT = """
import json, sys, warnings
import pandas as pd
import mlflow.pyfunc
warnings.simplefilter("error", UserWarning)
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
print(model.predict(pd.read_json(sys.stdin, orient="table")).to_json(double_precision=15))
"""


def test_mlflow_alone_loads_the_champion_and_predicts_without_pickle(store, record):
    store.promote(NAME, store.log_training(record).version, as_of=MARCH_2, reason="first")
    matrix = tiny_matrix(6)
    found = subprocess.run(
        [sys.executable, "-c", PREDICT, store.uri, NAME],
        input=matrix.to_json(orient="table", index=False),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
    )
    answer = pd.DataFrame(json.loads(found.stdout))
    assert list(answer.columns) == [
        "probability",
        "score",
        "grade",
        "fit_part",
        "engagement_part",
    ]
    expected = tiny_bundle().model.probability(matrix)
    assert answer["probability"].to_numpy() == pytest.approx(expected, abs=1e-12)


QUIET = """
import sys
from pathlib import Path
from tests.trainings import *
root = Path(sys.argv[1])
store = local_store(root / "w")
for _ in range(2):
    logged = store.log_training(training_record(root / "bundle"))
    store.promote(NAME, logged.version, as_of=MARCH_2, reason="first")
store.runs(NAME)
"""


def test_mlflow_says_nothing_on_its_own(record, tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", QUIET, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert (found.stdout, found.stderr) == ("", "")
