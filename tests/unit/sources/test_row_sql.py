"""What the SQL of mappings says of texts: which are addresses, which are names of types."""

import duckdb
import pytest

from mqlml.sources.row_sql import is_no_address, is_no_word


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        *(("ann@example.com", False), ("a+b@x", False), ("ä@ü.io", False), (None, None)),
        *(("ann", True), ("@x.io", True), ("ann@", True), ("a@b@c", True), ("a b@c.io", True)),
        *(("a@b.io,c@d.io", True), ('["a@b.io"]', True), ('{"a": "b@c"}', True), ("", True)),
        *(("<a@b.io>", True), ("a@" + "b" * 257, True), ("a@b.io\n", True)),
    ],
)
def test_an_address_is_one_name_at_one_place(text, is_refused):
    with duckdb.connect() as connection:
        sql = f"SELECT {is_no_address('x')} FROM (SELECT ?::VARCHAR AS x)"
        assert connection.execute(sql, [text]).fetchone() == (is_refused,)


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        *(("open", False), ("email.sent", False), ("hard_bounce", False), ("Öffnung", False)),
        *(('["open"]', True), ("{}", True), ("", True), ("x" * 101, True), ("a\nb", True)),
        *((None, None), ("=cmd()", True)),
    ],
)
def test_a_type_is_a_short_name_of_letters_and_digits(text, is_refused):
    with duckdb.connect() as connection:
        sql = f"SELECT {is_no_word('x')} FROM (SELECT ?::VARCHAR AS x)"
        assert connection.execute(sql, [text]).fetchone() == (is_refused,)
