"""What a task does with the blobs that come to it, without Spark."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders import make_points, make_tables
from tests.unit.engines.test_local import EVENT_ROWS, LEADS, POINTS, SETTINGS, plan_of

from mqlml.engines.bucket_files import bucket_files
from mqlml.engines.local import LocalEngine
from mqlml.engines.spark_answers import feature_rows, written_part
from mqlml.engines.spark_blobs import Part, arrow_array, sealed_row, unseal
from mqlml.engines.spark_task import Assignment, faults_in, leads_of_files, run_task
from mqlml.errors import ConfigError, DataError
from mqlml.storage.parts import write_part
from mqlml.tables.contracts import EVENTS, Tables

COLUMNS = tuple(name for name in EVENTS.names if name != "event_id")
PARTS = (
    Part("lead", ("created_at", "industry"), ("timestamp", "string")),
    Part("dated", ("name", "value", "known_at"), ("string", "string", "timestamp")),
)


def assignment_of(tables: Tables, **more: Any) -> Assignment:
    def finish(answers: Any) -> Any:
        return feature_rows(answers, ("place",))

    return replace(Assignment(plan_of(tables), tables, PARTS, COLUMNS, finish), **more)


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.table({str(name): arrow_array(values) for name, values in frame.items()})


def all_under(key: int, tables: Tables) -> list[pa.RecordBatch]:
    """Return leads, events and points sealed under one key."""
    files = sorted(tables.events.folder.rglob("*.parquet"))
    events = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
    points = make_points(*POINTS).assign(place=range(len(POINTS)))
    return [
        sealed_row(key, "lead", arrow(tables.leads[["lead_id", "created_at", "industry"]])),
        sealed_row(key, "event", events),
        sealed_row(key, "point", arrow(points)),
    ]


def found_in(batches: Sequence[pa.RecordBatch], assignment: Assignment) -> pa.Table:
    return pa.Table.from_batches(run_task(batches, assignment)).sort_by("place")


def test_a_task_computes_what_the_local_engine_does(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    expected = LocalEngine().compute(tables, make_points(*POINTS), plan_of(tables))
    found = found_in(all_under(3, tables), assignment_of(tables))
    assert found.column_names == ["lead_id", "as_of", "place", *plan_of(tables).columns]
    assert found["lead_id"].to_pylist() == [lead for lead, _ in POINTS]
    same = found.select(list(plan_of(tables).columns)).to_pandas()
    pd.testing.assert_frame_equal(same.astype(expected.dtypes), expected, check_exact=True)


def test_a_key_without_points_gives_nothing(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    assert list(run_task(all_under(3, tables)[:2], assignment_of(tables))) == []


def test_a_key_with_points_only_has_the_features_of_quiet_leads(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    (_, _, points) = all_under(0, tables)
    found = found_in([points], assignment_of(tables))
    assert set(found["any__count__ever"].to_pylist()) == {0.0}
    assert found["industry"].to_pylist() == [None] * len(POINTS)


def test_a_part_is_a_file_with_the_rows_of_its_key(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)

    def finish(answers: Any) -> Any:
        return written_part(answers, folder=tmp_path, write=write_part)

    told = list(run_task(all_under(12, tables), assignment_of(tables, finish=finish)))
    assert [row.to_pydict() for row in told] == [{"key": [12], "rows": [len(POINTS)]}]
    written = pd.read_parquet(tmp_path / "part-00012.parquet")
    assert list(written.columns) == ["lead_id", "as_of", *plan_of(tables).columns]
    order = np.lexsort((written["as_of"], written["lead_id"]))
    assert order.tolist() == list(range(len(POINTS)))


def test_every_lead_with_events_is_told_with_its_bucket(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    files = bucket_files(tables.events, COLUMNS)
    assert len(files) > 1
    asked = pa.RecordBatch.from_arrays([pa.array(range(len(files)))], ["id"])
    found = {
        row["key"][0].as_py(): sorted(unseal(row["rows"][0].as_buffer())["lead_id"].to_pylist())
        for row in leads_of_files([asked], files)
    }
    expected = {
        key: sorted(set(pd.read_parquet(bucket.files[0])["lead_id"]))
        for key, bucket in enumerate(files)
    }
    assert found == expected


def test_a_users_mistake_found_in_a_task_reaches_the_driver(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    odd = {"odd": {"where": "CAST(page AS DOUBLE) > 1"}}
    settings = SETTINGS | {"signals": odd, "features": [{"kinds": ["count"], "signals": ["odd"]}]}
    assignment = assignment_of(tables, plan=plan_of(tables, settings))
    with pytest.raises(RuntimeError) as raised:
        list(run_task(all_under(0, tables), assignment))
    told = faults_in(f"Job aborted: {raised.value}\n\tat java.lang.Thread")
    assert isinstance(told, ConfigError)
    assert "signals.odd.where" in str(told)


def test_an_error_that_carries_nothing_is_no_users_mistake() -> None:
    assert faults_in("java.lang.OutOfMemoryError") is None
    assert faults_in("<mqlml-faults> cut off") is None


def test_a_mistake_of_another_kind_is_one_of_the_data() -> None:
    carried = json.dumps(["BundleError", [{"what": "w", "where": "", "found": "", "mend": ""}]])
    assert isinstance(faults_in(f"<mqlml-faults>{carried}</mqlml-faults>"), DataError)
