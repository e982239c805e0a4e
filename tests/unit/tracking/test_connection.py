import re
import sqlite3

import pytest
from tests.trainings import NAME, local_store, saved_bundle, training_record

from mqlml.errors import BundleError, DataError, MissingExtraError
from mqlml.tracking import connection as module
from mqlml.tracking.connection import Connection
from mqlml.tracking.sqlite import make_database
from mqlml.tracking.store import MlflowStore
from mqlml.tracking.ui import ui_command


def remote(uri, tmp_path):
    return Connection(uri, database=tmp_path / "mlflow.db", artifacts=tmp_path / "mlartifacts")


def test_a_made_database_is_whole_and_lets_readers_and_writers_be(tmp_path):
    database = tmp_path / "w" / "mlflow.db"
    make_database(database, tmp_path / "art")
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (artifacts,) = connection.execute("SELECT artifact_location FROM experiments").fetchone()
    connection.close()
    assert artifacts == f"{tmp_path}/art/0"
    assert [p.name for p in database.parent.iterdir() if p.name.startswith(".")] == []


def test_the_schema_that_is_kept_is_what_the_migrations_make(tmp_path):
    from mqlml.tracking.sqlite import _schema, fill_database

    found = []
    for name, schema in (("kept", _schema()), ("migrated", None)):
        fill_database(tmp_path / name, tmp_path / "art", schema=schema)
        connection = sqlite3.connect(tmp_path / name)
        # The migrations list the values of some checks in an order that varies.
        tables = {
            name: sorted(re.findall(r"\w+", sql or ""))
            for name, sql in connection.execute("SELECT name, sql FROM sqlite_master")
        }
        rows = {
            table: connection.execute(f'SELECT * FROM "{table}"').fetchall()
            for table in ("alembic_version", "workspaces")
        }
        (place,) = connection.execute("SELECT artifact_location FROM experiments").fetchone()
        found.append((tables, rows, place))
        connection.close()
    assert _schema() is not None, "keep the schema of the locked MLflow in tracking/schemas"
    assert found[0] == found[1]


def test_a_database_that_another_program_locks_is_a_clear_error(tmp_path, monkeypatch):
    make_database(tmp_path / "mlflow.db", tmp_path / "art")
    monkeypatch.setattr("mqlml.tracking.sqlite._WAIT_S", 0.1)
    blocker = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DataError, match="locked by another program"):
            local_store(tmp_path).runs(NAME)
    finally:
        blocker.close()


def test_making_a_database_again_leaves_it_alone(tmp_path):
    make_database(tmp_path / "mlflow.db", tmp_path / "art")
    before = (tmp_path / "mlflow.db").read_bytes()
    make_database(tmp_path / "mlflow.db", tmp_path / "art")
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_whoever_comes_second_throws_its_own_database_away(tmp_path):
    from mqlml.tracking.sqlite import _link

    (tmp_path / "first").write_text("first")
    (tmp_path / "second").write_text("second")
    _link(tmp_path / "first", tmp_path / "place")
    _link(tmp_path / "second", tmp_path / "place")
    assert (tmp_path / "place").read_text() == "first"


def test_without_links_the_database_is_renamed_into_place(tmp_path, monkeypatch):
    from mqlml.tracking.sqlite import _link

    def refuse(self, target):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    (tmp_path / "first").write_text("first")
    _link(tmp_path / "first", tmp_path / "place")
    assert (tmp_path / "place").read_text() == "first"


@pytest.mark.parametrize(("content", "found"), [(b"", "empty"), (b"PK\3\4zip", "another kind")])
def test_a_file_that_is_no_database_is_named(tmp_path, content, found):
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(DataError, match=found):
        local_store(tmp_path).champion(NAME)


def test_a_damaged_database_is_a_clear_error(tmp_path):
    make_database(tmp_path / "mlflow.db", tmp_path / "art")
    with (tmp_path / "mlflow.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 20_000)
    with pytest.raises(DataError, match="damaged"):
        local_store(tmp_path).champion(NAME)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "w").write_text("a file")
    record = training_record(saved_bundle(tmp_path / "b"))
    with pytest.raises(DataError, match="cannot be opened or written"):
        local_store(tmp_path / "w").log_training(record)


@pytest.mark.parametrize(
    "uri",
    ["http://ann:s3cret@127.0.0.1:9", "postgresql://ann:s3cret@127.0.0.1:9/mlflow"],
)
def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path, uri):
    store = MlflowStore(remote(uri, tmp_path))
    with pytest.raises(BundleError) as caught:
        store.champion(NAME)
    assert "cannot be reached" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.exit_code == 7


def test_postgresql_without_a_driver_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mqlml\[postgres\]"):
        remote("postgresql://db/mlflow", tmp_path)


def test_postgresql_uses_the_driver_that_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: name == "psycopg")
    assert remote("postgres://db/m", tmp_path).uri == "postgresql+psycopg://db/m"
    monkeypatch.setattr(module, "find_spec", lambda name: name == "psycopg2")
    assert remote("postgresql://db/m", tmp_path).uri == "postgresql://db/m"


def test_a_server_keeps_artefacts_itself_and_a_database_does_not(tmp_path):
    assert remote("http://host:5000", tmp_path).location("m") is None
    local = remote(None, tmp_path)
    assert local.location("m") == (tmp_path / "mlartifacts" / "m").as_uri()


def test_the_pages_of_a_database_need_a_command_and_those_of_a_server_none(tmp_path):
    command = ui_command(remote(None, tmp_path), port=5055)
    assert command.address == "http://127.0.0.1:5055"
    assert command.environment["MLFLOW_BACKEND_STORE_URI"].endswith("/mlflow.db")
    assert "mlflow.db" not in " ".join(command.command)
    assert ui_command(remote("https://host", tmp_path)).command == ()
    assert ui_command(remote("https://host", tmp_path)).address == "https://host"


def test_a_database_of_another_mlflow_is_migrated_rather_than_copied(tmp_path, monkeypatch):
    monkeypatch.setattr("mqlml.tracking.sqlite._SCHEMAS", tmp_path)
    make_database(tmp_path / "w" / "mlflow.db", tmp_path / "art")
    with sqlite3.connect(tmp_path / "w" / "mlflow.db") as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    connection.close()
