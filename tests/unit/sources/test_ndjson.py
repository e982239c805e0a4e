"""NDJSON as it comes: spelled numbers, lines that are no objects, odd keys and characters."""

import gzip

import pyarrow.parquet as pq
import pytest

from mqlml.errors import DataError, SchemaError
from mqlml.sources.ndjson import stage_ndjson


@pytest.fixture
def stage(tmp_path):
    def staged(content, name="x.ndjson", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        file = stage_ndjson(path, name, tmp_path / "staged", **options)
        return file, pq.read_table(file.folder, schema=_all_columns(file)).to_pylist()

    return staged


def _all_columns(file):
    return max((pq.read_schema(part) for part in file.folder.iterdir()), key=len)


def values(rows, name):
    return [row[name] for row in rows]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        *(("1.50", "1.50"), ("1e3", "1e3"), ("-0", "-0"), ("NaN", "NaN")),
        *(("12345678901234567890123", "12345678901234567890123"), ('"007"', "007")),
        *(("true", "true"), ("false", "false"), ("null", None), ('""', ""), ('"null"', "null")),
        *(('{"x":[1,2.50]}', '{"x": [1, 2.5]}'), ("[]", "[]"), (r'["\u00e4"]', '["ä"]')),
    ],
)
def test_a_value_becomes_the_text_it_is_written_with(stage, written, text):
    _, rows = stage(f'{{"a": {written}, "b": "x"}}\n')
    assert values(rows, "a") == [text]


def test_a_column_may_hold_every_kind_of_value(stage):
    _, rows = stage('{"a": "x"}\n{"a": 1.0}\n{"a": true}\n{"b": 1}\n{"a": {"c": 1.0}}\n')
    assert values(rows, "a") == ["x", "1.0", "true", None, '{"c": 1.0}']
    assert values(rows, "b") == [None, None, None, "1", None]


def test_of_a_key_that_stands_twice_the_last_value_counts(stage):
    assert values(stage('{"a": 1, "a": 2}\n')[1], "a") == ["2"]


def test_names_that_differ_in_case_only_are_told_apart(stage):
    file, rows = stage('{"a": 1, "A": 2}\n')
    assert file.columns == ("a", "A_2")
    assert values(rows, "A_2") == ["2"]


def test_lines_are_counted_as_editors_do(stage):
    _, rows = stage(b'\xef\xbb\xbf\r\n{"a": 1}\r\n  \r\n\t{"a": 2} \r\n{"a": 3}')
    assert values(rows, "a") == ["1", "2", "3"]
    assert values(rows, "__line") == [2, 4, 5]
    assert values(rows, "__row") == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"a": 1', "not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        ('{"a": 1} {"a": 2}', "not JSON: Extra data: line 1 column 10 (char 9)"),
        ('{"a": 1,}', "not JSON: Expecting property name enclosed in double quotes"),
        ('\ufeff{"a": 1}', "not JSON: Unexpected UTF-8 BOM"),
        ("[1]", "not a JSON object"),
        ("1.5", "not a JSON object"),
        ("null", "not a JSON object"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_line_that_is_no_object_is_broken_and_kept_whole(stage, line, reason):
    _, rows = stage(f'{{"a": 1}}\n{line}\n{{"a": 3}}\n')
    assert values(rows, "a") == ["1", None, "3"]
    assert rows[1]["__broken"].startswith(reason)
    assert values(rows, "__raw") == [None, line, None]
    assert values(rows, "__line") == [1, 2, 3]


def test_halves_of_an_object_on_two_lines_are_two_broken_lines(stage):
    _, rows = stage('{"a": [1\n2]}\n{"a": 3}\n{"a": 4}\n{"a": 5\n"b": 6}\n{"a": 7}\n{"a": 8}\n')
    assert values(rows, "a") == [None, None, "3", "4", None, None, "7", "8"]


def test_half_a_surrogate_pair_becomes_a_question_mark(stage):
    file, rows = stage(r'{"a": "x\ud83d", "b": ["\ud83d"], "k\ud83d": "ä"}' + "\n")
    assert file.columns == ("a", "b", "k?")
    assert [rows[0][name] for name in file.columns] == ["x?", '["?"]', "ä"]


def test_a_nested_integer_beyond_all_bounds_is_infinite(stage):
    _, rows = stage(f'{{"a": [1{"0" * 5000}], "b": 1{"0" * 5000}}}\n')
    assert values(rows, "a") == ["[Infinity]"]
    assert values(rows, "b") == ["1" + "0" * 5000]


def test_a_line_of_a_million_characters_is_a_line(stage):
    long = "ä" * 1_000_000
    assert values(stage(f'{{"a": "{long}"}}\n')[1], "a") == [long]


def test_objects_without_any_key_are_rows(stage):
    file, rows = stage("{}\n{}\n")
    assert (file.columns, file.rows, len(rows)) == ((), 2, 2)


def test_blank_lines_as_long_as_a_part_make_no_part(stage, monkeypatch):
    monkeypatch.setattr("mqlml.sources.staging.ROWS_PER_PART", 2)
    file, rows = stage('{"a": 1}\n\n\n\n\n{"a": 2}\n')
    assert len(list(file.folder.iterdir())) == 2
    assert [(row["__row"], row["__line"], row["a"]) for row in rows] == [(1, 1, "1"), (2, 6, "2")]


def test_compressed_and_utf16_files_are_read(stage):
    assert values(stage(gzip.compress(b'{"a": 1}\n'), name="x.ndjson.gz")[1], "a") == ["1"]
    assert values(stage('{"a": "ä"}\n'.encode("utf-16"))[1], "a") == ["ä"]


def test_bytes_that_are_not_utf8_are_a_data_error(stage):
    with pytest.raises(DataError, match="text is not utf-8"):
        stage(b'{"a": "\xff"}\n')


def test_a_file_of_mostly_broken_lines_is_refused(stage):
    with pytest.raises(SchemaError, match="2 of 3 lines"):
        stage('{"a": 1}\nx\ny\n')


@pytest.mark.parametrize("has_lists", [True, False])
def test_a_line_at_the_edge_of_what_can_be_nested_is_a_row_or_a_broken_line(tmp_path, has_lists):
    lines = [f'{{"a": {"[" * depth}1{"]" * depth}}}' for depth in range(700, 1000)]
    (tmp_path / "x.ndjson").write_text("\n".join([*lines, *['{"a": 2}'] * 300]))
    file = stage_ndjson(tmp_path / "x.ndjson", "x", tmp_path / "staged", has_lists=has_lists)
    rows = pq.read_table(file.folder).to_pylist()
    assert len(rows) == 600
    for line, row in zip(lines, rows, strict=False):
        assert (row["__broken"] is None) == (row["a"] is not None)
        assert row["__raw"] in {None, line}
    assert rows[0]["a"] == "[" * 700 + "1" + "]" * 700
    assert rows[299]["__broken"].startswith("not JSON: maximum recursion depth exceeded")


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ('[{"a": 1}, {"a": 2}]', ["1", "2"]),
        ('{"a": 1}', ["1"]),
        ("events=%5B%7B%22a%22%3A+1.50%7D%5D&more=x", ["1.5"]),
        ('a={"a": "x=y"}', ["x=y"]),
    ],
)
def test_a_body_of_a_webhook_is_an_object_a_list_or_a_form(tmp_path, line, items):
    (tmp_path / "x.json").write_text(line + "\n")
    file = stage_ndjson(tmp_path / "x.json", "x", tmp_path / "staged", has_lists=True)
    assert values(pq.read_table(file.folder).to_pylist(), "a") == items


@pytest.mark.parametrize("line", ["[]", "{}", " [ ] ", "[{}]", "events=%5B%5D"])
def test_a_body_without_content_is_a_row_that_says_so(tmp_path, line):
    (tmp_path / "x.json").write_text(line + "\n")
    file = stage_ndjson(tmp_path / "x.json", "x", tmp_path / "staged", has_lists=True)
    assert (file.columns, file.rows) == (("empty_body",), 1)


@pytest.mark.parametrize(
    "line", ["[null]", "[[]]", "[0]", '[""]', r'["\ud83d"]', "events=", "events=x", "a b=[]"]
)
def test_what_is_no_body_is_a_broken_line(tmp_path, line):
    (tmp_path / "x.json").write_text(f'{{"a": 1}}\n{line}\n')
    file = stage_ndjson(tmp_path / "x.json", "x", tmp_path / "staged", has_lists=True)
    assert pq.read_table(file.folder).to_pylist()[1]["__broken"] is not None
