"""One line in the config switches the engine; the champion answers inside Spark too."""

from pathlib import Path

import pandas as pd
import pytest
from tests.trainings import saved_bundle, tiny_matrix, training_record

from mqlml.criteria.settings import Criteria, RankedList, Thresholds
from mqlml.engines.spark import SparkEngine
from mqlml.engines.spark_frames import to_spark
from mqlml.engines.spark_scores import Scorer, spark_scores
from mqlml.engines.spark_session import open_session
from mqlml.errors import ConfigError
from mqlml.modeling.bundle import load_bundle
from mqlml.scoring.score import Policy
from mqlml.tracking.model_files import write_model

ENGINE = 'engine: {kind: spark, master: "local[2,3]", partitions: 2}\n'


@pytest.fixture
def on_spark(company: Path, tmp_path: Path, spark_engine: SparkEngine) -> Path:
    config = tmp_path / "spark.yaml"
    config.write_text(company.read_text(encoding="utf-8") + ENGINE, encoding="utf-8")
    return config


def test_features_and_scores_are_the_same_with_spark(
    mqlml, company, workspace, on_spark, tmp_path
) -> None:
    local = ("--config", company, "--workspace", workspace)
    spark = ("--config", on_spark, "--data", company.parent, "--workspace", workspace)
    day = ("--as-of", "2025-12-01")
    assert mqlml("features", *local, *day, "--out", tmp_path / "one.parquet").code == 0
    assert mqlml("features", *spark, *day, "--out", tmp_path / "many").code == 0
    one = pd.read_parquet(tmp_path / "one.parquet").sort_values("lead_id", ignore_index=True)
    many = pd.read_parquet(tmp_path / "many").sort_values("lead_id", ignore_index=True)
    assert len(one) > 50
    pd.testing.assert_frame_equal(many, one, check_exact=True)
    expected = pd.read_parquet(mqlml("score", *local, *day, "--json").document["path"])
    found = pd.read_parquet(mqlml("score", *spark, *day, "--json").document["path"])
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_a_ranked_list_is_cut_alike_with_spark(
    mqlml, company, workspace, on_spark, tmp_path
) -> None:
    day = ("--as-of", "2025-12-01", "--reasons-from", "mql", "--json")
    found = []
    for file in (company, on_spark):
        config = tmp_path / f"ranked_{file.name}"
        text = file.read_text(encoding="utf-8")
        text = text.replace("capacity_per_week: 15", "ranked: {most: 9}")
        config.write_text(text, encoding="utf-8")
        words = ("--config", config, "--data", company.parent, "--workspace", workspace)
        found.append(pd.read_parquet(mqlml("score", *words, *day).document["path"]))
    assert found[0]["because"].str.startswith("ranked 9th of").sum() <= 1
    assert found[0]["because"].str.startswith("ranked ").sum() > 9
    pd.testing.assert_frame_equal(found[1], found[0], check_exact=True)


def test_scores_that_stay_in_spark_know_no_ranked_list(spark_engine, tmp_path) -> None:
    bundle = saved_bundle(tmp_path)
    criteria = Criteria(version=1, thresholds=Thresholds(ranked=RankedList(most=3)))
    scorer = Scorer(load_bundle(bundle), Policy(criteria, 0.1, "1"))
    with pytest.raises(ConfigError, match="a ranked list needs all leads together"):
        spark_scores(spark_engine, None, points=None, scorer=scorer)


def bundle_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of an exported bundle, by name."""
    (manifest,) = folder.rglob("manifest.json")
    return {path.name: path.read_bytes() for path in manifest.parent.iterdir()}


@pytest.mark.filterwarnings("ignore")  # MLflow and pyspark are called here without our care
def test_a_model_trained_on_spark_is_the_local_one_and_its_champion_scores_in_spark(
    mqlml, company, trained, on_spark, tmp_path, spark_engine: SparkEngine, monkeypatch
) -> None:
    spark = ("--config", on_spark, "--data", company.parent, "--workspace", tmp_path / "w")
    day = ("--as-of", "2025-12-01")
    assert mqlml("train", *spark, *day).code == 0
    assert mqlml("export", *spark, "--out", tmp_path / "many").code == 0
    local = ("--config", company, "--workspace", trained)
    assert mqlml("export", *local, "--out", tmp_path / "one").code == 0
    many, one = bundle_in(tmp_path / "many"), bundle_in(tmp_path / "one")
    assert {"plan.json", "model.json", "facts.json", "manifest.json"} <= set(one)
    assert many == one
    scores = pd.read_parquet(mqlml("score", *spark, *day, "--json").document["path"])
    assert mqlml("features", *spark, *day, "--out", tmp_path / "matrix").code == 0
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'w' / 'mlflow.db'}")
    session = open_session(spark_engine.settings)
    kinds = "probability double, score double, grade string, fit_part double"
    answer = f"{kinds}, engagement_part double"
    champion = mlflow.pyfunc.spark_udf(
        session, "models:/small@champion", result_type=answer, env_manager="local"
    )
    matrix = session.read.parquet(str(tmp_path / "matrix"))
    columns = [name for name in matrix.columns if name not in {"lead_id", "as_of"}]
    found = matrix.select("lead_id", champion(*columns).alias("a")).select("lead_id", "a.*")
    answers = found.toPandas().set_index("lead_id")["probability"]
    expected = scores.set_index("lead_id")["probability"]
    assert len(expected) > 50
    pd.testing.assert_series_equal(answers.sort_index(), expected.sort_index(), check_exact=True)


def test_a_file_in_the_way_of_sparks_folder_is_told(
    mqlml, company, workspace, on_spark, tmp_path
) -> None:
    out = tmp_path / "taken.parquet"
    out.write_bytes(b"mine")
    spark = ("--config", on_spark, "--data", company.parent, "--workspace", workspace)
    answer = mqlml("features", *spark, "--out", out)
    assert answer.code == 5
    assert "a file has this name" in answer.err
    assert out.read_bytes() == b"mine"


@pytest.mark.filterwarnings("ignore")  # MLflow and pyspark are called here without our care
def test_the_models_function_in_spark_answers_as_predict(
    spark_engine: SparkEngine, tmp_path: Path
) -> None:
    import mlflow

    record = training_record(saved_bundle(tmp_path / "saved"))
    model = str(write_model(record, tmp_path, model_id="m-1", run_id="1" * 32))
    rows = tiny_matrix(40)
    expected = mlflow.pyfunc.load_model(model).predict(rows)
    session = open_session(spark_engine.settings)
    answer = ", ".join(f"{name} {'string' if name == 'grade' else 'double'}" for name in expected)
    scorer = mlflow.pyfunc.spark_udf(session, model, result_type=answer, env_manager="local")
    frame = to_spark(session, rows.assign(place=range(len(rows))))
    found = frame.select("place", scorer(*rows.columns).alias("a")).select("place", "a.*")
    answers = found.toPandas().sort_values("place", ignore_index=True).drop(columns="place")
    pd.testing.assert_frame_equal(answers.astype({"grade": "str"}), expected, check_exact=True)
