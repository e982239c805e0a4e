"""Bad input: each a clear message and its exit code, no traceback, nothing half-written."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mqlml.cli import main as entry
from mqlml.storage.locks import hold

FLAT = """\
name: flat
timezone: UTC
sources:
  leads:
    file: flat.csv
    columns: {lead_id: id, created_at: created}
    outcome: {column: won, positive: ["yes"], negative: ["no"]}
target: {stage: outcome}
model: {contestants: [base_rate, logistic]}
gates: {min_leads: 100, min_conversions: 20, min_test_conversions: 5}
"""


def rows_of(leads=600, *, won=lambda i: (i * 7) % 10 < 1 + 6 * (i % 2), size=lambda i: i % 2):
    """Return lines of a flat table; of odd leads (size 1) six in ten are won, of even two."""
    days = [f"2025-{1 + i * 12 // leads:02d}-{1 + i % 28:02d}" for i in range(leads)]
    answers = ["yes" if won(i) else "no" for i in range(leads)]
    rows = [f"L{i},{days[i]},{size(i)},{answers[i]}" for i in range(leads)]
    return ["id,created,size,won", *rows]


@pytest.fixture
def flat(tmp_path):
    """Write a flat table and its config; return (config, a function that rewrites the table)."""
    config = tmp_path / "flat.yaml"
    config.write_text(FLAT, encoding="utf-8")

    def rewrite(lines, encoding="utf-8"):
        (tmp_path / "flat.csv").write_bytes(("\n".join(lines) + "\n").encode(encoding))

    rewrite(rows_of())
    return config, rewrite


def train(mqlml, config, *words):
    return mqlml("train", "--config", config, "--workspace", config.parent / "w", *words)


def refused(answer, code, *texts):
    """Check that a command failed as it should: code, words, no traceback."""
    assert answer.code == code, answer.err + answer.out
    for text in texts:
        assert text in answer.err
    assert "Traceback" not in answer.err + answer.out
    return True


def test_the_untouched_table_trains(mqlml, flat):
    assert train(mqlml, flat[0]).code == 0


def test_all_faults_of_a_config_come_with_their_lines(mqlml, flat):
    config, _ = flat
    config.write_text(FLAT.replace("name:", "nam:").replace("model:", "modle:"), encoding="utf-8")
    assert refused(
        train(mqlml, config), 3, "flat.yaml:1", "did you mean 'name'", "did you mean 'model'"
    )


def test_a_missing_config_and_unknown_options_are_named(mqlml, tmp_path):
    assert refused(mqlml("train", "--config", tmp_path / "no.yaml"), 3, "no such file")
    assert mqlml("train").code == 2
    assert mqlml("trian").code == 2
    assert mqlml("--help").code == 0


def test_a_json_caller_gets_the_faults_as_a_document(mqlml, tmp_path):
    answer = mqlml("train", "--config", tmp_path / "no.yaml", "--json")
    assert answer.document["exit_code"] == answer.code == 3
    assert answer.document["faults"][0]["what"] == "no such file"


def test_a_missing_data_file_is_named(mqlml, flat):
    config, _ = flat
    (config.parent / "flat.csv").unlink()
    assert refused(train(mqlml, config), 5, "no such file", "flat.csv")


def test_an_empty_file_is_named(mqlml, flat):
    config, _ = flat
    (config.parent / "flat.csv").write_bytes(b"")
    answer = train(mqlml, config)
    assert answer.code in {4, 5}
    assert refused(answer, answer.code, "empty", "flat.csv")


def test_a_renamed_column_is_answered_with_the_nearest_name(mqlml, flat):
    config, rewrite = flat
    rewrite([rows_of()[0].replace("created", "creatd"), *rows_of()[1:]])
    assert refused(train(mqlml, config), 4, "created", "creatd")


def test_a_wrong_delimiter_is_told_from_a_missing_column(mqlml, flat):
    config, _ = flat
    text = config.read_text(encoding="utf-8").replace(
        "file: flat.csv", 'file: flat.csv\n    delimiter: ";"'
    )
    config.write_text(text, encoding="utf-8")
    answer = train(mqlml, config)
    assert refused(answer, 4, "delimiter")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(mqlml, flat, encoding):
    config, rewrite = flat
    rewrite(rows_of(), encoding)
    assert train(mqlml, config).code == 0


def test_rows_that_break_the_contract_are_quarantined_and_the_rest_trains(mqlml, flat):
    config, rewrite = flat
    bad = [
        "L0,2025-01-01,0,maybe",
        "X1,never,0,yes",
        "X2,1970-01-02,0,yes",
        "X3,2199-01-01,0,yes",
        "X4,2025-01-01,0",
        ",2025-01-01,0,yes",
    ]
    rewrite([*rows_of(), *bad])
    answer = train(mqlml, config, "--json")
    assert answer.code == 0
    assert answer.document["quarantined"] == len(bad)


def test_duplicates_are_dropped_and_conflicting_ids_quarantined(mqlml, flat):
    config, rewrite = flat
    rewrite([*rows_of(), rows_of()[1], rows_of()[2].replace("2025-01", "2025-02")])
    answer = mqlml("ingest", "--config", config, "--workspace", config.parent / "w", "--json")
    (count,) = answer.document["files"]
    assert (count["kept"], count["duplicates"], count["quarantined"]) == (600, 1, 1)


def test_naive_times_without_a_zone_are_refused(mqlml, flat):
    config, _ = flat
    config.write_text(FLAT.replace("timezone: UTC\n", ""), encoding="utf-8")
    assert refused(train(mqlml, config), 3, "timezone")


def test_emoji_long_texts_nan_and_infinity_do_no_harm(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    lines[0] += ",note,ratio"
    odd = ["😀", "x" * 10_000, "é\u202e", ""]
    ratio = ["nan", "1.5", "", "3"]
    rewrite(
        [lines[0], *(f"{line},{odd[i % 4]},{ratio[i % 4]}" for i, line in enumerate(lines[1:]))]
    )
    assert train(mqlml, config).code == 0


def test_one_class_only_says_what_was_found(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(won=lambda _: False))
    assert refused(train(mqlml, config), 5, "conver")


def test_twenty_leads_are_too_few(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(leads=20))
    assert refused(train(mqlml, config), 5, "lead")


def test_all_features_constant_is_not_published(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(size=lambda _: 3))
    answer = train(mqlml, config, "--json")
    assert answer.code == 9
    assert answer.document["published"] is False
    assert answer.document["model"]["version"] is None
    assert any(not gate["passed"] for gate in answer.document["gates"])


def test_a_column_that_knows_the_outcome_stops_the_run(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    deal = [f"{line},{100 if line.endswith('yes') else ''}" for line in lines[1:]]
    rewrite([lines[0] + ",deal_value", *deal])
    assert refused(train(mqlml, config), 6, "deal_value", "outcome_side")


def test_an_allowed_leak_needs_its_reason_and_then_trains(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    deal = [f"{line},{100 if line.endswith('yes') else ''}" for line in lines[1:]]
    rewrite([lines[0] + ",deal_value", *deal])
    config.write_text(FLAT + "audit: {allow: {deal_value: quoted before the outcome}}\n")
    assert train(mqlml, config).code == 0


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
    assert not list((tmp_path / "w" / "scores").glob("*"))


def test_a_category_never_seen_is_scored(mqlml, company, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(company.parent, folder)
    shared = ("--config", folder / "config.yaml", "--workspace", tmp_path / "w")
    assert mqlml("train", *shared, "--as-of", "2025-12-01").code == 0
    with (folder / "leads.csv").open("a") as file:
        file.write("NEW,2025-12-20T00:00,Astronaut 🚀,Space mining,\n")
    assert mqlml("score", *shared).code == 0


def test_a_busy_workspace_says_who_holds_it(mqlml, flat, monkeypatch):
    config, _ = flat
    monkeypatch.setattr("mqlml.storage.workspace.Workspace.lock", _impatient)
    (config.parent / "w").mkdir()
    with hold(config.parent / "w" / "lock", "nightly scoring", wait_s=0):
        answer = mqlml("ingest", "--config", config, "--workspace", config.parent / "w")
    assert refused(answer, 5, "nightly scoring")


def _impatient(self, purpose):
    return hold(self.lock_file, purpose, wait_s=0.2)


def test_a_locked_mlflow_database_is_a_clear_error(mqlml, company, workspace, monkeypatch):
    holder = sqlite3.connect(workspace / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        words = ("retrain", "--config", company, "--workspace", workspace, "--reason", "manual")
        answer = mqlml(*words)
    finally:
        holder.rollback()
        holder.close()
    assert answer.code == 5
    assert "Traceback" not in answer.err


def test_a_full_disk_leaves_the_old_tables(mqlml, flat, monkeypatch):
    config, rewrite = flat
    words = ("ingest", "--config", config, "--workspace", config.parent / "w")
    assert mqlml(*words).code == 0
    pointer = config.parent / "w" / "tables" / "CURRENT"
    before = pointer.read_bytes()
    rewrite(rows_of(leads=300))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr("mqlml.storage.snapshot.pq.write_table", full)
    answer = mqlml(*words)
    assert refused(answer, 5, "No space left")
    assert pointer.read_bytes() == before


def test_ctrl_c_ends_without_a_traceback(mqlml, flat, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", interrupted)
    answer = train(mqlml, flat[0])
    assert (answer.code, answer.out) == (130, "")
    assert "interrupted" in answer.err
    assert not (flat[0].parent / "w" / "reports").exists() or not list(
        (flat[0].parent / "w" / "reports").iterdir()
    )


def test_a_defect_of_ours_shows_its_kind_and_asks_to_report(mqlml, flat, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("wheel came off")

    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", broken)
    answer = train(mqlml, flat[0])
    assert answer.code == 1
    assert "RuntimeError: wheel came off" in answer.err
    assert "report" in answer.err
    words = ["train", "--config", str(flat[0]), "--workspace", str(flat[0].parent / "w")]
    with pytest.raises(RuntimeError):
        entry.run(["--traceback", *words])


def test_main_exits_with_the_code_of_the_command(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        entry.main(["train", "--config", str(tmp_path / "no.yaml")])
    assert stopped.value.code == 3


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


def test_a_secret_that_is_not_set_is_named_before_anything_is_written(
    mqlml, company, workspace, monkeypatch
):
    text = company.read_text(encoding="utf-8") + "scoring: {postgres_url_env: OUR_URL}\n"
    other = company.parent / "pg.yaml"
    other.write_text(text, encoding="utf-8")
    monkeypatch.delenv("OUR_URL", raising=False)
    words = ("score", "--config", other, "--workspace", workspace)
    assert refused(mqlml(*words), 3, "OUR_URL")
    assert not list((workspace / "scores").glob("*"))


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


KILL = """
import os, random, signal, sys, time
import mlflow, lightgbm, numba, duckdb, sklearn.linear_model
import mqlml.workflows.train, mqlml.workflows.score
from mqlml.cli.main import run

kills, words = int(sys.argv[1]), sys.argv[2:]
draw = random.Random(11)

def child(after):
    pid = os.fork()
    if pid == 0:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1); os.dup2(nothing.fileno(), 2)
            os._exit(run(words))
    if after is None:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

start = time.monotonic()
assert child(None) == 0
whole = time.monotonic() - start
for _ in range(kills):
    child(draw.uniform(0, whole))
assert child(None) == 0
"""


@pytest.mark.parametrize("command", ["train", "score"])
def test_killed_at_twenty_moments_leaves_old_or_new_and_every_version_loads(
    mqlml, company, workspace, command, tmp_path
):
    words = [
        command,
        "--config",
        str(company),
        "--workspace",
        str(workspace),
        "--as-of",
        "2025-12-01",
    ]
    done = subprocess.run(
        [sys.executable, "-c", KILL, "20", *words],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shared = ("--config", company, "--workspace", workspace)
    found = mqlml("doctor", *shared, "--json")
    assert found.code == 0, found.out
    runs = mqlml("runs", *shared, "--json").document
    versions = {run["model"]["version"] for run in runs if run["model"]["version"]}
    for version in sorted(versions):
        words = ("score", *shared, "--as-of", "2025-12-01", "--model", version, "--json")
        assert mqlml(*words).code == 0
    pages = [p.read_text(encoding="utf-8") for p in Path(workspace / "reports").glob("*.html")]
    assert all(page.rstrip().endswith("</html>") for page in pages)
