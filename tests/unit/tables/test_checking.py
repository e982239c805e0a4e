import duckdb
import pytest

from mqlml.tables.checking import (
    CellNames,
    TimeRange,
    column_checks,
    file_counts,
    settle_repeats,
)
from mqlml.tables.contracts import Column, ColumnType
from mqlml.tables.ingested import FileCount, Note
from mqlml.tables.quarantine import NOT_A_ROW, fault_code

TIMES = TimeRange(10, 20, "ten", "twenty")


def reason(column, text, read, *, valid=(), is_gap="false"):
    cell = CellNames("t", "r", is_gap)
    checks = (NOT_A_ROW, *column_checks(column, cell, times=TIMES, valid=valid, zone="Zone"))
    row = f"SELECT {text} AS t, {read} AS r, NULL AS __broken"
    ((code,),) = duckdb.sql(f"SELECT {fault_code(checks)} FROM ({row})").fetchall()
    return checks[code - 1].reason if code else ""


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("'x'", "10", ""),
        ("'x'", "20", ""),
        ("'x'", "9", "at lies before ten"),
        ("'x'", "21", "at lies after twenty"),
        ("'x'", "NULL::BIGINT", "at is not a time"),
        ("NULL", "NULL::BIGINT", "at is missing"),
    ],
)
def test_a_time_is_filled_readable_and_in_range_both_ends_included(text, read, expected):
    assert reason(Column("at", ColumnType.TIME, required=True), text, read) == expected


def test_a_time_that_never_happens_is_a_fault_before_its_range():
    column = Column("at", ColumnType.TIME)
    assert reason(column, "'x'", "0", is_gap="true").startswith("at does not exist in Zone")


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("'1'", "1.0::DOUBLE", ""),
        ("'inf'", "'inf'::DOUBLE", "n is infinite"),
        ("'x'", "NULL::DOUBLE", "n is not a number"),
        ("NULL", "NULL::DOUBLE", ""),
    ],
)
def test_a_number_is_readable_and_finite(text, read, expected):
    assert reason(Column("n", ColumnType.NUMBER), text, read) == expected


def test_a_flag_is_readable():
    assert reason(Column("f", ColumnType.FLAG), "'x'", "NULL::BOOLEAN") == "f is not a yes or no"


def test_a_name_is_one_of_the_valid_ones_or_missing():
    column = Column("s", ColumnType.TEXT)
    assert reason(column, "'mql'", "NULL", valid=("mql", "sql")) == ""
    assert reason(column, "'hot'", "NULL", valid=("mql", "sql")) == "s is not a valid name"
    assert reason(column, "NULL", "NULL", valid=("mql", "sql")) == ""


@pytest.fixture
def rows():
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE t AS SELECT *, CAST(NULL AS DOUBLE) AS __newest FROM (VALUES
                (0, 1, 'a', NULL, 1, true, 0), (0, 2, 'a', NULL, 1, true, 0),
                (0, 3, 'a', NULL, 2, true, 0), (1, 1, 'a', NULL, 1, true, 0),
                (1, 2, 'a', 'x', 1, true, 0), (1, 3, 'a', NULL, 9, true, 4),
                (1, 4, 'a', NULL, 9, false, 0)
            ) AS v(__file, __row, k, l, value, __passes, __fault)
            """
        )
        yield connection


def test_the_first_row_of_a_key_is_kept_equal_ones_and_conflicts_are_told_apart(rows):
    settle_repeats(rows, "t", ("k", "l"), ("k", "l", "value"))
    repeats = rows.execute("SELECT * FROM t_repeats ORDER BY ALL").fetchall()
    assert repeats == [(0, 2, True), (0, 3, False), (1, 1, True)]
    kept = rows.execute("SELECT __file, __row FROM t_kept ORDER BY ALL").fetchall()
    assert kept == [(0, 1), (1, 2)]


def test_every_row_of_every_file_is_counted_once(rows):
    settle_repeats(rows, "t", ("k", "l"), ("k", "l", "value"))
    assert file_counts(rows, "t", {0: ("one", 3, 0), 1: ("two", 3, 1), 2: ("none", 0, 0)}) == (
        FileCount("one", "t", 3, kept=1, duplicates=1, quarantined=1),
        FileCount("two", "t", 3, made=1, kept=1, duplicates=1, quarantined=1, filtered=1),
        FileCount("none", "t", 0, kept=0, duplicates=0, quarantined=0),
    )


def test_a_row_that_was_read_and_is_nowhere_stops_everything(rows):
    settle_repeats(rows, "t", ("k", "l"), ("k", "l", "value"))
    with pytest.raises(AssertionError, match="rows were lost or made"):
        file_counts(rows, "t", {0: ("one", 4, 0)})


def test_a_note_says_where_and_how_often():
    assert str(Note("leads", "a.csv", "x", "dropped", 2)) == "leads, a.csv, x: dropped (2 rows)"
    assert str(Note("leads", "", "x", "dropped")) == "leads, x: dropped"
