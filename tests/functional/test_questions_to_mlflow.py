"""A data scientist's questions, answered from what MLflow's pages show and from nothing else."""

import json
from pathlib import Path

import pytest
from tests.company import CONFIG

from mqlml.criteria.file import criteria_digest, criteria_from_dict


@pytest.fixture
def runs(mqlml, company, workspace, tmp_path):
    """Train a second time, with other criteria; return MLflow's client and both runs, in order."""
    from mlflow import MlflowClient

    config = tmp_path / "second.yaml"
    text = CONFIG.replace("version: 1", "version: 2").replace("('Steel', ", "('Retail', 'Steel', ")
    config.write_text(text, encoding="utf-8")
    shared = ("--config", config, "--data", company.parent, "--workspace", workspace)
    assert mqlml("train", *shared, "--as-of", "2025-12-15").code == 0
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    (experiment,) = (e for e in client.search_experiments() if e.name == "small")
    asked = "tags.`mqlml.kind` = 'train'"
    order = ["attributes.start_time"]
    found = client.search_runs([experiment.experiment_id], asked, order_by=order)
    return client, found


def artifact(client, run, name):
    return Path(client.download_artifacts(run.info.run_id, name)).read_text(encoding="utf-8")


def test_each_question_is_answered_by_the_run_itself(runs, company) -> None:
    client, (first, second) = runs
    tags, metrics = second.data.tags, second.data.metrics
    card = artifact(client, second, "model_card.md")
    note = tags["mlflow.note.content"]
    assert card.startswith(note.partition("\n\nThe rest: ")[0])

    # When, in words people read; and the model's page says where to look.
    assert tags["mqlml.when"] == "2025-12-15"
    assert "`model_card.md`" in client.get_registered_model("small").description

    # Which data: files, digest, rows.
    (data,) = (found.dataset for found in second.inputs.dataset_inputs)
    assert data.digest == tags["mqlml.data_digest"]
    assert data.name == "small as of 2025-12-15T00:00:00Z"
    assert "leads.csv, events.csv" in json.loads(data.source)["uri"]
    assert json.loads(data.profile)["num_rows"] == int(second.data.params["rows"])

    # Which criteria: version and digest, and the whole of them.
    criteria = criteria_from_dict(json.loads(artifact(client, second, "criteria.json")))
    assert tags["mqlml.criteria_version"] == "2" == str(criteria.version)
    assert tags["mqlml.criteria_digest"] == criteria_digest(criteria)

    # Why this model: every contestant's figures, and the sentence.
    winner = second.data.params["winner"]
    losses = {
        name: metrics[f"contestant.{name}.log_loss"]
        for name in ("base_rate", "points_rules", "logistic")
    }
    assert losses[winner] == min(losses.values())
    assert "had the lowest log loss on the forward folds" in note

    # How good on whom: the whole, each persona, each month.
    assert 0.5 < metrics["test_roc_auc"] <= 1
    assert {"persona.top management.rate", "persona.other.rate"} <= set(metrics)
    assert "| month | 2025-" in card

    # What changed since the last.
    assert "Compared with version 1, trained on data up to 2025-12-01" in card
    assert "version 1 became 2" in card
    assert "This is the first model of this name." in first.data.tags["mlflow.note.content"]
    (version,) = client.search_model_versions(f"run_id = '{second.info.run_id}'")
    assert version.description.startswith("Champion since 2025-12-15: ")
    assert "\n\nTrained as of 2025-12-15 (manual). " in version.description
    assert "of leads this model ranks highest" in version.description

    # And no lead is named in what a run says of itself.
    text = (company.parent / "leads.csv").read_text(encoding="utf-8")
    leads = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert not any(lead in card for lead in leads)
