import sys
import threading

import pandas as pd
import psycopg
import pytest

from mqlml.errors import DataError, MissingExtraError
from mqlml.storage.postgres import delete_scores, upsert_scores, without_password


def frame(**columns):
    rows = len(columns["lead_id"])
    moment = pd.to_datetime(["2026-03-02"] * rows, utc=True).as_unit("us")
    return pd.DataFrame({"lead_id": columns.pop("lead_id"), "as_of": moment, **columns})


def rows_of(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_scores_are_added_and_repeated_ones_replaced(postgres_url):
    first = frame(lead_id=["a", "b"], score=[1.0, None], grade=["A1", None])
    assert upsert_scores(postgres_url, "scores", first) == 2
    upsert_scores(postgres_url, "scores", frame(lead_id=["b", "c"], score=[5.0, 6.0]))
    assert rows_of(
        postgres_url, "SELECT lead_id, as_of::text, score, grade FROM scores ORDER BY 1"
    ) == [
        ("a", rows_of(postgres_url, "SELECT min(as_of)::text FROM scores")[0][0], 1.0, "A1"),
        ("b", rows_of(postgres_url, "SELECT min(as_of)::text FROM scores")[0][0], 5.0, None),
        ("c", rows_of(postgres_url, "SELECT min(as_of)::text FROM scores")[0][0], 6.0, None),
    ]


def test_columns_keep_their_kind_and_the_key_is_declared(postgres_url):
    upsert_scores(
        postgres_url, "s", frame(lead_id=["a"], n=[1], ok=[True], score=[0.5], note=["\u2603\t\n"])
    )
    kinds = rows_of(
        postgres_url,
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 's' ORDER BY ordinal_position",
    )
    assert kinds == [
        ("lead_id", "text"),
        ("as_of", "timestamp with time zone"),
        ("n", "bigint"),
        ("ok", "boolean"),
        ("score", "double precision"),
        ("note", "text"),
    ]
    assert rows_of(postgres_url, "SELECT note, ok FROM s") == [("\u2603\t\n", True)]


def test_a_table_and_columns_with_hostile_names_are_only_names(postgres_url):
    table = 'a"; DROP TABLE x; --'
    upsert_scores(postgres_url, table, frame(lead_id=["a"], **{'"x" %s {}': [1.0]}))
    assert rows_of(postgres_url, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'a\"%'") == [
        (1,)
    ]


def test_a_table_may_live_in_a_schema(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA crm")
    upsert_scores(postgres_url, "crm.scores", frame(lead_id=["a"]))
    assert rows_of(postgres_url, "SELECT count(*) FROM crm.scores") == [(1,)]
    upsert_scores(postgres_url, "crm.scores", frame(lead_id=["a"]))
    assert rows_of(postgres_url, "SELECT count(*) FROM crm.scores") == [(1,)]


def test_a_missing_schema_is_a_clear_error(postgres_url):
    with pytest.raises(DataError, match="create the schema first"):
        upsert_scores(postgres_url, "nowhere.scores", frame(lead_id=["a"]))


def test_two_jobs_that_make_the_same_table_both_succeed(postgres_url):
    failures = []

    def write(lead):
        try:
            upsert_scores(postgres_url, "scores", frame(lead_id=[lead], score=[1.0]))
        except DataError as error:
            failures.append(error)

    jobs = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert failures == []
    assert rows_of(postgres_url, "SELECT count(*) FROM scores") == [(4,)]


def test_a_table_that_lacks_a_column_is_named_and_nothing_is_written(postgres_url):
    upsert_scores(postgres_url, "scores", frame(lead_id=["a"]))
    with pytest.raises(DataError, match="add the column"):
        upsert_scores(postgres_url, "scores", frame(lead_id=["b"], score=[1.0]))
    assert rows_of(postgres_url, "SELECT lead_id FROM scores") == [("a",)]


def test_a_refused_value_is_not_quoted(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE TABLE s (lead_id int, as_of timestamptz, PRIMARY KEY (1, 2))".replace(
                "(1, 2)", "(lead_id, as_of)"
            )
        )
    with pytest.raises(DataError) as caught:
        upsert_scores(postgres_url, "s", frame(lead_id=["ann@example.com"]))
    assert "refuses" in str(caught.value)


def test_repeated_keys_are_refused_before_the_server_is_asked():
    with pytest.raises(DataError, match="1 repeated rows"):
        upsert_scores("postgresql://nowhere", "scores", frame(lead_id=["a", "a"]))


def test_a_server_that_does_not_answer_is_named_without_the_password():
    with pytest.raises(DataError) as caught:
        upsert_scores("postgresql://ann:s3cret@127.0.0.1:1/crm", "scores", frame(lead_id=["a"]))
    assert "cannot be reached" in str(caught.value)
    assert "ann:***@127.0.0.1:1/crm" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:p%40ss@db:5432/crm?x=1", "postgresql://ann:***@db:5432/crm?x=1"),
        ("postgresql://ann@db/crm", "postgresql://ann@db/crm"),
        ("postgresql://db/crm?user=ann&password=p", "postgresql://db/crm?user=ann&password=***"),
        ("host=db password='p w' user=ann", "host=db password=*** user=ann"),
    ],
)
def test_no_address_is_shown_with_its_password(url, shown):
    assert without_password(url) == shown


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"mqlml\[postgres\]"):
        upsert_scores("postgresql://db", "scores", frame(lead_id=["a"]))


def test_the_scores_of_some_leads_are_deleted_and_no_others(postgres_url):
    upsert_scores(postgres_url, "public.erasable", frame(lead_id=["a", "b", "c"], score=[1, 2, 3]))
    assert delete_scores(postgres_url, "public.erasable", ["a", "c", "nobody"]) == 2
    assert rows_of(postgres_url, "SELECT lead_id FROM erasable") == [("b",)]


def test_there_is_nothing_to_delete_where_there_is_no_table(postgres_url):
    assert delete_scores(postgres_url, "never_made", ["a"]) == 0


def test_deleting_from_a_server_that_is_not_there_is_a_data_error():
    with pytest.raises(DataError, match="cannot be reached"):
        delete_scores("postgresql://x@localhost:1/none", "t", ["a"])
