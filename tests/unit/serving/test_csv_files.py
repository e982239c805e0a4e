"""Verdicts as CSV: out for spreadsheets, in again from them."""

import csv
from contextlib import closing
from io import StringIO

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as some

from mqlml.errors import DataError
from mqlml.serving.cases import Case
from mqlml.serving.csv_files import (
    Import,
    history_csv,
    import_rows,
    inert,
    list_csv,
    read_rows,
    refused_csv,
    restored,
)
from mqlml.serving.history import Judgement, give, rows_after, undo
from mqlml.serving.people import Person, invite
from mqlml.serving.roles import Role
from mqlml.serving.schema import prepare
from mqlml.serving.sqlite import SqliteDatabase

AT = 1_772_442_000_000_000  # 2026-03-02T09:00:00Z
CASES = {one: Case(one, AT - 10, "mql", 70.0, "A1", reasons_up=("=1+1",)) for one in ("L1", "=L2")}


@pytest.fixture
def store(tmp_path):
    with closing(SqliteDatabase(tmp_path / "review.db", create=True)) as database:
        prepare(database, key="key")
        with database.write() as cursor:
            invite(cursor, Person("ann", "Ann", Role.REP), token="t", now=0)
        yield database


def read_in(database, text, who=True, now=AT):
    asked = Import(CASES, {"L1", "L9"}.__contains__, Person("ann", "Ann", Role.REP), now)
    if not who:
        asked = Import(asked.cases, asked.has_lead, None, now)
    with database.write() as cursor:
        return import_rows(cursor, read_rows(text.encode(), "file.csv"), asked)


def rows(database):
    with database.read() as cursor:
        return rows_after(cursor, 0)


@drawn(some.text(max_size=20))
def test_no_cell_is_a_formula_and_every_text_comes_back(text):
    guarded = inert(text)
    assert not guarded.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert restored(guarded) == text


def test_the_list_is_filled_in_and_read_in_once(store):
    cells = list(csv.DictReader(StringIO(list_csv(CASES.values()).decode())))
    assert cells[0]["speaks_for_it"] == "'=1+1"
    assert cells[1]["lead_id"] == "'=L2"
    cells[0] |= {"verdict": "accepted"}
    cells[1] |= {"verdict": "rejected", "reason": "other", "note": "'=SUM(1)"}
    text = StringIO()
    writer = csv.DictWriter(text, cells[0].keys())
    writer.writeheader()
    writer.writerows(cells)
    found = read_in(store, text.getvalue())
    assert (found.added, found.known, found.empty, found.refused) == (2, 0, 0, ())
    assert [(r.lead_id, r.verdict, r.reason, r.note, r.given_at, r.who) for r in rows(store)] == [
        ("L1", "accepted", None, None, AT, "ann"),
        ("=L2", "rejected", "other", "=SUM(1)", AT, "ann"),
    ]
    again = read_in(store, text.getvalue(), now=AT + 5)
    assert (again.added, again.known) == (0, 2)


def test_the_history_comes_out_and_into_another_store_with_every_change_of_mind(store, tmp_path):
    with store.write() as cursor:
        for number, (verdict, reason) in enumerate((("rejected", "no_need"), ("accepted", None))):
            said = Judgement("L1", AT - 10, verdict, reason, "-2 % a year", f"f{number}")
            give(cursor, said, who="ann", now=AT - 9 + number)
        undo(cursor, 2, who="ann", now=AT - 5)
        data = history_csv(cursor).decode()
    with closing(SqliteDatabase(tmp_path / "other.db", create=True)) as other:
        prepare(other, key="another key")
        with other.write() as cursor:
            invite(cursor, Person("ann", "Ann", Role.REP), token="t", now=0)
        found = read_in(other, data, who=False)
        assert (found.added, found.refused) == (3, ())
        with other.read() as cursor:
            assert history_csv(cursor).decode() == data
        assert read_in(other, data, who=False).known == 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("L8,accepted,,,,", "no such lead"),
        ("L9,accepted,,,,", "the lead was not handed over"),
        ("L1,maybe,,,,", "not a verdict"),
        ("L1,rejected,too dear,,,", "the reason is not one of the list"),
        ("L1,rejected,other,,,", "'other' needs a note"),
        (f"L1,accepted,,{'n' * 2001},,", "the note is too long"),
        ("L1,accepted,,,2026-03-02T08:59:59.999989Z,", "given before the lead was handed over"),
        ("L1,accepted,,,2026-03-02T09:00:00.000001Z,", "given in the future"),
        ("L1,accepted,,,yesterday,", "not a time"),
        ("L1,accepted,,,2026-03-02T09:00:00,", "a time without a zone"),
        ("L1,accepted,,,,mallory", "nobody of this id was invited"),
        ("L1,undone,,,,", "the verdict that it takes back is not there"),
    ],
)
def test_a_row_that_cannot_be_taken_is_given_back_with_its_line_and_why(store, row, reason):
    text = f"lead_id,verdict,reason,note,given_at,who\nL1,accepted,,,,\n{row}\n=L2,,,,,\n"
    found = read_in(store, text)
    assert (found.added, found.empty) == (1, 1)
    ((line, why),) = [(one.line, one.reason) for one in found.refused]
    assert (line, why.partition(":")[0]) == (3, reason)
    back = list(csv.DictReader(StringIO(refused_csv(found.refused).decode())))
    assert back[0]["verdict"] == row.split(",")[1]


def test_a_file_of_a_german_spreadsheet_is_read_and_one_without_columns_is_not(store):
    assert read_in(store, "\ufefflead_id;verdict;note\nL1;accepted;a, b\n").added == 1
    with pytest.raises(DataError, match="a column is missing"):
        read_in(store, "id,verdict\nL1,accepted\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_rows("lead_id,verdict\nM\xfcller,accepted\n".encode("latin-1"), "file.csv")
