"""A corrected champion in MLflow: it loads by MLflow alone, without pickle."""

from dataclasses import replace

import numpy as np
import pytest
from tests.trainings import (
    MARCH_2,
    NAME,
    local_store,
    tiny_bundle,
    tiny_matrix,
    training_record,
)

from mqlml.modeling.adjustment import Learnt, corrected_model, encoded
from mqlml.modeling.bundle import save_bundle
from mqlml.tracking.library import mlflow
from mqlml.tracking.records import ChampionChange


def test_mlflow_loads_a_corrected_champion_and_predicts_what_it_says(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    old, matrix = tiny_bundle(), tiny_matrix()
    design = encoded(matrix, old.model, ("visits",))
    learnt = Learnt(0.2, 0.7, np.full(design.design.shape[1], 0.5))
    changed = corrected_model(old.model, learnt, design)
    save_bundle(replace(old, model=changed), tmp_path / "bundle")
    store = local_store(tmp_path / "w")
    logged = store.log_training(training_record(tmp_path / "bundle"))
    store.appoint(NAME, ChampionChange(1, "retrain", MARCH_2, logged.version, why="buyers changed"))
    client = store._connection.client()
    place = client.get_model_version_download_uri(NAME, store.champion(NAME).version)
    loaded = mlflow().pyfunc.load_model(place)
    said = loaded.predict(matrix.astype({"industry": object}))
    assert said["probability"].to_numpy() == pytest.approx(changed.probability(matrix))
    parts = said["fit_part"] + said["engagement_part"]
    base = changed.parts(matrix)["base"]
    assert (parts + base).to_numpy() == pytest.approx(changed.log_odds(matrix))


def test_what_was_killed_before_its_aliases_is_settled(tmp_path):
    from mqlml.tracking import aliases

    store = local_store(tmp_path / "w")
    save_bundle(tiny_bundle(), tmp_path / "bundle")
    for _ in range(3):
        store.log_training(training_record(tmp_path / "bundle"))
    store.promote(NAME, "1", as_of=MARCH_2, reason="first")
    store.propose(NAME, "2")
    # Killed right after the alias `champion` moved.
    change = ChampionChange(2, "retrain", MARCH_2, "2", "1", "drift", "buyers changed")
    client = store._connection.client()
    ref = store.version(NAME, "2")
    aliases.write_change(client, ref, change)
    client.set_registered_model_alias(NAME, "champion", "2")
    assert (store.previous(NAME), store.challenger(NAME).version) == (None, "2")
    written = store.change_of(store.champion(NAME))
    assert written == change
    store.settle(ref, written)
    assert store.previous(NAME).version == "1"
    assert store.challenger(NAME) is None
    text = client.get_model_version(NAME, "2").description
    assert text.startswith("Champion since ")
    assert "retrained (drift): buyers changed" in text
