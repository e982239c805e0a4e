import gzip
import os

import pyarrow.parquet as pq
import pytest

from mqlml.errors import ConfigError, DataError, SchemaError
from mqlml.sources import staging
from mqlml.sources.delimited import stage_delimited


@pytest.fixture
def stage(tmp_path):
    def staged(content, name="x.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        file = stage_delimited(path, name, tmp_path / "staged", **options)
        return file, pq.read_table(file.folder).sort_by("__row").to_pylist()

    return staged


def cells(rows):
    return [tuple(v for k, v in row.items() if not k.startswith("__")) for row in rows]


def test_rows_keep_their_text_their_number_and_their_line(stage):
    file, rows = stage("id,name\n007,a\n8,\n")
    assert file.columns == ("id", "name")
    assert cells(rows) == [("007", "a"), ("8", "")]
    assert [(r["__row"], r["__line"]) for r in rows] == [(1, 2), (2, 3)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(stage, delimiter):
    _, rows = stage(delimiter.join(["id", "a b"]) + "\n" + delimiter.join(["1", "x"]) + "\n")
    assert cells(rows) == [("1", "x")]


def test_the_delimiter_whose_header_holds_the_wanted_names_wins(stage):
    text = "id;note,more,and more\n1;a,b,c\n2;d,e,f\n"
    file, _ = stage(text, wanted=["id"])
    assert file.columns == ("id", "note,more,and more")


def test_a_wrong_delimiter_is_named_with_the_likely_one(stage):
    with pytest.raises(SchemaError) as caught:
        stage("id;at\n1;2\n", wanted=["id", "at"], delimiter=",")
    assert len(caught.value.faults) == 2
    assert "1 columns: 'id;at'" in caught.value.faults[0].found
    assert "set 'delimiter: ';'" in caught.value.faults[0].mend


@pytest.mark.parametrize("spelling", ["\t", "\\t", "tab"])
def test_a_tab_can_be_spelled_out(stage, spelling):
    assert cells(stage("a\tb\n1\t2,3\n", delimiter=spelling)[1]) == [("1", "2,3")]


def test_a_likely_tab_is_spelled_out(stage):
    with pytest.raises(SchemaError, match="set 'delimiter: 'tab''"):
        stage("a\tb\n1\t2\n", wanted=["a"], delimiter=";")


@pytest.mark.parametrize("delimiter", ["::", '"', " "])
def test_what_is_no_delimiter_is_a_config_error(stage, delimiter):
    with pytest.raises(ConfigError, match="not a delimiter"):
        stage("a,b\n1,2\n", delimiter=delimiter)


def test_a_renamed_column_is_named_with_the_nearest_one(stage):
    with pytest.raises(SchemaError, match="no column 'created_at'") as caught:
        stage("id,create_at\n1,2\n", wanted=["id", "created_at"])
    assert "did you mean 'create_at'?" in caught.value.faults[0].mend


def test_many_columns_are_not_all_listed(stage):
    header = ",".join(f"c{n}" for n in range(20))
    with pytest.raises(SchemaError, match="and 8 more"):
        stage(f"{header}\n{header}\n", wanted=["zz"])


def test_ragged_rows_are_kept_whole_with_their_line(stage):
    _, rows = stage('a,b\n1,2\n1,2,3\n"4"\n5,6\n7,8\n')
    broken = [(r["__line"], r["__broken"], r["__raw"]) for r in rows if r["__broken"]]
    assert broken == [
        (3, "ragged row: 3 values where the header has 2", "1,2,3"),
        (4, "ragged row: 1 values where the header has 2", '"4"'),
    ]
    assert [r["__row"] for r in rows] == [1, 2, 3, 4, 5]


def test_empty_cells_beyond_the_header_are_dropped(stage):
    _, rows = stage("a,b\n1,2,,\n3,4\n")
    assert cells(rows) == [("1", "2"), ("3", "4")]


def test_a_nameless_last_column_may_be_left_out(stage):
    file, rows = stage("a,b,\n1,2\n3,4,\n")
    assert file.columns == ("a", "b", "column_3")
    assert cells(rows) == [("1", "2", None), ("3", "4", "")]


def test_quoted_line_ends_belong_to_the_value_and_lines_are_counted_as_editors_do(stage):
    _, rows = stage('a,b\r\n1,"x\r\ny"\r\n2,z\r\n')
    assert cells(rows) == [("1", "x\r\ny"), ("2", "z")]
    assert [r["__line"] for r in rows] == [2, 4]


def test_empty_lines_are_no_rows(stage):
    file, rows = stage("\na,b\n\n1,2\n   \n3,4\n\n")
    assert file.rows == 2
    assert [r["__line"] for r in rows] == [4, 6]


def test_an_empty_line_of_a_single_column_is_no_row(stage):
    _, rows = stage("a\n1\n\n2\n")
    assert cells(rows) == [("1",), ("2",)]


def test_a_stray_quote_breaks_only_its_own_line(stage):
    _, rows = stage('a,b\n1,"x\n2,y\n3,z\n4,w\n')
    assert [(r["__line"], bool(r["__broken"])) for r in rows] == [
        (2, True),
        (3, False),
        (4, False),
        (5, False),
    ]
    assert rows[0]["__raw"] == '1,"x'


def test_text_after_a_closing_quote_breaks_the_line(stage):
    _, rows = stage('a,b\n1,"x"y\n2,y\n3,z\n')
    assert rows[0]["__broken"].startswith("not a CSV row")
    assert len(rows) == 3


def test_mostly_ragged_rows_stop_the_reading(stage):
    with pytest.raises(SchemaError, match="2 of 3 rows"):
        stage("a,b\n1\n2\n3,4\n")


def test_mostly_ragged_rows_of_a_long_file_stop_early(stage):
    with pytest.raises(SchemaError, match="of 20000 rows"):
        stage("a,b\n" + "1,2,3\n" * 30_000)


def test_a_header_that_is_no_csv_is_a_schema_error(stage):
    with pytest.raises(SchemaError, match="header is not a CSV row"):
        stage('"a"x,b\n1,2\n')


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_a_data_error(stage, content):
    with pytest.raises(DataError, match="file is empty"):
        stage(content)


def test_a_header_alone_has_no_rows(stage):
    file, rows = stage("a,b\n")
    assert (file.rows, rows) == (0, [])


def test_columns_of_one_name_in_any_case_are_told_apart(stage):
    file, _ = stage("Id,id,__x,\n1,2,3,4\n")
    assert file.columns == ("Id", "id_2", "x_2", "column_4")
    assert len(file.remarks) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marks_decide_the_encoding(stage, encoding):
    file, rows = stage("näme,b\nü🙂,1\n".encode(encoding))
    assert file.columns == ("näme", "b")
    assert cells(rows) == [("ü🙂", "1")]


def test_a_declared_encoding_is_used(stage):
    assert cells(stage("a,b\nü,1\n".encode("latin-1"), encoding="latin-1")[1]) == [("ü", "1")]


def test_a_byte_order_mark_wins_over_a_declared_encoding(stage):
    assert stage("a,b\nü,1\n".encode("utf-8-sig"), encoding="latin-1")[0].columns == ("a", "b")


def test_text_in_another_encoding_says_what_to_set(stage):
    with pytest.raises(DataError, match="text is not utf-8") as caught:
        stage("a,b\nü,1\n".encode("latin-1"))
    assert "latin-1" in caught.value.faults[0].mend


def test_utf_16_without_a_mark_is_recognised(stage):
    with pytest.raises(DataError, match="UTF-16 without a byte-order mark"):
        stage("a,b\n1,2\n".encode("utf-16-le"))


def test_an_unknown_encoding_is_a_config_error(stage):
    with pytest.raises(ConfigError, match="unknown encoding"):
        stage("a,b\n1,2\n", encoding="utf-99")


def test_gzip_is_opened(stage):
    assert cells(stage(gzip.compress(b"a,b\n1,2\n"), name="x.csv.gz")[1]) == [("1", "2")]


@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: b"no" + data[2:]])
def test_damaged_gzip_is_a_data_error(stage, damage):
    data = gzip.compress(os.urandom(5000).hex().encode())
    with pytest.raises(DataError, match="cut or damaged"):
        stage(damage(data), name="x.csv.gz")


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        stage_delimited(tmp_path / "absent.csv", "absent.csv", tmp_path / "staged")


def test_long_values_and_emoji_survive(stage):
    long = "🙂" * 10_000
    assert cells(stage(f"a,b\n{long},1\n")[1]) == [(long, "1")]


def test_rows_are_staged_in_parts_in_order(stage, monkeypatch):
    monkeypatch.setattr("mqlml.sources.delimited.ROWS_PER_PART", 3)
    monkeypatch.setattr(staging, "ROWS_PER_PART", 3)
    file, rows = stage("a,b\n" + "".join(f'{n},"x"\n' for n in range(10)))
    assert len(list(file.folder.iterdir())) > 2
    assert [r["a"] for r in rows] == [str(n) for n in range(10)]


def test_a_value_over_several_lines_may_cross_a_part(stage, monkeypatch):
    monkeypatch.setattr("mqlml.sources.delimited.ROWS_PER_PART", 2)
    _, rows = stage('a,b\n1,2\n3,"x\ny\nz"\n4,5\n6,7\n')
    assert cells(rows) == [("1", "2"), ("3", "x\ny\nz"), ("4", "5"), ("6", "7")]
    assert [r["__line"] for r in rows] == [2, 3, 6, 7]


def test_ragged_and_empty_lines_between_sound_ones_keep_rows_and_lines_in_step(stage):
    _, rows = stage("a,b\n1,2\n3\n\n4,5,6\n7,8,\n9,10\n11,12\n")
    assert [r["__line"] for r in rows] == [2, 3, 5, 6, 7, 8]
    assert [r["__row"] for r in rows] == [1, 2, 3, 4, 5, 6]
    assert [r["__raw"] for r in rows] == [None, "3", "4,5,6", None, None, None]
    assert [r["a"] for r in rows] == ["1", None, None, "7", "9", "11"]
    assert rows[2]["__broken"] == "ragged row: 3 values where the header has 2"


@pytest.mark.parametrize("piece", [1, 2, 3, 500])
def test_a_stray_quote_or_a_long_row_leaves_the_rows_around_it_alone(stage, monkeypatch, piece):
    monkeypatch.setattr("mqlml.sources.delimited._PIECE", piece)
    _, rows = stage('a,b\n1,2\n3,"x\n\ny"\n4,5\n6,"x"y\n7,8\n9,10\n')
    assert [(r["__line"], r["a"], r["b"], r["__raw"]) for r in rows] == [
        (2, "1", "2", None),
        (3, "3", "x\n\ny", None),
        (6, "4", "5", None),
        (7, None, None, '6,"x"y'),
        (8, "7", "8", None),
        (9, "9", "10", None),
    ]


def test_blank_lines_of_a_single_column_are_no_rows(stage):
    _, rows = stage('a\n1\n\n" "\n2\n3,4\n5,\n')
    assert [(r["__line"], r["a"], r["__raw"]) for r in rows] == [
        (2, "1", None),
        (5, "2", None),
        (6, None, "3,4"),
        (7, "5", None),
    ]
