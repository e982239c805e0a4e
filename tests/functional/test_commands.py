"""Every command on a small company, as a person or a program calls it."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from mqlml.modeling.bundle import load_bundle


def test_train_answers_programs_with_everything_they_were_promised(mqlml, company, tmp_path):
    answer = mqlml("train", "--config", company, "--workspace", tmp_path / "w", "--json")
    assert answer.code == 0
    document = answer.document
    assert document["model"] == {"name": "small", "version": "1"}
    assert document["winner"] in {c["name"] for c in document["contestants"]}
    assert {"name", "log_loss", "roc_auc", "pr_auc"} <= set(document["contestants"][0])
    promised = {"rows", "base_rate", "roc_auc", "pr_auc", "log_loss", "brier"}
    assert promised | {"calibration_error", "lift_at_10"} <= set(document["test"])
    assert document["test"]["log_loss"] < document["constant"]["log_loss"]
    assert all({"name", "passed", "found", "needed"} <= set(g) for g in document["gates"])
    assert document["published"] is True
    assert document["quarantined"] == 0
    assert Path(document["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    pictures = {p.name for p in (tmp_path / "w" / "mlartifacts").glob("**/pictures/*.svg")}
    # Up to three columns of each axis have a picture of what they do to the probability.
    assert {"gains.svg", "calibration.svg", "dependence-1.svg"} <= pictures
    assert len(pictures) <= 2 + 6


def test_a_second_training_reads_the_sources_only_if_they_changed(mqlml, company, workspace):
    before = (workspace / "tables" / "CURRENT").stat().st_mtime_ns
    words = ("features", "--config", company, "--workspace", workspace)
    assert mqlml(*words, "--out", workspace / "f.parquet").code == 0
    assert (workspace / "tables" / "CURRENT").stat().st_mtime_ns == before


def test_the_same_seed_gives_byte_equal_bundle_and_scores(mqlml, company, tmp_path):
    for name in ("a", "b"):
        shared = ("--config", company, "--workspace", tmp_path / name)
        assert mqlml("train", *shared, "--as-of", "2025-12-01", "--seed", 3).code == 0
        assert mqlml("export", *shared, "--out", tmp_path / f"bundle-{name}").code == 0
        assert mqlml("score", *shared, "--as-of", "2025-12-01").code == 0
    one, other = tmp_path / "bundle-a", tmp_path / "bundle-b"
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in other.iterdir())
    assert all(p.read_bytes() == (other / p.name).read_bytes() for p in one.iterdir())
    (first,), (second,) = ([*(tmp_path / n / "scores").glob("*.parquet")] for n in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_score_writes_what_it_counts(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--as-of", "2025-12-01")
    answer = mqlml("score", *shared, "--format", "csv", "--json")
    assert answer.code == 0
    document = answer.document
    scores = pd.read_csv(document["path"])
    assert document["rows"] == len(scores) == sum(document["outcomes"].values())
    assert set(document["outcomes"]) <= {"cold", "warm", "mql", "hand_raiser", "disqualified"}
    assert (document["model"], document["criteria"]["version"]) == (
        {"name": "small", "version": "1", "fallback": None},
        1,
    )
    assert document["as_of"] == "2025-12-01T00:00:00Z"
    assert scores["score"].between(0, 100).all()
    log_odds = scores[["base_part", "fit_part", "engagement_part"]].sum(axis=1)
    assert (
        1 / (1 + (-log_odds).map(lambda x: 2.718281828459045**x)) - scores["probability"]
    ).abs().max() < 1e-9


def test_one_lead_scored_alone_gets_what_it_gets_in_the_batch(mqlml, company, workspace, tmp_path):
    shared = ("--config", company, "--workspace", workspace, "--as-of", "2025-12-01", "--json")
    batch = pd.read_parquet(mqlml("score", *shared).document["path"])
    alone_file = tmp_path / "one.txt"
    lead = batch["lead_id"].iloc[len(batch) // 2]
    alone_file.write_text(f"{lead}\n", encoding="utf-8")
    alone = pd.read_parquet(mqlml("score", *shared, "--leads", alone_file).document["path"])
    expected = batch[batch["lead_id"] == lead].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, check_exact=True)


def test_scoring_one_lead_leaves_the_scores_and_the_report_of_the_batch(
    mqlml, company, workspace, tmp_path
):
    shared = ("--config", company, "--workspace", workspace, "--as-of", "2025-12-01", "--json")
    batch = mqlml("score", *shared).document
    before = [Path(batch[name]).read_bytes() for name in ("path", "report")]
    lead = pd.read_parquet(batch["path"])["lead_id"].iloc[0]
    (tmp_path / "one.txt").write_text(f"{lead}\n", encoding="utf-8")
    alone = mqlml("score", *shared, "--leads", tmp_path / "one.txt").document
    assert alone["rows"] == 1
    assert {alone["path"], alone["report"]}.isdisjoint({batch["path"], batch["report"]})
    assert [Path(batch[name]).read_bytes() for name in ("path", "report")] == before


def test_reasons_can_be_limited_to_leads_from_a_band_on(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--as-of", "2025-12-01", "--json")
    few = pd.read_parquet(mqlml("score", *shared, "--reasons-from", "mql").document["path"])
    everyone = pd.read_parquet(mqlml("score", *shared).document["path"])
    reasons = ["reasons_up", "reasons_down"]
    is_explained = few["outcome"].isin(["mql", "hand_raiser"])
    assert is_explained.any()
    assert few.loc[~is_explained, reasons].eq("").all(axis=None)
    same = everyone[is_explained].reset_index(drop=True)
    pd.testing.assert_frame_equal(few[is_explained].reset_index(drop=True), same, check_exact=True)
    assert everyone.loc[~is_explained, reasons].ne("").any(axis=None)


def test_the_trend_is_the_change_since_the_last_score(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--json")
    first = pd.read_parquet(mqlml("score", *shared, "--as-of", "2025-11-24").document["path"])
    second = pd.read_parquet(mqlml("score", *shared, "--as-of", "2025-12-01").document["path"])
    assert first["trend"].isna().all()
    both = second.merge(first[["lead_id", "score"]], on="lead_id", suffixes=("", "_before"))
    assert len(both) > 20
    assert ((both["score"] - both["score_before"]).round(1) == both["trend"]).all()


def test_an_event_exactly_at_as_of_is_not_in_the_features(mqlml, company, workspace, tmp_path):
    events = pd.read_csv(company.parent / "events.csv")
    event = events.iloc[0]
    moments = pd.to_datetime([event["at"]] * 2) + pd.to_timedelta([0, 1], unit="us")
    points = pd.DataFrame(
        {"lead_id": event["lead"], "as_of": moments.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    )
    points.to_csv(tmp_path / "points.csv", index=False)
    shared = ("--config", company, "--workspace", workspace, "--points", tmp_path / "points.csv")
    answer = mqlml("features", *shared, "--out", tmp_path / "f.parquet", "--json")
    assert answer.document["rows"] == 2
    counts = pd.read_parquet(tmp_path / "f.parquet")["any__count__28d"]
    earlier = (events["lead"] == event["lead"]) & (events["at"] < event["at"])
    assert counts.tolist() == [earlier.sum(), earlier.sum() + 1]


def test_ingest_says_where_every_row_went(mqlml, company, tmp_path):
    answer = mqlml("ingest", "--config", company, "--workspace", tmp_path / "w", "--json")
    for count in answer.document["files"]:
        parts = count["kept"] + count["duplicates"] + count["quarantined"] + count["filtered"]
        assert count["rows"] == parts
    people = mqlml("ingest", "--config", company, "--workspace", tmp_path / "w")
    assert "leads.csv → leads: 1,200 rows = 1,200 kept + 0 duplicates + 0 quarantined" in people.out


def test_monitor_retrain_and_review_are_recorded_beside_the_training(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--json")
    monitored = mqlml("monitor", *shared, "--as-of", "2026-01-20")
    assert monitored.code == (10 if monitored.document["alarm"] else 0)
    retrained = mqlml("retrain", *shared, "--as-of", "2026-01-20", "--reason", "review")
    assert retrained.code == 0
    assert retrained.document["reason"] == "review"
    assert retrained.document["retrained"] is True
    assert retrained.document["challenger"]["version"] == "2"
    champion = "2" if retrained.document["promoted"] else "1"
    assert retrained.document["champion"]["version"] == champion
    reviewed = mqlml("review", *shared, "--from", "2025-03-01", "--to", "2026-01-20")
    assert reviewed.code == 0
    keys = {"feature", "direction", "effect", "low", "high", "tier", "class"}
    assert all(keys <= set(finding) for finding in reviewed.document["findings"])
    runs = mqlml("runs", *shared).document
    assert [run["kind"] for run in runs] == ["train", "monitor", "retrain", "review"]
    assert all({"run_id", "kind", "at", "model", "reason", "decision"} <= set(r) for r in runs)
    told = mqlml("runs", "--config", company, "--workspace", workspace).out
    assert told.count("← champion") == 1


def test_a_retraining_without_a_reason_is_recorded_as_nothing_to_do(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--json", "--as-of", "2025-12-02")
    answer = mqlml("retrain", *shared, "--reason", "schedule")
    assert answer.code == 0
    assert answer.document["retrained"] is False
    assert "nothing to do" in answer.document["decision"]


def test_new_criteria_change_outcomes_and_not_probabilities(mqlml, company, workspace):
    text = company.read_text(encoding="utf-8").replace("version: 1", "version: 2")
    other = company.parent / "v2.yaml"
    other.write_text(text.replace("('Steel', 'Software')", "('Steel')"), encoding="utf-8")
    shared = ("--workspace", workspace, "--as-of", "2025-12-01", "--json")
    old = pd.read_parquet(mqlml("score", "--config", company, *shared).document["path"])
    new = pd.read_parquet(mqlml("score", "--config", other, *shared).document["path"])
    both = old.merge(new, on="lead_id", suffixes=("", "_new"))
    assert (both["probability"] == both["probability_new"]).all()
    assert set(both["criteria_version_new"]) == {2}
    assert (both["outcome"] != both["outcome_new"]).any()


def test_the_bundle_is_exported_without_pickle_and_loads(mqlml, company, workspace, tmp_path):
    out = tmp_path / "bundle"
    assert mqlml("export", "--config", company, "--workspace", workspace, "--out", out).code == 0
    assert load_bundle(out).name == "small"
    assert {p.suffix for p in out.iterdir()} <= {".json", ".txt"}
    again = mqlml("export", "--config", company, "--workspace", workspace, "--out", out)
    assert again.code == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    refused = mqlml(
        "export", "--config", company, "--workspace", workspace, "--out", tmp_path / "mine"
    )
    assert refused.code == 7
    assert (tmp_path / "mine" / "letter.txt").read_text() == "mine"


def test_mlflow_loads_the_champion_in_a_plain_process_with_pickle_forbidden(
    company, workspace, mqlml, tmp_path
):
    frame = tmp_path / "f.parquet"
    shared = ("--config", company, "--workspace", workspace)
    mqlml("features", *shared, "--as-of", "2025-12-01", "--out", frame)
    scored = pd.read_parquet(
        mqlml("score", *shared, "--as-of", "2025-12-01", "--json").document["path"]
    )
    code = f"""
import mlflow, pandas as pd, json
mlflow.set_tracking_uri("sqlite:///{workspace / "mlflow.db"}")
frame = pd.read_parquet("{frame}")
model = mlflow.pyfunc.load_model("models:/small@champion")
found = model.predict(frame.drop(columns=["lead_id", "as_of"]))
print(json.dumps(dict(zip(frame["lead_id"], found["probability"]))))
"""
    environment = {**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    expected = dict(zip(scored["lead_id"], scored["probability"], strict=True))
    assert found == pytest.approx(expected, abs=1e-12)


def test_ui_prints_its_command_and_doctor_finds_a_sound_store(mqlml, company, workspace):
    shared = ("--config", company, "--workspace", workspace, "--json")
    command = mqlml("ui", *shared, "--port", 5055).document
    assert "mlflow" in command["command"]
    assert "5055" in command["address"]
    found = mqlml("doctor", *shared)
    assert (found.code, found.document["sound"]) == (0, True)
    people = mqlml("doctor", "--config", company, "--workspace", workspace)
    assert "good" in people.out


def _answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _waited_for(port, *, answers):
    for _ in range(600):
        if _answers(port) == answers:
            return True
        time.sleep(0.1)
    return False


def test_ui_serves_mlflow_and_leaves_nothing_behind_when_it_is_ended(company, workspace):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("ui", "--config", str(company), "--workspace", str(workspace), "--port", str(port))
    served = subprocess.Popen(
        [sys.executable, "-m", "mqlml", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _waited_for(port, answers=True)
    finally:
        served.terminate()
        served.wait(timeout=60)
    assert _waited_for(port, answers=False)


def test_doctor_names_a_damaged_snapshot(mqlml, company, workspace):
    (leads,) = (workspace / "tables").glob("*/leads.parquet")
    leads.write_bytes(leads.read_bytes()[:100])
    found = mqlml("doctor", "--config", company, "--workspace", workspace, "--json")
    assert found.code == 7
    assert [c["name"] for c in found.document["checks"] if not c["ok"]] == ["tables"]


def test_a_damaged_snapshot_is_rebuilt_from_the_sources(mqlml, company, workspace):
    (leads,) = (workspace / "tables").glob("*/leads.parquet")
    leads.write_bytes(leads.read_bytes()[:100])
    assert mqlml("score", "--config", company, "--workspace", workspace).code == 0


def test_before_the_first_training_there_are_no_runs_and_no_champion(mqlml, company, tmp_path):
    shared = ("--config", company, "--workspace", tmp_path / "w")
    assert mqlml("runs", *shared, "--json").document == []
    assert "no runs yet" in mqlml("runs", *shared).out
    assert mqlml("score", *shared).code == 7
    assert mqlml("doctor", *shared).code == 0


def test_two_first_trainings_at_once_on_a_new_store_both_succeed(company, tmp_path):
    words = [sys.executable, "-m", "mqlml", "train", "--config", str(company), "--json",
             "--workspace", str(tmp_path / "w")]  # fmt: skip
    jobs = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [job.communicate(timeout=1800) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], answers
    assert {json.loads(out)["model"]["version"] for out, _ in answers} == {"1", "2"}


def test_score_refuses_memory_that_it_cannot_begin_with(mqlml, company, workspace):
    words = ("score", "--config", company, "--workspace", workspace, "--as-of", "2025-12-01")
    answer = mqlml(*words, "--memory", "100MB")
    assert answer.code == 3
    assert "too little memory to begin" in answer.err


def test_little_memory_changes_no_byte_of_scores(mqlml, company, workspace):
    words = ("score", "--config", company, "--workspace", workspace, "--as-of", "2025-12-01")
    scores = workspace / "scores"
    assert mqlml(*words).code == 0
    before = {p.name: p.read_bytes() for p in scores.glob("*.parquet")}
    assert mqlml(*words, "--memory", "380MB").code == 0
    assert {p.name: p.read_bytes() for p in scores.glob("*.parquet")} == before
