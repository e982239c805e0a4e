import pytest

from mqlml import wiring
from mqlml.config import load_settings
from mqlml.errors import ConfigError
from mqlml.storage.workspace import Workspace

CONFIG = """\
name: ours
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  events: {postgres: {url_env: EVENTS_URL, table: events}}
target: {stage: customer, horizon_days: 30}
scoring: {postgres_url_env: SCORES_URL}
"""


def settings_of(folder, text):
    path = folder / "our.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_every_environment_variable_of_the_settings_is_named_once(tmp_path):
    settings = settings_of(tmp_path, CONFIG + "tracking: {uri_env: SCORES_URL}\n")
    assert wiring.secret_names(settings) == ("EVENTS_URL", "SCORES_URL")


def test_without_a_server_the_store_lies_in_the_workspace(tmp_path):
    settings = settings_of(tmp_path, CONFIG)
    connection = wiring.open_connection(settings, Workspace(tmp_path / "w"), {})
    assert connection.uri.endswith("/w/mlflow.db")
    assert not (tmp_path / "w").exists()


def test_a_server_is_taken_from_the_settings_or_from_the_variable_they_name(tmp_path):
    workspace = Workspace(tmp_path / "w")
    named = settings_of(tmp_path, CONFIG + "tracking: {uri: 'http://127.0.0.1:9'}\n")
    assert wiring.open_connection(named, workspace, {}).uri == "http://127.0.0.1:9"
    secret = settings_of(tmp_path, CONFIG + "tracking: {uri_env: OUR_MLFLOW}\n")
    found = wiring.open_connection(secret, workspace, {"OUR_MLFLOW": "http://127.0.0.1:8"})
    assert found.uri == "http://127.0.0.1:8"
    with pytest.raises(ConfigError, match="OUR_MLFLOW"):
        wiring.open_connection(secret, workspace, {})
