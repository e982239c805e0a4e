import pandas as pd
import pytest

from mqlml.errors import ConfigError
from mqlml.tables.expressions import check_expressions, evaluate, expression_faults

COLUMNS = ["page", "value", "job title"]


@pytest.mark.parametrize(
    "text",
    [
        "page = '/pricing' AND value > 3",
        "page IN ('a', 'b') OR value BETWEEN 1 AND 2",
        "\"job title\" ILIKE '%vp%'",
        "NOT (value >= 3 OR page IS NULL)",
        "regexp_matches(page, '^/p') -- a remark",
        "CASE WHEN value > 1 THEN true ELSE false END",
        "value::INTEGER % 2 = 0",
        "coalesce(page, '') = ''",
    ],
)
def test_a_condition_over_one_row_is_accepted(text):
    assert expression_faults(text, COLUMNS, "x") == []


@pytest.mark.parametrize(
    ("text", "what", "found"),
    [
        ("pag = 'x'", "unknown column", "'pag'"),
        ("read_text('/etc/passwd') = 'x'", "function is not allowed", "read_text"),
        ("getenv('HOME') = 'x'", "function is not allowed", "getenv"),
        ("now() > '2020-01-01'", "function is not allowed", "now"),
        ("random() > 0.5", "function is not allowed", "random"),
        ("(SELECT 1) = 1", "this SQL construct is not allowed here", "subquery"),
        ("row_number() OVER () = 1", "this SQL construct is not allowed here", "window"),
        ("value > $1", "this SQL construct is not allowed here", "parameter"),
    ],
)
def test_anything_beyond_a_pure_condition_is_refused_by_name(text, what, found):
    (fault, *_) = expression_faults(text, COLUMNS, "signals.x")
    assert (fault.where, fault.what) == ("signals.x", what)
    assert fault.found.startswith(found)


def test_a_misspelt_column_is_answered_with_the_nearest():
    (fault,) = expression_faults("pag = 'x'", COLUMNS, "signals.x")
    assert fault.mend == "did you mean 'page'?"


@pytest.mark.parametrize(
    "text", ["page = ", "1=1) FROM read_csv('/etc/passwd') --", "true; DROP TABLE rows"]
)
def test_what_is_not_one_condition_is_refused_with_its_text(text):
    (fault,) = expression_faults(text, COLUMNS, "x")
    assert fault.what.startswith("not a")
    assert repr(text) in fault.found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("page = 'é🚀' AN value = 1", 'syntax error at or near "AN" at character 13 in'),
        ("page =", 'syntax error at or near ")" at the end in'),
        ("page = 'x'\n  AND value = = 1", 'syntax error at or near "=" at line 2, character 15 in'),
        ("page = '🚀' AND pge = 'x'", "'pge' at character 16"),
        ("value > 1 AND\nread_csv('x') = 1", "read_csv at line 2, character 1"),
        ("value > 1 AND (COPY rows TO 'x')", 'syntax error at or near "rows" at character 21 in'),
        ("value > 1 AND (SELECT 1) = 1", "subquery at character 15"),
    ],
)
def test_a_fault_says_where_in_the_condition_it_lies(text, found):
    (fault, *_) = expression_faults(text, COLUMNS, "signals.x")
    assert fault.found.startswith(found)


def test_an_empty_expression_is_refused():
    assert expression_faults("", COLUMNS, "x") != []


def test_two_columns_in_one_expression_are_refused():
    (fault,) = expression_faults("page = 'a'), (value = 1", COLUMNS, "x")
    assert fault.what == "not a single condition"


def test_all_faulty_expressions_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        check_expressions({"a": "pag = 'x'", "b": "valu = 1", "c": "value = 1"}, COLUMNS)
    assert [fault.where for fault in caught.value.faults] == ["a", "b"]


def test_conditions_are_evaluated_row_by_row_and_null_does_not_hold():
    frame = pd.DataFrame({"page": ["/a", None, "/a"], "value": [1.0, 2.0, None]}, index=[7, 3, 5])
    held = evaluate(frame, {"on a": "page = '/a'", "large": "value > 1"})
    assert held.index.tolist() == [7, 3, 5]
    assert held["on a"].tolist() == [True, False, True]
    assert held["large"].tolist() == [False, True, False]


def test_comparing_text_with_a_number_names_the_rule():
    frame = pd.DataFrame({"page": ["abc"]})
    with pytest.raises(ConfigError) as caught:
        evaluate(frame, {"gate": "page > 3"})
    assert caught.value.faults[0].where == "gate"


def test_no_rows_give_no_answers():
    frame = pd.DataFrame({"value": pd.Series(dtype="float64")})
    assert evaluate(frame, {"large": "value > 1"}).shape == (0, 1)
