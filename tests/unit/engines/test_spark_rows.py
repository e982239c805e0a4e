"""What a task does with its rows, without Spark: cut into chunks of whole leads, then computed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.builders import make_points, make_tables
from tests.unit.engines.test_local import EVENT_ROWS, LEADS, POINTS, SETTINGS, plan_of

from mqlml.engines.local import LocalEngine
from mqlml.engines.spark_answers import ROW, feature_rows, sealed_rows, unsealed
from mqlml.engines.spark_rows import Part, lead_chunks
from mqlml.engines.spark_task import Assignment, faults_in, leads_of_files, run_task
from mqlml.errors import ConfigError, DataError
from mqlml.features.event_files import event_buckets, event_files
from mqlml.tables.contracts import EVENTS, Tables

EVENT = Part("event", ("page", "value"), ("string", "double"))
POINT = Part("point", ("as_of",), ("bigint",))
_STRUCTS = {
    "event": pa.struct([("c0", pa.string()), ("c1", pa.float64())]),
    "point": pa.struct([("c0", pa.int64())]),
}


def batch(*rows: tuple[int, str, str, dict[str, Any]]) -> pa.RecordBatch:
    """Return rows of the stream: key, lead_id, part, the part's columns."""
    arrays = [
        pa.array([row[0] for row in rows], pa.int64()),
        pa.array([row[1] for row in rows], pa.string()),
        *(
            pa.array([row[3] if row[2] == name else None for row in rows], kind)
            for name, kind in _STRUCTS.items()
        ),
    ]
    return pa.RecordBatch.from_arrays(arrays, ["key", "lead_id", *_STRUCTS])


def event(key: int, lead: str, page: str | None = None) -> tuple[int, str, str, dict[str, Any]]:
    return key, lead, "event", {"c0": page, "c1": 1.0}


def point(key: int, lead: str) -> tuple[int, str, str, dict[str, Any]]:
    return key, lead, "point", {"c0": 7}


def leads_by_chunk(batches: list[pa.RecordBatch], at_least: int) -> list[tuple[int, list[str]]]:
    return [
        (key, chunk["event"]["lead_id"].to_pylist() + chunk["point"]["lead_id"].to_pylist())
        for key, chunk in lead_chunks(batches, (EVENT, POINT), at_least=at_least)
    ]


def test_a_chunk_ends_where_the_key_changes() -> None:
    rows = batch(event(1, "a"), event(1, "a"), point(2, "b"), event(5, "c"))
    assert leads_by_chunk([rows], 1) == [(1, ["a", "a"]), (2, ["b"]), (5, ["c"])]


def test_a_chunk_goes_on_until_it_has_enough_rows() -> None:
    rows = batch(event(1, "a"), event(2, "b"), event(2, "b"), event(3, "c"), event(4, "d"))
    assert leads_by_chunk([rows], 3) == [(2, ["a", "b", "b"]), (4, ["c", "d"])]


def test_a_lead_that_fills_many_batches_stays_whole() -> None:
    batches = [batch(event(1, "a"), event(2, "b"))] + [batch(event(2, "b"))] * 9
    batches += [batch(point(2, "b"), event(3, "c"))]
    assert leads_by_chunk(batches, 2) == [(2, ["a"] + ["b"] * 11), (3, ["c"])]


def test_a_chunk_may_end_with_its_batch() -> None:
    batches = [batch(event(1, "a"), event(1, "a")), batch(event(2, "b"))]
    assert leads_by_chunk(batches, 2) == [(1, ["a", "a"]), (2, ["b"])]


@pytest.mark.parametrize("batches", [[], [batch()], [batch(), batch()]])
def test_without_rows_there_is_no_chunk(batches: list[pa.RecordBatch]) -> None:
    assert leads_by_chunk(batches, 1) == []


def test_an_empty_batch_between_changes_nothing() -> None:
    batches = [batch(event(1, "a")), batch(), batch(event(1, "a"), event(2, "b"))]
    assert leads_by_chunk(batches, 1) == [(1, ["a", "a"]), (2, ["b"])]


def test_texts_are_coded_alike_in_all_of_a_chunk() -> None:
    batches = [batch(event(1, "a", "/x")), batch(event(1, "a", None), event(1, "a", "/y"))]
    ((_, chunk),) = lead_chunks(batches, (EVENT, POINT), at_least=1)
    pages = chunk["event"]["page"].combine_chunks()
    assert isinstance(pages, pa.DictionaryArray)
    assert pages.to_pylist() == ["/x", None, "/y"]
    assert chunk["point"].num_rows == 0


def _assignment(tables: Tables, **more: Any) -> Assignment:
    plan = plan_of(tables)
    as_files = tuple(tuple(map(str, files)) for files in event_buckets(tables.events))
    parts = (
        Part("lead", ("created_at", "industry"), ("timestamp", "string")),
        Part("dated", ("name", "value", "known_at"), ("string", "string", "timestamp")),
        Part("point", ("as_of", ROW), ("bigint", "bigint")),
    )
    columns = tuple(name for name in EVENTS.names if name != "event_id")
    texts = ("lead_id", "type", "page")
    told = Assignment(plan, tables, parts, columns, 1, sealed_rows, as_files, texts)
    return replace(told, **more)


def _stream(tables: Tables, keys: dict[str, int]) -> pa.RecordBatch:
    """Return leads and points of the small tables as a stream sorted by key."""
    micros = pa.timestamp("us", "UTC")
    kinds = {
        "lead": pa.struct([("c0", micros), ("c1", pa.string())]),
        "dated": pa.struct([("c0", pa.string()), ("c1", pa.string()), ("c2", micros)]),
        "point": pa.struct([("c0", pa.int64()), ("c1", pa.int64())]),
    }
    points = make_points(*POINTS)
    leads = tables.leads.astype({"industry": object}).where(tables.leads.notna(), None)
    rows = [
        (row.lead_id, "lead", {"c0": row.created_at, "c1": row.industry})
        for row in leads.itertuples()
    ]
    rows += [
        (row.lead_id, "point", {"c0": row.as_of, "c1": place})
        for place, row in enumerate(points.itertuples())
    ]
    rows.sort(key=lambda row: keys.get(row[0], -1))
    arrays = [
        pa.array([keys.get(lead, -1) for lead, _, _ in rows], pa.int64()),
        pa.array([lead for lead, _, _ in rows]),
        *(
            pa.array([value if part == name else None for _, part, value in rows], kind)
            for name, kind in kinds.items()
        ),
    ]
    return pa.RecordBatch.from_arrays(arrays, ["key", "lead_id", *kinds])


def _keys(tables: Tables) -> dict[str, int]:
    files = [tuple(map(str, files)) for files in event_buckets(tables.events)]
    asked = pa.RecordBatch.from_arrays([pa.array(range(len(files)), pa.int64())], ["key"])
    found = pa.Table.from_batches(leads_of_files([asked], files))
    return dict(zip(found["lead_id"].to_pylist(), found["key"].to_pylist(), strict=True))


def test_a_task_computes_what_the_local_engine_does(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    assignment = _assignment(tables)
    answers = run_task([_stream(tables, _keys(tables))], assignment)
    sealed = [found.column(0)[0].as_py() for found in answers]
    dtypes = {
        i.column: "str" if i.dtype == "category" else "float64" for i in plan_of(tables).infos
    }
    expected = LocalEngine().compute(tables, make_points(*POINTS), plan_of(tables))
    pd.testing.assert_frame_equal(unsealed(sealed, dtypes, len(POINTS)), expected)


def test_rows_for_spark_have_the_points_and_the_plans_columns(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)

    def finish(answer: Any) -> Any:
        label = pa.array([None, *range(1, answer.asked.num_rows)], pa.int32())
        asked = answer.asked.append_column("label", label)
        return feature_rows(replace(answer, asked=asked), (ROW, "label"))

    answers = run_task([_stream(tables, _keys(tables))], _assignment(tables, finish=finish))
    found = pa.Table.from_batches(answers).sort_by(ROW)
    head = ["lead_id", "as_of", ROW, "label"]
    assert found.column_names == [*head, *plan_of(tables).columns]
    assert found["lead_id"].to_pylist() == [lead for lead, _ in POINTS]
    as_of = make_points(*POINTS)["as_of"].tolist()
    assert found["as_of"].cast(pa.int64()).to_pylist() == as_of
    assert found["label"].type == pa.int32()
    assert found["label"].null_count > 0
    assert found["industry"].to_pylist() == [None, "Steel", None, "Steel"]
    assert np.isnan(found["any__days_since_last__ever"].to_numpy()[2])


def test_every_lead_with_events_is_told_once_with_its_bucket(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    found = {
        lead: place
        for place, files in enumerate(event_buckets(tables.events))
        for file in files
        for lead in pd.read_parquet(file)["lead_id"]
    }
    assert len(event_files(tables.events)) > 1
    assert _keys(tables) == found


def test_a_users_mistake_found_in_a_task_reaches_the_driver(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    odd = {"odd": {"where": "CAST(page AS DOUBLE) > 1"}}
    settings = SETTINGS | {"signals": odd, "features": [{"kinds": ["count"], "signals": ["odd"]}]}
    assignment = _assignment(tables, plan=plan_of(tables, settings))
    with pytest.raises(RuntimeError) as raised:
        list(run_task([_stream(tables, _keys(tables))], assignment))
    told = faults_in(f"Job aborted: {raised.value}\n\tat java.lang.Thread")
    assert isinstance(told, ConfigError)
    assert "signals.odd.where" in str(told)


def test_an_error_that_carries_nothing_is_no_users_mistake() -> None:
    assert faults_in("java.lang.OutOfMemoryError") is None
    assert faults_in("<mqlml-faults> cut off") is None


def test_a_mistake_of_another_kind_is_one_of_the_data() -> None:
    carried = json.dumps(["BundleError", [{"what": "w", "where": "", "found": "", "mend": ""}]])
    assert isinstance(faults_in(f"<mqlml-faults>{carried}</mqlml-faults>"), DataError)
