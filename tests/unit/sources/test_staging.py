import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from mqlml.errors import ConfigError, DataError
from mqlml.sources.casting import check_time_format
from mqlml.sources.ndjson import stage_ndjson
from mqlml.sources.settings import LeadSource, TableSource
from mqlml.sources.staging import as_text, unique_names
from mqlml.sources.text_files import open_text


def test_names_are_trimmed_and_made_unique_whatever_their_case():
    names, remarks = unique_names([" A ", "a", "A_2", "", "b"])
    assert names == ("A", "a_2", "A_2_2", "column_4", "b")
    assert len(remarks) == 2


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ("x", "x"), (True, "true"), (False, "false"), (3, "3")]
)
def test_values_are_spelled_as_in_a_csv_file(value, text):
    assert as_text(value) == text


def test_ndjson_is_staged_in_parts_whose_keys_may_grow(tmp_path, monkeypatch):
    monkeypatch.setattr("mqlml.sources.staging.ROWS_PER_PART", 2)
    path = tmp_path / "x.ndjson"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": 3, "b": 4}\n')
    staged = stage_ndjson(path, "x", tmp_path / "parts")
    assert staged.columns == ("a", "b")
    parts = sorted(staged.folder.iterdir())
    assert [pq.read_schema(part).names[4:] for part in parts] == [["a"], ["a", "b"]]


@pytest.mark.parametrize("time_format", ["%Q", "no percent sign"])
def test_a_time_format_that_is_none_is_a_config_error(time_format):
    with pytest.raises(ConfigError, match="not a time format"):
        check_time_format(time_format, "x")


@pytest.mark.parametrize("time_format", [None, "%d.%m.%Y", "epoch_s"])
def test_a_sound_time_format_passes(time_format):
    check_time_format(time_format, "x")


def test_a_source_has_exactly_one_origin_and_one_clock():
    with pytest.raises(ValidationError, match="exactly one of 'file', 'table' and 'postgres'"):
        TableSource.model_validate({})
    with pytest.raises(ValidationError, match=r"exactly one of 'order' and columns\.created_at"):
        LeadSource.model_validate({"file": "x.csv"})


def test_a_file_that_may_not_be_read_is_a_data_error(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text("a\n")

    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(type(path), "open", forbidden)

    def read():
        with open_text(path, "x.csv", None) as text:
            text.read()

    with pytest.raises(DataError, match="may not be read"):
        read()
