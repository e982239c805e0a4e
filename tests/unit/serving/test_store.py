"""The store of verdicts, on SQLite and on a real PostgreSQL alike."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from mqlml.errors import DataError, UsageError
from mqlml.serving.board import Board
from mqlml.serving.database import StoreError
from mqlml.serving.history import (
    Judgement,
    RefusedError,
    checked,
    erase,
    give,
    is_erased,
    rows_after,
    undo,
)
from mqlml.serving.people import (
    Person,
    accept_invite,
    find,
    hashed_password,
    invite,
    invited,
    is_password,
)
from mqlml.serving.postgres import PostgresDatabase
from mqlml.serving.roles import Role
from mqlml.serving.schema import STANDING, is_prepared, prepare, secret_key
from mqlml.serving.sqlite import SqliteDatabase
from mqlml.serving.writer import Writer
from mqlml.tables.tombstones import Tombstones

DAY = 86_400_000_000
# 2026-03-02T09:00:00.000123Z
AT = 1_772_442_000_000_123


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """Return an empty store."""
    if request.param == "sqlite":
        opened = SqliteDatabase(tmp_path / "review.db", create=True)
    else:
        opened = PostgresDatabase(request.getfixturevalue("postgres_url"))
    prepare(opened, key="key")
    with closing(opened):
        yield opened


def judgement(lead="L1", verdict="rejected", reason="no_need", form="f1", note=None, handed=AT):
    return Judgement(lead, handed, verdict, reason, note, form)


def given(database, who="rep", now=AT, **values):
    with database.write() as cursor:
        return give(cursor, checked(judgement(**values)), who=who, now=now)


def standing(database):
    with database.read() as cursor:
        query = f"SELECT lead_id, given_at, verdict, reason, who FROM {STANDING} ORDER BY number"
        return [tuple(row) for row in cursor.rows(query)]


def test_a_store_is_made_once_and_keeps_its_key(database):
    prepare(database, key="another")
    assert is_prepared(database)
    with database.read() as cursor:
        assert secret_key(cursor) == b"key"


def test_times_leave_the_store_as_text_to_the_microsecond(database):
    given(database)
    assert standing(database) == [
        ("L1", "2026-03-02T09:00:00.000123Z", "rejected", "no_need", "rep")
    ]


def test_of_each_lead_rep_and_handover_the_last_verdict_that_was_not_undone_stands(database):
    given(database, form="f1")
    given(database, form="f2", verdict="accepted", now=AT + 1)
    given(database, form="f3", who="other", now=AT + 2)
    given(database, form="f4", handed=AT + DAY, reason="not_now", now=AT + DAY)
    assert [row[2:] for row in standing(database)] == [
        ("accepted", None, "rep"),
        ("rejected", "no_need", "other"),
        ("rejected", "not_now", "rep"),
    ]
    with database.write() as cursor:
        undo(cursor, 2, who="rep", now=AT + 3)
    assert [row[2:] for row in standing(database)] == [
        ("rejected", "no_need", "rep"),
        ("rejected", "no_need", "other"),
        ("rejected", "not_now", "rep"),
    ]


def test_verdicts_are_only_added_never_changed_or_deleted(database):
    given(database)
    for statement in ("DELETE FROM review_verdicts", "UPDATE review_verdicts SET who = 'x'"):
        with pytest.raises(StoreError), database.write() as cursor:
            cursor.run(statement)
    assert len(standing(database)) == 1


def test_an_error_in_a_transaction_leaves_nothing_behind(database):
    def broken():
        with database.write() as cursor:
            give(cursor, judgement(), who="rep", now=AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert standing(database) == []


def test_erasure_takes_rows_blots_notes_and_refuses_the_lead_for_ever(database):
    given(database, lead="L1", note="rang back")
    given(database, lead="L2", form="f2", note="knows L1 well")
    gone = Tombstones("salt").with_ids(["L1"])
    assert erase(database, ["L1"], gone, scrub=lambda text: text.replace("L1", "(erased)")) == 1
    with database.read() as cursor:
        rows = rows_after(cursor, 0)
        assert is_erased(cursor, "L1")
        assert not is_erased(cursor, "L2")
    assert [(row.lead_id, row.note) for row in rows] == [("L2", "knows (erased) well")]
    with pytest.raises(RefusedError, match="erased"):
        given(database, lead="L1", form="f3")
    assert erase(database, ["L1"], gone, scrub=str) == 0  # twice is once
    with pytest.raises(StoreError), database.write() as cursor:
        cursor.run("DELETE FROM review_verdicts")


def test_many_writers_lose_nothing_and_double_nothing(database):
    writer = Writer(database)

    def judge(number):
        wanted = judgement(lead=f"L{number % 7}", form=f"form {number // 2}")
        return writer.do(lambda c: give(c, wanted, who="rep", now=AT)).number

    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(judge, range(200)))
    writer.close()
    with database.read() as cursor:
        rows = rows_after(cursor, 0)
    assert len(rows) == 100
    assert {row.number for row in rows} == set(numbers)


def test_what_one_job_refuses_concerns_it_alone(database):
    writer, started = Writer(database), threading.Event()

    def slow(cursor):
        started.wait(5)
        return give(cursor, judgement(form="slow"), who="rep", now=AT)

    def refused(cursor):
        give(cursor, judgement(form="lost"), who="rep", now=AT)
        raise RefusedError("no", "do not")

    with ThreadPoolExecutor(3) as pool:
        first, second = pool.submit(writer.do, slow), pool.submit(writer.do, refused)
        third = pool.submit(writer.do, lambda c: give(c, judgement(form="ok"), who="r", now=AT))
        started.set()
        assert first.result().form == "slow"
        assert third.result().form == "ok"
        with pytest.raises(RefusedError):
            second.result()
    writer.close()
    with database.read() as cursor:
        assert {row.form for row in rows_after(cursor, 0)} == {"slow", "ok"}


def test_a_board_reads_what_others_added_and_forgets_who_was_erased(database):
    board = Board()

    def caught_up():
        with database.read() as cursor:
            board.catch_up(cursor)
        return board

    given(database, form="f1")
    assert [row.verdict for row in caught_up().standing("L1", AT)] == ["rejected"]
    given(database, form="f2", verdict="accepted", now=AT + 1)
    given(database, form="f3", who="other", now=AT + 2)
    assert [(r.who, r.verdict) for r in caught_up().standing("L1", AT)] == [
        ("rep", "accepted"),
        ("other", "rejected"),
    ]
    assert board.standing("L1", AT + DAY) == []  # handed over anew: nobody has judged since
    erase(database, ["L1"], Tombstones("salt"), scrub=str)
    assert caught_up().history("L1") == []
    assert board.newest(skip=0, most=9) == []


def test_an_invitation_can_be_renewed_and_voids_the_old_password(database):
    with database.write() as cursor:
        ann = invite(cursor, Person("a", "Ann", Role.REP), token="t1", now=AT)
        assert accept_invite(cursor, ann, hashed_password("secret words", "s"), token="t1")
        assert not accept_invite(cursor, ann, "other", token="t1")
        person, hashed = find(cursor, "ANN")
        assert (person, is_password("secret words", hashed)) == (ann, True)
        assert not is_password("secret word", hashed)
        again = invite(cursor, Person("new", " ann ", Role.ADMIN), token="t2", now=AT)
        assert (again.id, again.role) == ("a", Role.ADMIN)
        assert find(cursor, "Ann") is None
        assert invited(cursor, "t2", now=AT + 7 * DAY) == Person("a", "Ann", Role.ADMIN)
        assert invited(cursor, "t2", now=AT + 7 * DAY + 1) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "zero\u200bwidth", "bell\x07"])
def test_what_is_no_name_is_refused(database, name):
    with pytest.raises(UsageError, match="not a name"), database.write() as cursor:
        invite(cursor, Person("a", name, Role.REP), token="t", now=AT)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "review.db"
    with closing(SqliteDatabase(path, create=True)) as database:
        prepare(database, key="key")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE review_meta SET value = '2' WHERE name = 'version'")
            connection.commit()
        with pytest.raises(DataError, match="another version"):
            is_prepared(database)


def test_what_is_no_database_is_told_and_not_overwritten(tmp_path):
    path = tmp_path / "review.db"
    path.write_bytes(b"a letter, not a database" * 100)
    with closing(SqliteDatabase(path, create=True)) as database, pytest.raises(StoreError):
        prepare(database, key="key")
    assert path.read_bytes().startswith(b"a letter")


def test_a_server_that_cannot_be_reached_is_told_without_its_password():
    database = PostgresDatabase("postgresql://ann:hush@127.0.0.1:1/none")
    with pytest.raises(StoreError) as told, database.read():
        pass
    assert "hush" not in str(told.value)
    assert "nothing was saved" in str(told.value)
