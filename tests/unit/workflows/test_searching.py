from pathlib import Path

from mqlml.cli.progress import means
from mqlml.config import load_settings
from mqlml.storage.workspace import Workspace
from mqlml.workflows.learning import without_months
from mqlml.workflows.project import Project
from mqlml.workflows.train import searching

CONFIG = """\
name: leads
sources:
  leads:
    file: leads.csv
    columns: {lead_id: id}
    order: file
    outcome: {column: bought, positive: ["yes"], negative: ["no"]}
target: {stage: outcome}
model:
  candidates: 3
  segments: {column: country, min_months: 6}
"""


def project(tmp_path: Path) -> Project:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return Project(load_settings(path), tmp_path, Workspace(tmp_path / "w"))


def test_candidates_come_from_the_config_unless_the_command_says_otherwise(tmp_path) -> None:
    given = project(tmp_path)
    assert searching(given, None, is_timed=False) is given
    assert given.settings.model.candidates == 3
    assert searching(given, 0, is_timed=False).settings.model.candidates == 0
    assert searching(given, 7, is_timed=True).settings.model.candidates == 7


def test_a_budget_alone_lets_only_the_clock_end_the_search(tmp_path) -> None:
    assert searching(project(tmp_path), None, is_timed=True).settings.model.candidates == 400


def test_time_is_over_when_the_seconds_have_passed_and_never_without_a_budget() -> None:
    with means("1GB", "events", seconds=0.0) as given:
        assert given.is_over is not None
        assert given.is_over()
    with means("1GB", "events", seconds=3_600) as given:
        assert given.is_over is not None
        assert not given.is_over()
    with means("1GB", "events") as given:
        assert given.is_over is None


def test_months_are_not_asked_of_tables_without_dates(tmp_path) -> None:
    model = without_months(project(tmp_path).settings.model)
    assert model.segments is not None
    assert model.segments.min_months == 0
    assert model.segments.column == "country"
