"""Faulty models and requests to score: refused with what does not fit, nothing written."""

import shutil

from tests.flat_table import refused


def test_scoring_with_another_target_than_the_model_is_refused(mqlml, company, workspace):
    text = company.read_text(encoding="utf-8").replace("horizon_days: 21", "horizon_days: 30")
    other = company.parent / "other.yaml"
    other.write_text(text, encoding="utf-8")
    answer = mqlml("score", "--config", other, "--workspace", workspace)
    assert refused(answer, 7, "the model predicts something else")


def test_a_tampered_bundle_is_refused_and_fetched_again(mqlml, company, workspace):
    words = ("score", "--config", company, "--workspace", workspace)
    assert mqlml(*words).code == 0
    (model,) = (workspace / "bundles").glob("*/model.json")
    model.write_text(model.read_text(encoding="utf-8").replace("1", "2", 1), encoding="utf-8")
    assert mqlml(*words).code == 0


def test_a_store_whose_model_was_tampered_with_does_not_score(mqlml, company, tmp_path):
    shared = ("--config", company, "--workspace", tmp_path / "w")
    assert mqlml("train", *shared, "--as-of", "2025-12-01").code == 0
    for model in (tmp_path / "w" / "mlartifacts").rglob("model.json"):
        model.write_text(model.read_text(encoding="utf-8").replace("1", "2", 1), encoding="utf-8")
    assert refused(mqlml("score", *shared), 7, "altered")
    assert not [path for path in (tmp_path / "w" / "scores").rglob("*") if path.is_file()]


def test_a_category_never_seen_is_scored(mqlml, company, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(company.parent, folder)
    shared = ("--config", folder / "config.yaml", "--workspace", tmp_path / "w")
    assert mqlml("train", *shared, "--as-of", "2025-12-01").code == 0
    with (folder / "leads.csv").open("a") as file:
        file.write("NEW,2025-12-20T00:00,Astronaut 🚀,Space mining,\n")
    assert mqlml("score", *shared).code == 0


def test_contradicting_and_wrong_points_are_refused(mqlml, company, workspace, tmp_path):
    words = ("features", "--config", company, "--workspace", workspace, "--out", tmp_path / "f")
    points = tmp_path / "points.csv"
    points.write_text("lead,as_of\nL0001,2025-05-01\n")
    assert refused(mqlml(*words, "--points", points), 4, "did you mean 'lead'")
    points.write_text("lead_id,as_of\nL0001,soon\nnobody,2025-05-01\n")
    assert refused(mqlml(*words, "--points", points), 5, "as_of is not a time", "not in the tables")
    assert refused(mqlml(*words, "--points", tmp_path / "none"), 5, "no such file")
    assert refused(mqlml(*words, "--points", points, "--as-of", "2025-05-01"), 2, "contradict")
    assert refused(mqlml(*words, "--as-of", "soon"), 2, "not a time")
    points.with_suffix(".parquet").write_bytes(b"no parquet")
    assert refused(mqlml(*words, "--points", points.with_suffix(".parquet")), 5, "cannot be read")
    assert not (tmp_path / "f").exists()


def test_leads_to_score_that_are_not_open_are_refused(mqlml, company, workspace, tmp_path):
    words = ("score", "--config", company, "--workspace", workspace, "--leads", tmp_path / "l.txt")
    assert refused(mqlml(*words), 5, "no such file")
    (tmp_path / "l.txt").write_text("nobody\n")
    assert refused(mqlml(*words), 2, "1 of 1 ids")


def test_scores_are_upserted_into_postgresql(mqlml, company, workspace, monkeypatch, postgres_url):
    import psycopg

    text = company.read_text(encoding="utf-8") + "scoring: {postgres_url_env: OUR_URL}\n"
    other = company.parent / "pg.yaml"
    other.write_text(text, encoding="utf-8")
    monkeypatch.setenv("OUR_URL", postgres_url)
    words = ("score", "--config", other, "--workspace", workspace, "--json")
    rows = [mqlml(*words).document["rows"] for _ in range(2)]
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute("SELECT count(*) FROM mqlml_scores").fetchone()
    assert found == (rows[0],)
    assert rows[0] == rows[1] > 0


def test_a_review_that_ends_before_it_begins_is_refused(mqlml, company, workspace):
    words = ("review", "--config", company, "--workspace", workspace)
    answer = mqlml(*words, "--from", "2025-06-01", "--to", "2025-06-01")
    assert refused(answer, 2, "the period is empty", "--from")


def test_an_export_onto_a_file_or_other_work_is_refused(mqlml, company, workspace, tmp_path):
    words = ("export", "--config", company, "--workspace", workspace, "--out")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    assert refused(mqlml(*words, mine), 7, "holds something else")
    assert refused(mqlml(*words, mine / "notes.txt"), 7, "is not a folder")
    assert (mine / "notes.txt").read_text() == "mine"
