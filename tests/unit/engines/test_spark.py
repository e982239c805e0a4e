"""The Spark engine on a real Spark of this machine: the same numbers, whatever befalls a task."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.builders import at, make_points, make_tables
from tests.trainings import tiny_bundle
from tests.unit.engines.test_local import EVENT_ROWS, LEADS, POINTS, plan_of

from mqlml.criteria.settings import Criteria
from mqlml.engines import spark, spark_dealing, spark_task
from mqlml.engines.local import LocalEngine
from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark import SparkEngine
from mqlml.engines.spark_blobs import sealed_rows_of
from mqlml.engines.spark_frames import SparkTables, events_of_strangers
from mqlml.engines.spark_scores import Scorer, collect_scores
from mqlml.engines.spark_session import open_session, spark_faults
from mqlml.errors import ConfigError, DataError, MissingExtraError, SchemaError
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.features.table_features import Outcome, StageFeature
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import Policy, score_points
from mqlml.scoring.settings import PersonaSettings
from mqlml.storage.parts import write_part
from mqlml.tables.contracts import EVENTS, Column, ColumnType, EventLog, Tables
from mqlml.timeline import MICROS_PER_DAY

SETTINGS = {
    "signals": {"demo": {"where": "form.name = 'demo'"}},
    "features": [
        {"kinds": ["count"], "signals": ["any"]},
        {"kinds": ["sum"], "of": "depth of scroll"},
    ],
}


def local(tables: Tables, points: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    return LocalEngine(threads=1).compute(tables, points, plan)


def from_table(engine: SparkEngine, tables: Tables, points: pd.DataFrame) -> tuple[Any, Any]:
    """Return tables and points as Spark's, the events read by Spark, not as buckets."""
    return engine.to_spark(tables, points)


def features_of(engine: SparkEngine, tables: SparkTables, points: Any, plan: Plan) -> pd.DataFrame:
    found = engine.features(tables, points, plan).toArrow().to_pandas()
    return pd.DataFrame(found)


def test_events_in_buckets_and_in_a_table_give_the_local_engines_matrix(
    spark_engine: SparkEngine, tmp_path: Path
) -> None:
    dated = [
        {"lead_id": "a", "name": "stage name", "value": "new", "known_at": "2026-01-02"},
        {"lead_id": "a", "name": "stage name", "value": "old", "known_at": "2026-01-08"},
    ]
    leads = [lead | {"e.mail `domain`": place} for place, lead in enumerate(LEADS)]
    properties = (Column("depth of scroll", ColumnType.NUMBER),)
    events = [row | {"depth of scroll": 0.1 * n} for n, row in enumerate(EVENT_ROWS)]
    tables = make_tables(
        tmp_path, leads=leads, events=events, attributes=dated, properties=properties
    )
    features = [{"kinds": ["sum", "last_value"], "of": "depth of scroll"}, {"kinds": ["count"]}]
    plan, points = plan_of(tables, {"features": features}), make_points(*POINTS)
    expected = local(tables, points, plan)
    assert expected["stage name"].fillna("-").tolist() == ["-", "old", "-", "new"]
    buckets = spark_engine.compute(tables, points, plan)
    pd.testing.assert_frame_equal(buckets, expected, check_exact=True)
    own, asked = from_table(spark_engine, tables, points.assign(place=range(len(points))))
    asked = asked.selectExpr("*", "CAST(nullif(place, 1) AS INT) AS label")
    table = features_of(spark_engine, own, asked, plan)
    table = table.sort_values("place", ignore_index=True)
    assert table["label"].fillna(-1).tolist() == [0, -1, 2, 3]
    assert table["as_of"].dt.as_unit("us").astype("int64").tolist() == points["as_of"].tolist()
    pd.testing.assert_frame_equal(table[list(plan.columns)], expected, check_exact=True)


def test_a_worker_that_is_killed_changes_nothing(
    spark_engine: SparkEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()

    def poisoned(batches: Any, assignment: Any) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        task = TaskContext.get()
        rows = list(batches)  # it has begun its work
        if task.attemptNumber() == 0:
            (killed / str(task.partitionId())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield from spark_task.run_task(rows, assignment)

    monkeypatch.setattr(spark, "run_task", poisoned)
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    plan, points = plan_of(tables), make_points(*POINTS)
    found = spark_engine.compute(tables, points, plan)
    assert list(killed.iterdir())
    pd.testing.assert_frame_equal(found, local(tables, points, plan), check_exact=True)


def test_a_lead_of_many_blobs_stays_whole(
    spark_engine: SparkEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = partial(sealed_rows_of, at_least=3)
    monkeypatch.setattr(spark_dealing, "sealed_rows_of", few)
    moments = [at("2026-01-01") + 3_600_000_000 * hour for hour in range(200)]
    rows = [
        {"lead_id": "busy" if n % 4 else f"calm-{n}", "occurred_at": moment, "value": 0.1}
        for n, moment in enumerate(moments)
    ]
    tables = make_tables(tmp_path, events=rows)
    plan = plan_of(tables)
    points = make_points(*((row["lead_id"], "2026-02-01") for row in rows[::3]))
    own, asked = from_table(spark_engine, tables, points.assign(place=range(len(points))))
    found = features_of(spark_engine, own, asked, plan).sort_values("place", ignore_index=True)
    assert found["any__count__ever"].max() == 150
    expected = local(tables, points, plan)
    pd.testing.assert_frame_equal(found[list(plan.columns)], expected, check_exact=True)


def test_the_workers_write_the_matrix(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    plan, points = plan_of(tables), make_points(*POINTS)
    (tmp_path / "out").mkdir()
    assert spark_engine.write(tables, points, plan, tmp_path / "out", write=write_part) == 4
    order = ["lead_id", "as_of"]
    written = pd.read_parquet(tmp_path / "out").sort_values(order, ignore_index=True)
    expected = pd.concat([points, local(tables, points, plan)], axis=1)
    expected = expected.sort_values(order, ignore_index=True)
    assert written["as_of"].dt.as_unit("us").astype("int64").tolist() == expected["as_of"].tolist()
    columns = ["lead_id", *plan.columns]
    pd.testing.assert_frame_equal(written[columns], expected[columns], check_exact=True)


@pytest.mark.parametrize("settings", [{}, {"features": [{"kinds": ["count"]}]}])
def test_without_events_there_is_still_a_row_per_point(
    spark_engine: SparkEngine, tmp_path: Path, settings: dict[str, Any]
) -> None:
    tables = make_tables(tmp_path)
    plan, points = plan_of(tables, settings), make_points(*POINTS)
    found = spark_engine.compute(tables, points, plan)
    pd.testing.assert_frame_equal(found, local(tables, points, plan))


def test_without_points_the_matrix_has_no_rows(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    plan, engine = plan_of(tables), SparkEngine(EngineSettings(kind="spark", master="nowhere"))
    found = engine.compute(tables, make_points(), plan)
    pd.testing.assert_frame_equal(found, local(tables, make_points(), plan))


def test_events_of_unknown_leads_are_counted_and_kept(
    spark_engine: SparkEngine, tmp_path: Path
) -> None:
    events = [{"lead_id": name, "occurred_at": "2026-01-05"} for name in ("a", "x", "x", "y")]
    tables = make_tables(tmp_path, leads=LEADS, events=events)
    plan, points = plan_of(tables), make_points(("x", "2026-02-01"))
    own, asked = from_table(spark_engine, tables, points)
    assert events_of_strangers(own) == 3
    for found in (
        features_of(spark_engine, own, asked, plan),
        spark_engine.compute(tables, points, plan),
    ):
        assert found["any__count__ever"].tolist() == [2]


SHARED = {
    "features": [{"kinds": ["count", "account_count"], "windows_days": ["ever"]}],
    "stages": ["mql", "change"],
    "account_leads": {"windows_days": ["ever"]},
    "rates": {"of": ["industry"], "strength": 2},
    "ratios": [{"of": "any__account_count__ever", "to": "any__count__ever"}],
}


@pytest.mark.parametrize("without", [(), ("account_count",)], ids=["by account", "by lead"])
def test_columns_of_accounts_stages_and_rates_are_the_local_engines(
    spark_engine: SparkEngine, tmp_path: Path, without: tuple[str, ...]
) -> None:
    who = [("a", "acme", "Steel"), ("b", "acme", None), ("c", None, "Steel"), ("d", "solo", None)]
    leads = [
        {"lead_id": name, "created_at": f"2026-01-0{n}", "account_id": account, "industry": group}
        for n, (name, account, group) in enumerate(who, start=1)
    ]
    events = [{"lead_id": lead, "occurred_at": f"2026-01-1{n}"} for n, lead in enumerate("aabbbcx")]
    stages = [
        {"lead_id": "a", "stage": "mql", "entered_at": "2026-01-20"},
        {"lead_id": "c", "stage": "customer", "entered_at": "2026-01-21"},
    ]
    tables = make_tables(tmp_path, leads=leads, events=events, stages=stages)
    settings = {**SHARED, "features": [{"kinds": ["count"]}], "ratios": []} if without else SHARED
    plan = make_plan(
        PlanSettings.model_validate(settings),
        tables.attribute_specs,
        event_columns=EVENTS.columns,
        outcome=Outcome("customer", 20 * MICROS_PER_DAY),
    )
    points = make_points(*((lead, "2026-03-01") for lead in "abcdx"))
    expected = local(tables, points, plan)
    assert expected["account__leads__ever"].fillna(-1).tolist() == [1, 1, -1, 0, -1]
    assert expected["stage__days_since_mql"].notna().tolist() == [True, *[False] * 4]
    found = spark_engine.compute(tables, points, plan)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    own, asked = from_table(spark_engine, tables, points)
    table = features_of(spark_engine, own, asked, plan).sort_values("lead_id", ignore_index=True)
    pd.testing.assert_frame_equal(table[list(plan.columns)], expected, check_exact=True)
    for folder in ("snapshot", "tables"):
        (tmp_path / folder).mkdir()
    assert spark_engine.write(tables, points, plan, tmp_path / "snapshot", write=write_part) == 5
    assert spark_engine.write_parts(own, asked, plan, tmp_path / "tables", write=write_part) == 5
    for folder in ("snapshot", "tables"):
        written = pd.read_parquet(tmp_path / folder).sort_values("lead_id", ignore_index=True)
        pd.testing.assert_frame_equal(written[list(plan.columns)], expected, check_exact=True)


def test_a_plan_that_reads_stages_needs_them(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS)
    own, points = from_table(spark_engine, tables, make_points(*POINTS))
    with pytest.raises(SchemaError, match="stages"):
        spark_engine.features(replace(own, stages=None), points, Plan(stages=(StageFeature(),)))


def test_progress_ends_with_all_events(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables, told = make_tables(tmp_path, events=EVENT_ROWS), []
    spark_engine.compute(
        tables,
        make_points(*POINTS),
        plan_of(tables),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(5, 5)]


def test_a_condition_that_fails_on_the_data_is_named(
    spark_engine: SparkEngine, tmp_path: Path
) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    settings = {
        "signals": {"odd": {"where": "CAST(page AS DOUBLE) > 1"}},
        "features": [{"kinds": ["count"], "signals": ["odd"]}],
    }
    with pytest.raises(ConfigError, match=r"signals\.odd\.where"):
        spark_engine.compute(tables, make_points(*POINTS), plan_of(tables, settings))


def test_all_columns_that_a_table_lacks_are_named(
    spark_engine: SparkEngine, tmp_path: Path
) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    own, points = from_table(spark_engine, tables, make_points(*POINTS))
    cut = replace(own, events=own.events.drop("page", "is_bot"))
    with pytest.raises(SchemaError) as raised:
        spark_engine.features(cut, points, plan_of(tables))
    assert [fault.mend for fault in raised.value.faults] == [
        "name a column 'is_bot'",
        "name a column 'page'",
    ]


def test_a_bucket_cut_in_half_is_named(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    file = next(iter(tables.events.folder.rglob("*.parquet")))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="cut or altered") as raised:
        spark_engine.compute(tables, make_points(*POINTS), plan_of(tables))
    assert [fault.where for fault in raised.value.faults] == [str(file)]


def test_a_bucket_with_an_altered_page_is_named(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    file = next(iter(tables.events.folder.rglob("*.parquet")))
    whole = bytearray(file.read_bytes())
    whole[4:200] = bytes(196)
    file.write_bytes(whole)
    with pytest.raises(DataError, match="cut or altered") as raised:
        spark_engine.compute(tables, make_points(*POINTS), plan_of(tables))
    assert [fault.where for fault in raised.value.faults] == [str(file)]


def test_a_job_that_fails_says_so_in_one_line(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    own, points = from_table(spark_engine, tables, make_points(*POINTS))
    for file in tables.events.folder.rglob("*.parquet"):
        file.write_bytes(b"cut")
    with pytest.raises(DataError, match="the Spark job failed") as raised, spark_faults("engine"):
        spark_engine.features(own, points, plan_of(tables)).toArrow()
    assert "\n" not in raised.value.faults[0].found


def test_scores_are_those_of_one_machine(spark_engine: SparkEngine, tmp_path: Path) -> None:
    leads = [
        {
            "lead_id": f"lead-{n}",
            "created_at": "2026-01-01",
            "visits": float(n % 5),
            "budget": None if n % 4 == 0 else float(n % 3),
            "industry": [None, "steel", "software"][n % 3],
        }
        for n in range(20)
    ]
    tables = make_tables(tmp_path, leads=leads)
    points = make_points(*((lead["lead_id"], "2026-02-01") for lead in leads))
    bundle = tiny_bundle()
    personas = (PersonaSettings(name="smith", when="industry = 'steel'"),)
    policy = Policy(Criteria(version=3), 0.4, "7", personas)
    previous = pd.DataFrame({"lead_id": ["lead-1", "lead-2"], "score": [10.0, 20.0]})
    matrix = local(tables, points, bundle.plan)
    rows = rule_rows(tables, points, matrix)
    for before in (None, previous):
        expected = score_points(bundle, points, matrix, rows=rows, policy=policy, previous=before)
        scorer = Scorer(bundle, policy)
        found = collect_scores(spark_engine, tables, points=points, scorer=scorer, previous=before)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert found["trend"].notna().sum() == 2


def test_a_session_that_is_there_is_used(spark_engine: SparkEngine) -> None:
    own = open_session(spark_engine.settings)
    assert open_session(EngineSettings(kind="spark", master="local[1]")) is own


START = """
import sys, warnings
warnings.simplefilter("ignore")
from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark_blobs import sealed_rows_of
from mqlml.engines.spark_session import open_session, spark_faults
from mqlml.errors import MqlmlError
try:
    open_session(EngineSettings(kind="spark", master=sys.argv[1]))
except MqlmlError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def start(master: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START, master],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_master_that_is_none_is_refused(spark_engine: SparkEngine) -> None:
    answer = start("sparkle")
    assert answer.returncode == ConfigError.exit_code, answer.stderr
    assert "'sparkle'" in answer.stdout


def test_without_java_the_error_says_what_to_install() -> None:
    pytest.importorskip("pyspark")
    answer = start("local[1]", JAVA_HOME="/nowhere", PATH="/nowhere")
    assert answer.returncode == MissingExtraError.exit_code, answer.stderr
    assert "Java 17" in answer.stdout


def test_without_pyspark_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    engine = SparkEngine(EngineSettings(kind="spark", master="local[1]"))
    tables = make_tables(tmp_path, leads=LEADS)
    with pytest.raises(MissingExtraError, match=r"mqlml\[spark\]"):
        engine.compute(tables, make_points(*POINTS), plan_of(tables))


def test_a_log_without_buckets_is_no_fault(spark_engine: SparkEngine, tmp_path: Path) -> None:
    tables = replace(make_tables(tmp_path, leads=LEADS), events=EventLog(tmp_path / "none", 0))
    plan, points = plan_of(tables), make_points(*POINTS)
    found = spark_engine.compute(tables, points, plan)
    assert found["any__count__ever"].tolist() == [0, 0, 0, 0]
