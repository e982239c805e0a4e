"""`mqlml features` killed with kill -9: the old result or the new one, and the work goes on."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

# One process pays for the imports; its children are forked and killed.
KILL = """
import os, random, signal, sys, time
import numba, duckdb
import mqlml.workflows.features, mqlml.engines.local, mqlml.features.bucket
from mqlml.cli.main import run
from mqlml.storage.parts import PartFolder

out, kills, words = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
draw, write = random.Random(5), PartFolder.write

def child(after=None, parts=None):
    pid = os.fork()
    if pid == 0:
        written = []
        def counted(self, name, tables):
            if len(written) == parts:
                os.kill(os.getpid(), signal.SIGKILL)
            write(self, name, tables)
            written.append(name)
        PartFolder.write = counted
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os._exit(run([*words, "--out", out]))
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)

start = time.monotonic()
assert child(parts=2) == -signal.SIGKILL
whole = 2 * (time.monotonic() - start)
progress = os.path.join(os.path.dirname(out), "." + os.path.basename(out) + ".unfinished",
                        "progress.json")
print(open(progress).read())
for kill in kills:
    if kill == "any":
        child(after=draw.uniform(0, whole))
    else:
        child(parts=int(kill))
assert child() == 0
"""


@pytest.fixture
def buckets(mqlml, company, tmp_path, monkeypatch):
    """Return a workspace whose events lie in some ten buckets."""
    monkeypatch.setattr("mqlml.tables.buckets.ROWS_PER_BUCKET", 400)
    workspace = tmp_path / "w"
    assert mqlml("ingest", "--config", company, "--workspace", workspace).code == 0
    return workspace


def contents(path: Path) -> dict[str, bytes]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def rows_by_key(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas().sort_values(["lead_id", "as_of"], ignore_index=True)


@pytest.mark.parametrize("name", ["features", "features.parquet"])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(mqlml, company, buckets, tmp_path, name):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    words += ["--as-of", "2025-09-01"]
    assert mqlml(*words, "--out", tmp_path / "whole" / name).code == 0
    out = tmp_path / "killed" / name
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(out), "0,1,any,3,any,any", *words],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["parts"]) == 2  # finished before the first kill
    assert contents(out) == contents(tmp_path / "whole" / name)
    assert [p.name for p in out.parent.iterdir()] == [name]


def test_a_file_has_the_rows_of_the_points_in_their_order(mqlml, company, buckets, tmp_path):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    assert mqlml(*words, "--as-of", "2025-09-01", "--out", tmp_path / "open.parquet").code == 0
    table = pq.read_table(tmp_path / "open.parquet")
    leads = table["lead_id"].to_pylist()
    assert leads == sorted(leads)  # the open leads by lead_id, whatever bucket they are in
    asked = [(lead, day) for lead in leads for day in ("2025-09-01", "2025-03-01")]
    random.Random(4).shuffle(asked)
    points = tmp_path / "points.csv"
    points.write_text("lead_id,as_of\n" + "".join(f"{lead},{day}\n" for lead, day in asked))
    assert mqlml(*words, "--points", points, "--out", tmp_path / "asked.parquet").code == 0
    whole = pq.read_table(tmp_path / "asked.parquet")
    days = [day.strftime("%Y-%m-%d") for day in whole["as_of"].to_pylist()]
    assert list(zip(whole["lead_id"].to_pylist(), days, strict=True)) == asked
    of_open = whole.filter([day == "2025-09-01" for day in days])
    assert_frame_equal(rows_by_key(of_open), rows_by_key(table), check_exact=True)
    assert mqlml(*words, "--points", points, "--out", tmp_path / "asked").code == 0
    by_bucket = pq.read_table(tmp_path / "asked")
    assert_frame_equal(rows_by_key(by_bucket), rows_by_key(whole), check_exact=True)


def test_a_file_of_no_points_gives_the_columns_and_no_rows(mqlml, company, buckets, tmp_path):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    (tmp_path / "points.csv").write_text("lead_id,as_of\n")
    out = tmp_path / "none.parquet"
    assert mqlml(*words, "--points", tmp_path / "points.csv", "--out", out).code == 0
    table = pq.read_table(out)
    assert len(table) == 0
    assert table.column_names[:2] == ["lead_id", "as_of"]
    assert "__row" not in table.column_names


def test_a_kill_leaves_the_old_result_until_the_new_one_is_whole(mqlml, company, buckets, tmp_path):
    out = tmp_path / "out" / "features.parquet"
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    assert mqlml(*words, "--as-of", "2025-06-01", "--out", out).code == 0
    old = out.read_bytes()
    script = KILL.replace("assert child() == 0", "")
    done = subprocess.run(
        [sys.executable, "-c", script, str(out), "0,2", *words, "--as-of", "2025-09-01"],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == old


def test_other_points_begin_anew(mqlml, company, buckets, tmp_path):
    out = tmp_path / "out" / "features"
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    script = KILL.replace("assert child() == 0", "")
    subprocess.run(
        [sys.executable, "-c", script, str(out), "4", *words, "--as-of", "2025-09-01"],
        capture_output=True, check=True, env=dict(os.environ),
    )  # fmt: skip
    assert mqlml(*words, "--as-of", "2025-06-01", "--out", out).code == 0
    assert mqlml(*words, "--as-of", "2025-06-01", "--out", tmp_path / "fresh").code == 0
    assert contents(out) == contents(tmp_path / "fresh")


def test_an_altered_bucket_is_named_refused_and_rebuilt_on_request(
    mqlml, company, buckets, tmp_path
):
    words = ["--config", str(company), "--workspace", str(buckets)]
    out = tmp_path / "f.parquet"
    assert mqlml("features", *words, "--out", out).code == 0
    whole = out.read_bytes()
    bucket = max(buckets.rglob("bucket=3/part.parquet"), key=lambda p: p.stat().st_mtime)
    column = pq.read_metadata(bucket).row_group(0).column(2)  # occurred_at
    data = bytearray(bucket.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 0xFF  # the size stays
    bucket.write_bytes(data)
    assert mqlml("doctor", *words).code != 0
    answer = mqlml("features", *words, "--out", out, "--as-of", "2025-09-01")
    assert answer.code == 5
    assert str(bucket) in answer.err
    assert "mqlml ingest" in answer.err
    assert out.read_bytes() == whole
    assert mqlml("ingest", *words).code == 0
    assert mqlml("doctor", *words).code == 0
    assert mqlml("features", *words, "--out", out).code == 0
    assert out.read_bytes() == whole


def test_little_memory_changes_no_byte(mqlml, company, buckets, tmp_path):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    assert mqlml(*words, "--out", tmp_path / "a.parquet").code == 0
    assert mqlml(*words, "--out", tmp_path / "b.parquet", "--memory", "400MB").code == 0
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_memory_too_little_to_begin_with_is_refused(mqlml, company, buckets, tmp_path):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    answer = mqlml(*words, "--out", tmp_path / "a.parquet", "--memory", "1KB")
    assert answer.code == 3
    assert "too little memory to begin" in answer.err
    assert "give at least 371MB" in answer.err


def test_an_amount_of_memory_that_is_none_is_refused(mqlml, company, buckets, tmp_path):
    words = ["features", "--config", str(company), "--workspace", str(buckets)]
    answer = mqlml(*words, "--out", tmp_path / "a.parquet", "--memory", "much")
    assert answer.code == 3
    assert "not an amount of memory" in answer.err
