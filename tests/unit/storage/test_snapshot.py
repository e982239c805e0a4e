import json
import signal
import subprocess
import sys
import textwrap

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mqlml.errors import DataError
from mqlml.storage.snapshot import (
    current_snapshot,
    read_quarantine,
    read_tables,
    snapshot_facts,
    write_tables,
)
from mqlml.tables import buckets
from mqlml.tables.contracts import (
    CONFLICTS,
    CONTRACTS,
    MERGES,
    Attribute,
    Column,
    ColumnType,
    Known,
)
from mqlml.tables.ingested import FileCount, Ingested, Note
from mqlml.tables.quarantine import QUARANTINE_COLUMNS

TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.FLAG: pa.bool_(),
}


def ingested(folder, *, leads=("b", "a"), events=(), data_end=100, **facts):
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        "leads": [{"lead_id": x, "created_at": n, "outcome": None} for n, x in enumerate(leads)],
        "events": [
            {"event_id": e, "lead_id": x, "occurred_at": t, "arrived_at": t, "type": "open"}
            for e, x, t in events
        ],
    }
    for table, contract in {**CONTRACTS, "merges": MERGES, "conflicts": CONFLICTS}.items():
        schema = pa.schema([(c.name, TYPES[c.type]) for c in contract.columns])
        pq.write_table(
            pa.Table.from_pylist(rows.get(table, []), schema), folder / f"{table}.parquet"
        )
    schema = pa.schema([(name, pa.string()) for name in QUARANTINE_COLUMNS])
    pq.write_table(pa.Table.from_pylist([], schema), folder / "quarantine.parquet")
    counts = (FileCount("leads.csv", "leads", len(leads), len(leads), 0, 0),)
    return Ingested(folder, counts, data_end, **facts)


def all_bytes(root):
    folder = current_snapshot(root)
    return {p.relative_to(root): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def snapshots(root):
    return sorted(p.name for p in (root / "tables").iterdir() if p.is_dir())


def test_what_is_written_is_read_back_with_its_types(tmp_path):
    given = ingested(
        tmp_path / "in",
        events=[("e2", "b", 5), ("e1", "a", 5)],
        attribute_specs=(Attribute("title", ColumnType.TEXT, Known.DATED),),
        properties=(Column("score", ColumnType.NUMBER),),
        notes=(Note("leads", "leads.csv", "x", "dropped", 3),),
        orphans={"events": 1},
    )
    written = write_tables(tmp_path / "w", given)
    tables = read_tables(tmp_path / "w", verify=True)
    assert list(tables.leads["lead_id"]) == ["b", "a"]
    assert str(tables.leads["created_at"].dtype) == "datetime64[us, UTC]"
    assert str(tables.leads["lead_id"].dtype) == "str"
    assert str(tables.leads["outcome"].dtype) == "boolean"
    assert str(tables.handovers["score"].dtype) == "float64"
    assert tables.events.rows == 2
    assert tables.events.properties == (Column("score", ColumnType.NUMBER),)
    assert tables.attribute_specs == (Attribute("title", ColumnType.TEXT, Known.DATED),)
    assert (tables.data_end, tables.is_order_time, tables.digest) == (100, False, written.digest)
    facts = snapshot_facts(tmp_path / "w")
    assert facts.counts == given.counts
    assert facts.notes == given.notes
    assert facts.orphans == {"events": 1}
    assert list(read_quarantine(tmp_path / "w").columns) == list(QUARANTINE_COLUMNS)


def test_equal_input_gives_equal_bytes_and_one_folder(tmp_path):
    events = [(f"e{n}", f"lead{n % 7}", n * 13 % 50) for n in range(200)]
    leads = tuple(f"lead{n}" for n in range(7))
    one, two = tmp_path / "one", tmp_path / "two"
    first = write_tables(one, ingested(tmp_path / "in1", leads=leads, events=events))
    second = write_tables(
        two, ingested(tmp_path / "in2", leads=leads, events=list(reversed(events)))
    )
    assert all_bytes(one) == all_bytes(two)
    assert first.digest == second.digest
    write_tables(one, ingested(tmp_path / "in3", leads=leads, events=events))
    assert len(snapshots(one)) == 1


def test_another_row_gives_another_digest(tmp_path):
    first = write_tables(tmp_path / "w", ingested(tmp_path / "a"))
    second = write_tables(tmp_path / "w", ingested(tmp_path / "b", leads=("b", "a", "c")))
    later = write_tables(tmp_path / "w", ingested(tmp_path / "c", data_end=101))
    assert len({first.digest, second.digest, later.digest}) == 3


def test_each_lead_lies_in_one_bucket_sorted_by_lead_time_and_id(tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "ROWS_PER_BUCKET", 10)
    events = [(f"e{n:02}", f"lead{n % 5}", 40 - n) for n in range(40)]
    tables = write_tables(tmp_path / "w", ingested(tmp_path / "in", events=events))
    files = sorted(tables.events.folder.glob("bucket=*/part.parquet"))
    assert [f.parent.name for f in files] == [f"bucket={n}" for n in range(4)]
    seen = 0
    for number, file in enumerate(files):
        frame = pq.read_table(file, partitioning=None).to_pandas()
        seen += len(frame)
        assert {buckets.bucket_of(x, 4) for x in frame["lead_id"]} <= {number}
        assert frame.equals(frame.sort_values(["lead_id", "arrived_at", "event_id"]))
    assert seen == 40


def test_an_empty_event_log_still_has_a_file_with_its_columns(tmp_path):
    tables = write_tables(tmp_path / "w", ingested(tmp_path / "in"))
    found = duckdb.sql(f"SELECT * FROM '{tables.events.folder}/bucket=*/*.parquet'").columns
    assert tables.events.rows == 0
    assert "occurred_at" in found


def test_two_old_snapshots_are_kept(tmp_path):
    root = tmp_path / "w"
    for data_end in (1, 2, 3, 4):
        write_tables(root, ingested(tmp_path / "in", data_end=data_end))
    assert len(snapshots(root)) == 3
    assert read_tables(root).data_end == 4
    pointer = json.loads((root / "tables" / "CURRENT").read_text())
    assert len(pointer["previous"]) == 2


def test_reading_before_ingest_says_so(tmp_path):
    with pytest.raises(DataError, match="no tables in this workspace"):
        read_tables(tmp_path)


def damaged(tmp_path):
    write_tables(tmp_path, ingested(tmp_path / "in"))
    return current_snapshot(tmp_path)


def test_a_cut_file_is_named(tmp_path):
    path = damaged(tmp_path) / "stages.parquet"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=r"stages.parquet: file of the snapshot is cut"):
        read_tables(tmp_path)


def test_all_missing_files_are_named_together(tmp_path):
    folder = damaged(tmp_path)
    (folder / "stages.parquet").unlink()
    (folder / "leads.parquet").unlink()
    with pytest.raises(DataError) as caught:
        read_tables(tmp_path)
    assert len(caught.value.faults) == 2


def test_an_altered_byte_is_found_by_verify(tmp_path):
    path = damaged(tmp_path) / "handovers.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"handovers.parquet.*SHA-256"):
        read_tables(tmp_path, verify=True)


def test_bytes_that_are_no_parquet_are_a_data_error(tmp_path):
    path = damaged(tmp_path) / "leads.parquet"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match=r"leads.parquet: file of the snapshot is damaged"):
        read_tables(tmp_path)


def test_ingesting_again_repairs_a_damaged_snapshot(tmp_path):
    (damaged(tmp_path) / "leads.parquet").write_bytes(b"")
    write_tables(tmp_path, ingested(tmp_path / "in"))
    assert len(read_tables(tmp_path, verify=True).leads) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "no manifest"),
        (b"{", "manifest is damaged"),
        (b"{}", "manifest is damaged"),
        (b'{"format": 99}', "another format"),
    ],
)
def test_a_bad_manifest_is_a_data_error(tmp_path, data, message):
    path = damaged(tmp_path) / "manifest.json"
    path.unlink() if data is None else path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_tables(tmp_path)


def test_a_damaged_pointer_is_a_data_error(tmp_path):
    damaged(tmp_path)
    (tmp_path / "tables" / "CURRENT").write_bytes(b"[]")
    with pytest.raises(DataError, match="CURRENT: damaged"):
        read_tables(tmp_path)


@pytest.mark.parametrize("step", ["_copy_sorted", "_write_buckets", "_publish", "_point_to"])
def test_a_run_killed_at_any_step_leaves_the_old_snapshot_current(tmp_path, step):
    root = tmp_path / "w"
    write_tables(root, ingested(tmp_path / "in", data_end=1))
    ingested(tmp_path / "next", leads=("a", "b", "c"))
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from mqlml.storage import snapshot
        from mqlml.tables.ingested import Ingested
        real = snapshot.{step}
        def killed(*args):
            if "{step}" != "_point_to":
                real(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        snapshot.{step} = killed
        snapshot.write_tables(Path(sys.argv[1]), Ingested(Path(sys.argv[2]), (), 2))
        """
    )
    arguments = [sys.executable, "-c", script, str(root), str(tmp_path / "next")]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert read_tables(root, verify=True).data_end == 1
    write_tables(root, ingested(tmp_path / "in", data_end=3))
    assert read_tables(root, verify=True).data_end == 3
    assert [p for p in (root / "tables").iterdir() if p.name.startswith(".")] == []


def test_a_workspace_below_a_file_is_a_data_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        write_tables(tmp_path / "file", ingested(tmp_path / "in"))


@pytest.mark.parametrize("failure", [duckdb.IOException, KeyboardInterrupt])
def test_a_failing_sort_leaves_the_old_snapshot_and_no_scratch(tmp_path, monkeypatch, failure):
    root = tmp_path / "w"
    write_tables(root, ingested(tmp_path / "in", data_end=1))

    def fail(*_):
        raise failure("No space left on device")

    monkeypatch.setattr("mqlml.storage.snapshot._write_buckets", fail)
    expected = DataError if failure is duckdb.IOException else failure
    with pytest.raises(expected, match="No space left"):
        write_tables(root, ingested(tmp_path / "in", data_end=2))
    assert read_tables(root, verify=True).data_end == 1
    assert [p.name for p in (root / "tables").iterdir() if p.name.startswith(".")] == []


def test_the_bucket_of_a_lead_is_the_same_in_sql_and_python():
    names = ["a", "é", "🙂", "x" * 10_000, ""]
    frame = pd.DataFrame({"lead_id": names})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        found = connection.execute(f"SELECT {buckets.bucket_sql(7)} AS b FROM frame").fetchall()
    assert [b for (b,) in found] == [buckets.bucket_of(name, 7) for name in names]
