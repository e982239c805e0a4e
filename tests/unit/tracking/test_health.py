import pytest
from tests.trainings import MARCH_2, NAME, local_store, saved_bundle, training_record

from mqlml.tracking.health import check_store
from mqlml.tracking.sqlite import make_database


@pytest.fixture
def store(tmp_path):
    return local_store(tmp_path / "w")


def found(store):
    return {check.name: (check.ok, check.found) for check in check_store(store, NAME)}


def test_a_store_that_is_not_there_yet_is_sound(store, tmp_path):
    assert found(store)["MLflow store"] == (True, "nothing is trained yet")
    assert not (tmp_path / "w").exists()


def test_before_the_first_promotion_there_is_no_champion(store, tmp_path):
    make_database(tmp_path / "w" / "mlflow.db", tmp_path / "w" / "mlartifacts")
    assert found(store)["champion"] == (True, "no model is promoted yet")


def test_a_champion_that_loads_is_sound_and_an_altered_one_is_not(store, tmp_path):
    record = training_record(saved_bundle(tmp_path / "b"))
    store.promote(NAME, store.log_training(record).version, as_of=MARCH_2, reason="first")
    assert found(store)["champion"] == (True, "version 1 loads")
    assert found(store)["unfinished runs"] == (True, "none")
    (plan,) = (tmp_path / "w" / "mlartifacts").rglob("plan.json")
    plan.write_text("{}")
    ok, text = found(store)["champion"]
    assert not ok
    assert "altered" in text


def test_an_unfinished_run_is_counted(store, tmp_path):
    from mqlml.tracking.library import mlflow

    store.log_run(training_record(tmp_path).run)
    client = mlflow().MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
    client.create_run(client.get_experiment_by_name(NAME).experiment_id)
    assert found(store)["unfinished runs"] == (True, "1 begun and not finished, never used")


def test_a_store_that_cannot_be_read_is_named_with_its_mend(store, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "mlflow.db").write_text("x")
    checks = check_store(store, NAME)
    assert [check.name for check in checks] == ["MLflow", "MLflow store"]
    assert not checks[1].ok
    assert checks[1].mend
