"""Tables of databases and lakes through the door: whole, by watermark, after a kill."""

import shutil
import sqlite3

import duckdb
import psycopg
import pytest

from mqlml.errors import ConfigError, DataError, MissingExtraError, SchemaError
from mqlml.sources import increments
from mqlml.sources.generic import Before, read_sources, source_files
from mqlml.sources.settings import SourceSettings
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import open_project

ROWS = [
    ("1", "a", "2025-01-02 10:00:00", "page_view", "2025-01-02 11:00:00"),
    ("2", "b", "2025-01-03 10:00:00", "call", "2025-01-03 11:00:00"),
    ("3", "a", "2025-01-04 10:00:00", "meeting", "2025-01-03 11:00:00"),
]
NEWER = [
    ("2", "b", "2025-01-03 09:00:00", "call", "2025-01-05 11:00:00"),  # corrected
    ("4", "b", "2025-01-04 10:00:00", "page_view", "2025-01-05 11:00:00"),
]
COLUMNS = "id, lead, at, type, changed"


def fill(execute, table, rows):
    for row in rows:
        execute(f"DELETE FROM {table} WHERE id = '{row[0]}'")
        execute(f"INSERT INTO {table} VALUES {row}")


def make(execute, table="touches", kind="timestamp"):
    execute(f"CREATE TABLE {table} (id text, lead text, seen {kind}, type text, changed {kind})")
    fill(execute, table, ROWS)


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "crm.sqlite"
    with sqlite3.connect(path) as connection:
        make(connection.execute, kind="text")
    connection.close()
    return path


def more(path, rows):
    with sqlite3.connect(path) as connection:
        fill(connection.execute, "touches", rows)
    connection.close()


def events(name="touches", warehouse="crm", **more):
    return {
        "table": {"warehouse": warehouse, "name": name, **more},
        "columns": {"event_id": "id", "lead_id": "lead", "occurred_at": "seen"},
    }


FOUND = [
    ("1", "a", "2025-01-02T10:00:00+00:00", "page_view"),
    ("2", "b", "2025-01-03T10:00:00+00:00", "call"),
    ("3", "a", "2025-01-04T10:00:00+00:00", "meeting"),
]


def found(done):
    names = ("event_id", "lead_id", "occurred_at", "type")
    return list(zip(*(done.column("events", name) for name in names), strict=True))


def test_a_sqlite_table_is_read_without_anything_to_install(read, sqlite_file):
    done = read(
        {"crm.sqlite": sqlite_file.read_bytes()},
        timezone="UTC",
        warehouse={"crm": {"kind": "sqlite", "path": "crm.sqlite"}},
        events=[events()],
    )
    assert found(done) == FOUND
    assert [c.file for c in done.ingested.counts if c.table == "events"] == ["crm.touches"]


def test_a_duckdb_file_is_read_by_schema_and_table(read, tmp_path):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute("CREATE SCHEMA web")
        make(connection.execute, "web.touches")
    done = read(
        {"lake.duckdb": (tmp_path / "lake.duckdb").read_bytes()},
        timezone="UTC",
        warehouse={"crm": {"kind": "duckdb", "path": "lake.duckdb"}},
        events=[events("web.touches")],
    )
    assert found(done) == FOUND


def test_a_folder_of_parquet_files_is_a_table(read, tmp_path):
    with duckdb.connect() as connection:
        make(connection.execute)
        for number in (1, 2):
            path = tmp_path / "data" / "lake" / "touches" / f"{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            compared = "<" if number == 1 else ">="
            connection.execute(f"COPY (FROM touches WHERE id {compared} '3') TO '{path}'")
    done = read(
        {},
        timezone="UTC",
        warehouse={"crm": {"kind": "parquet", "path": "lake"}},
        events=[events()],
    )
    assert found(done) == FOUND


def test_a_postgres_warehouse_reads_like_a_postgres_table(read, postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA web")
        make(connection.execute, "web.touches")
    done = read(
        {},
        timezone="UTC",
        secrets={"CRM_URL": postgres_url},
        warehouse={"crm": {"kind": "postgres", "url_env": "CRM_URL"}},
        events=[events("web.touches")],
    )
    assert found(done) == FOUND


@pytest.mark.parametrize("kind", ["mysql", "delta", "iceberg"])
def test_a_missing_extension_says_how_to_install_it(read, kind):
    where = {"url_env": "U"} if kind == "mysql" else {"path": "lake"}
    with pytest.raises(MissingExtraError, match=f"INSTALL {kind}"):
        read(
            {},
            secrets={"U": "mysql://x"},
            warehouse={"crm": {"kind": kind, **where}},
            events=[events()],
        )


def test_a_store_in_the_cloud_needs_the_extension_for_it(read):
    with pytest.raises(MissingExtraError, match="INSTALL httpfs"):
        read(
            {},
            warehouse={"crm": {"kind": "parquet", "path": "s3://bucket/lake"}},
            events=[events()],
        )


def test_a_wrong_name_of_a_warehouse_table_or_file_says_so(read, sqlite_file):
    files = {"crm.sqlite": sqlite_file.read_bytes()}
    place = {"crm": {"kind": "sqlite", "path": "crm.sqlite"}}
    with pytest.raises(ConfigError, match=r"did you mean 'crm'\?"):
        read(files, warehouse=place, events=[events(warehouse="crn")])
    with pytest.raises(DataError, match="table touched cannot be read"):
        read(files, warehouse=place, events=[events("touched")])
    with pytest.raises(DataError, match="no such file"):
        read({}, warehouse={"crm": {"kind": "duckdb", "path": "none"}}, events=[events()])


@pytest.mark.parametrize(
    "one", [{"kind": "sqlite"}, {"kind": "mysql", "path": "x"}, {"kind": "postgres"}]
)
def test_a_warehouse_has_a_url_or_a_path_as_its_kind_needs(read, one):
    with pytest.raises(ValueError, match="a warehouse of kind"):
        read({}, warehouse={"crm": one}, events=[events()])


def test_an_export_of_a_known_system_may_lie_in_a_schema(read, tmp_path):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute("CREATE SCHEMA ga")
        connection.execute(
            "CREATE TABLE ga.events_20250102 AS SELECT 1735812000000000 AS event_timestamp,"
            " 'page_view' AS event_name, 'a' AS user_id, [{'key': 'page_location',"
            " 'value': {'string_value': 'https://x.io/pricing?a=1', 'int_value': NULL::BIGINT}}]"
            " AS event_params"
        )
    settings = {
        "warehouse": {"crm": {"kind": "duckdb", "path": "lake.duckdb"}},
        "exports": [{"system": "ga4", "warehouse": "crm", "schema": "ga"}],
    }
    done = read({"lake.duckdb": (tmp_path / "lake.duckdb").read_bytes()}, **settings)
    (event,) = done.rows("events")
    assert (event["lead_id"], event["page"]) == ("a", "https://x.io/pricing")
    assert event["occurred_at"].isoformat() == "2025-01-02T10:00:00+00:00"
    chosen = SourceSettings.model_validate(
        {"leads": [{"file": "l.csv", "order": "file"}], **settings}
    )
    assert source_files(chosen, tmp_path) is None


# --- by watermark -----------------------------------------------------------------------------

CONFIG = """\
name: ours
timezone: UTC
sources:
  warehouse:
    crm: {kind: sqlite, path: crm.sqlite}
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  events:
    - table: {warehouse: crm, name: touches, watermark: changed, key: [id]}
      columns: {event_id: id, lead_id: lead, occurred_at: seen}
target: {stage: customer, horizon_days: 30}
"""


@pytest.fixture
def project(tmp_path, sqlite_file):
    (tmp_path / "our.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "leads.csv").write_text("id,at\na,2025-01-01\nb,2025-01-01\n", encoding="utf-8")
    return open_project(tmp_path / "our.yaml", workspace=tmp_path / "w")


def silent(_text):
    """Take a step's progress."""


@pytest.fixture
def asked(monkeypatch):
    """Return how many rows each reading of the table gave, in order."""
    rows = []

    def stage(self, table, target, **options):
        staged = real(self, table, target, **options)
        rows.append(staged.rows)
        return staged

    from mqlml.sources.sqlite_tables import SqliteTables

    real = SqliteTables.stage
    monkeypatch.setattr(SqliteTables, "stage", stage)
    return rows


def test_only_newer_rows_are_read_and_the_result_equals_a_full_read(
    project, sqlite_file, asked, tmp_path
):
    ingest(project, say=silent)
    more(sqlite_file, NEWER)
    again = ingest(project, say=silent)
    assert asked == [3, 3]  # one row of the latest watermark comes again
    (count,) = (c for c in again.counts if c.table == "events")
    assert (count.rows, count.kept) == (4, 4)
    fresh = open_project(tmp_path / "our.yaml", workspace=tmp_path / "fresh")
    assert ingest(fresh, say=silent).snapshot == again.snapshot
    assert asked == [3, 3, 4]


def test_a_row_without_a_watermark_is_read_every_time(project, sqlite_file, asked):
    ingest(project, say=silent)
    with sqlite3.connect(sqlite_file) as connection:
        connection.execute("INSERT INTO touches VALUES ('9', 'b', '2025-01-05', 'call', NULL)")
    connection.close()
    assert next(c.kept for c in ingest(project, say=silent).counts if c.table == "events") == 4
    # The two of the latest watermark come again beside it: others may have joined them.
    assert asked == [3, 3]


def test_a_full_ingest_sees_rows_that_the_database_dropped(project, sqlite_file):
    ingest(project, say=silent)
    with sqlite3.connect(sqlite_file) as connection:
        connection.execute("DELETE FROM touches WHERE id = '1'")
    connection.close()
    rows = [
        next(c.rows for c in ingest(project, say=silent, full=full).counts if c.table == "events")
        for full in (False, True)
    ]
    assert rows == [3, 2]


def test_a_new_column_makes_the_table_be_read_from_the_start(project, sqlite_file, asked):
    ingest(project, say=silent)
    with sqlite3.connect(sqlite_file) as connection:
        connection.execute("ALTER TABLE touches ADD COLUMN page text")
        connection.execute("UPDATE touches SET page = '/pricing'")
    connection.close()
    ingest(project, say=silent)
    assert asked == [3, 2, 3]


@pytest.mark.parametrize("moment", ["part", "state"])
def test_a_kill_between_part_and_state_loses_and_doubles_nothing(
    project, sqlite_file, monkeypatch, tmp_path, moment
):
    ingest(project, say=silent)
    more(sqlite_file, NEWER)
    real = increments._keep
    folder = next((tmp_path / "w" / "warehouse").iterdir())

    def killed(folder, number, staged, watermark):
        before = (folder / "state.json").read_bytes()
        real(folder, number, staged, watermark)
        if moment == "part":
            (folder / "state.json").write_bytes(before)
        raise KeyboardInterrupt

    monkeypatch.setattr(increments, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(project, say=silent)
    monkeypatch.setattr(increments, "_keep", real)
    again = ingest(project, say=silent)
    shutil.rmtree(folder)
    assert ingest(project, say=silent).snapshot == again.snapshot
    assert next(c.kept for c in again.counts if c.table == "events") == 4


def test_a_lost_part_makes_the_table_be_read_from_the_start(project, tmp_path, asked):
    first = ingest(project, say=silent)
    folder = next((tmp_path / "w" / "warehouse").iterdir())
    (folder / "part-000000.parquet").unlink()
    assert ingest(project, say=silent).snapshot == first.snapshot
    (folder / "state.json").write_text("{", encoding="utf-8")
    assert ingest(project, say=silent).snapshot == first.snapshot
    assert asked == [3, 3, 3]


def test_rows_of_a_table_that_is_no_longer_read_are_removed(project, tmp_path):
    ingest(project, say=silent)
    text = CONFIG.replace(", watermark: changed, key: [id]", "")
    (tmp_path / "our.yaml").write_text(text, encoding="utf-8")
    ingest(open_project(tmp_path / "our.yaml", workspace=tmp_path / "w"), say=silent)
    assert list((tmp_path / "w" / "warehouse").iterdir()) == []


def test_a_key_that_stands_twice_or_a_column_that_is_absent_is_refused(sqlite_file, tmp_path):
    def read(**table):
        settings = SourceSettings.model_validate(
            {
                "leads": [{"file": "leads.csv", "columns": {"created_at": "at"}}],
                "warehouse": {"crm": {"kind": "sqlite", "path": "crm.sqlite"}},
                "events": [events(**table)],
            }
        )
        (tmp_path / "leads.csv").write_text("lead_id,at\na,2025-01-01\n", encoding="utf-8")
        return read_sources(
            settings,
            tmp_path,
            timezone="UTC",
            workdir=tmp_path / "work",
            before=Before(kept=tmp_path / "kept"),
        )

    with pytest.raises(SchemaError, match="1 rows with one that stands twice"):
        read(watermark="changed", key=["lead"])
    with pytest.raises(SchemaError, match=r"no column 'idd'"):
        read(watermark="changed", key=["idd"])


def test_a_postgres_table_is_read_by_watermark_too(tmp_path, postgres_url):
    with psycopg.connect(postgres_url) as connection:
        make(connection.execute)
    text = CONFIG.replace("{kind: sqlite, path: crm.sqlite}", "{kind: postgres, url_env: U}")
    (tmp_path / "our.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "leads.csv").write_text("id,at\na,2025-01-01\nb,2025-01-01\n", encoding="utf-8")

    def run(workspace):
        path, place = tmp_path / "our.yaml", tmp_path / workspace
        return ingest(open_project(path, workspace=place, secrets={"U": postgres_url}), say=silent)

    run("w")
    with psycopg.connect(postgres_url) as connection:
        fill(connection.execute, "touches", NEWER)
    again = run("w")
    assert again.snapshot == run("fresh").snapshot
    assert next(c.kept for c in again.counts if c.table == "events") == 4
