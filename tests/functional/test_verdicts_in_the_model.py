"""Rates of verdicts and acceptance as a second target, from the config to the scores."""

import pytest
from tests.company import write_company

from mqlml.engines.local import LocalEngine
from mqlml.errors import ConfigError
from mqlml.features.reference import reference_features
from mqlml.workflows.champion import load_champion
from mqlml.workflows.features import plan_of, read_points
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.project import open_project

AS_OF = "2025-12-01"


def silent(_text):
    pass


@pytest.fixture
def config(tmp_path):
    path = write_company(tmp_path)
    text = path.read_text()
    text = text.replace("plan:\n", "plan:\n  rates: {verdicts: [industry]}\n")
    path.write_text(text.replace("model:\n", "model:\n  acceptance: true\n"))
    return path


def test_learners_with_and_without_verdicts_compete_and_scores_come_of_the_same_columns(
    mqlml, config, tmp_path
):
    words = ["--config", config, "--workspace", tmp_path / "w", "--as-of", AS_OF]
    trained = mqlml("train", *words, "--json").document
    names = [one["name"] for one in trained["contestants"]]
    assert names == [
        "base_rate",
        "points_rules",
        "logistic",
        "logistic_verdicts",
        "logistic_acceptance",
    ]
    losses = {one["name"]: one["log_loss"] for one in trained["contestants"]}
    assert len(set(losses.values())) == 5
    project = open_project(config, workspace=tmp_path / "w")
    plan = load_champion(project).bundle.plan
    assert "industry__accepted_20__ever" in plan.columns
    tables = current_tables(project, say=silent)
    asked = tmp_path / "points.csv"
    leads = tables.leads["lead_id"].iloc[::40]
    asked.write_text("lead_id,as_of\n" + "".join(f"{one},{AS_OF}\n" for one in leads))
    points = read_points(asked, tables)
    found = LocalEngine(threads=1).compute(tables, points, plan)
    rate = found["industry__accepted_20__ever"]
    assert rate.notna().any()
    assert rate.equals(reference_features(tables, points, plan)["industry__accepted_20__ever"])
    assert mqlml("score", *words).code == 0


def test_who_the_rep_is_never_is_a_feature(config, tmp_path):
    lines = [line for line in config.read_text().splitlines() if " icp:" not in line]
    plain = "\n".join([*lines, "serve: {owner: title}", ""])
    config.write_text(plain)
    project = open_project(config, workspace=tmp_path / "w")
    tables = current_tables(project, say=silent)
    assert "title" in tables.leads
    columns = plan_of(project.settings, tables).columns
    assert "industry" in columns
    assert not [name for name in columns if "title" in name]
    config.write_text(plain.replace("verdicts: [industry]", "verdicts: [title], of: [title]"))
    with pytest.raises(ConfigError) as caught:
        plan_of(open_project(config, workspace=tmp_path / "w").settings, tables)
    assert {(fault.where, fault.what) for fault in caught.value.faults} == {
        ("plan.rates.of", "the rep of a lead (serve.owner) is never a feature"),
        ("plan.rates.verdicts", "the rep of a lead (serve.owner) is never a feature"),
    }
