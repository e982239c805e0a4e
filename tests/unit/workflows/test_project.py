import pytest

import mqlml
from mqlml.errors import ConfigError, UsageError
from mqlml.workflows.project import open_project, shown_instant

CONFIG = """\
name: ours
timezone: Europe/Berlin
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
target: {stage: customer, horizon_days: 30}
"""


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "our.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return open_project(path, workspace=tmp_path / "w")


def test_data_lie_beside_the_config_unless_told_otherwise(project, tmp_path):
    assert project.data_dir == tmp_path
    assert open_project(tmp_path / "our.yaml", data="/elsewhere").data_dir.name == "elsewhere"


def test_a_time_without_offset_is_read_in_the_configured_zone(project):
    # Berlin is two hours ahead of UTC in July.
    assert shown_instant(project.instant("2026-07-01T02:00")) == "2026-07-01T00:00:00Z"


def test_an_offset_wins_over_the_configured_zone(project):
    assert shown_instant(project.instant("2026-07-01T02:00+01:00")) == "2026-07-01T01:00:00Z"


def test_fractions_of_a_second_are_kept_exactly(project):
    micros = project.instant("2026-07-01T02:00:00.000001+00:00")
    assert shown_instant(micros) == "2026-07-01T02:00:00.000001Z"


def test_no_time_stays_no_time(project):
    assert project.instant(None) is None


def test_what_is_not_a_time_is_refused_with_an_example(project):
    with pytest.raises(UsageError, match="not a time"):
        project.instant("yesterday")


@pytest.mark.parametrize("text", ["1899-12-31", "2099-01-01", "9999-01-01"])
def test_a_year_that_no_data_can_have_is_refused_by_its_option(project, text):
    with pytest.raises(UsageError, match="--to: not a time between 1900 and 2098"):
        project.instant(text, "--to")


def test_an_unknown_zone_is_refused_with_its_line(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(CONFIG.replace("Europe/Berlin", "Europe/Berlon"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"other\.yaml:2: timezone"):
        open_project(path)


def test_the_package_offers_its_names_late():
    assert mqlml.open_project is open_project
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mqlml.nothing
