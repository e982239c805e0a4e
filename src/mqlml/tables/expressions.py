"""Conditions that people write in the config: one SQL expression over one row.

Signals, gates, personas and points rules are such expressions. They are parsed
before they run, and only comparisons, arithmetic, CASE and a fixed list of pure
text and number functions pass: no expression can read a file, the clock or the
environment, which is what lets a bundle carry them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import duckdb
import pandas as pd

from mqlml.errors import ConfigError, Fault, nearest

_ALLOWED_CLASSES = frozenset(
    {
        "COLUMN_REF",
        "CONSTANT",
        "TYPE",
        "COMPARISON",
        "CONJUNCTION",
        "FUNCTION",
        "OPERATOR",
        "CASE",
        "CAST",
        "BETWEEN",
    }
)
# fmt: off
_ALLOWED_FUNCTIONS = frozenset({
    "abs", "ceil", "ceiling", "floor", "round", "greatest", "least", "sign", "sqrt", "ln", "log10",
    "log", "exp", "power", "pow", "isnan", "isfinite", "lower", "upper", "lcase", "ucase", "trim",
    "ltrim", "rtrim", "length", "len", "strlen", "contains", "starts_with", "prefix", "ends_with",
    "suffix", "regexp_matches", "regexp_full_match", "regexp_extract", "regexp_replace",
    "substring", "substr", "left", "right", "replace", "concat", "~~", "!~~", "~~*", "!~~*", "~~~",
    "like_escape", "not_like_escape", "ilike_escape", "not_ilike_escape", "+", "-", "*", "/", "//",
    "%", "**", "^", "||", "nullif", "ifnull", "coalesce", "strip_accents", "split_part",
})
# fmt: on
_OPENING = "SELECT ("


def sandbox() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection that cannot touch files, network or its own settings.

    All of them are doors to one database of the process, which holds nothing:
    what a connection registers is its own.
    """
    return _database().cursor()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")
    return connection


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Mapping[str, Any]:
    """Return DuckDB's syntax tree of an expression; it is shared, nobody changes it."""
    with sandbox() as connection:
        row = connection.execute(
            "SELECT json_serialize_sql(?::VARCHAR)", [f"{_OPENING}{text}\n)"]
        ).fetchall()[0]
    tree: dict[str, Any] = json.loads(row[0])
    return tree


def expression_faults(text: str, columns: Sequence[str], where: str) -> list[Fault]:
    """Return what is wrong with an expression over rows that have `columns`.

    >>> expression_faults("page = '/pricing' AND value > 3", ["page", "value"], "signals.x")
    []
    """
    tree = _parsed(text)
    if tree["error"]:
        said = str(tree.get("error_message", "no statement"))
        found = f"{said}{_place(text, tree.get('position'))} in {text!r}"
        return [Fault("not an SQL condition", where, found, "write one condition over one row")]
    statements = tree["statements"]
    selects = statements[0]["node"].get("select_list", []) if len(statements) == 1 else []
    if len(selects) != 1 or statements[0]["node"]["from_table"]["type"] != "EMPTY":
        mend = "write one condition over one row, without SELECT, FROM or ';'"
        return [Fault("not a single condition", where, repr(text), mend)]
    return list(_node_faults(selects[0], frozenset(columns), _Written(text, where)))


@dataclass(frozen=True)
class _Written:
    """An expression's text, and where it stands."""

    text: str
    where: str


def _place(text: str, offset: object) -> str:
    """Return where in `text` a byte of the statement lies that holds it, empty if it does not."""
    data = text.encode()
    start = int(str(offset)) - len(_OPENING) if offset is not None else -1
    if not 0 <= start <= len(data) + 1:
        return ""
    before = data[:start].decode(errors="ignore")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    if start >= len(data.rstrip()):
        return " at the end"
    return f" at line {line}, character {column}" if "\n" in text else f" at character {column}"


def _node_faults(node: Any, columns: frozenset[str], written: _Written) -> Iterator[Fault]:
    if isinstance(node, list):
        for child in node:
            yield from _node_faults(child, columns, written)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("class")
    if kind is not None:
        yield from _class_faults(node, kind, columns, written)
        if kind == "CONSTANT":
            return
    for child in node.values():
        yield from _node_faults(child, columns, written)


def _class_faults(
    node: dict[str, Any], kind: str, columns: frozenset[str], written: _Written
) -> Iterator[Fault]:
    where, place = written.where, _place(written.text, node.get("query_location"))
    if kind not in _ALLOWED_CLASSES:
        mend = "use comparisons, AND/OR/NOT, IN, CASE and plain functions only"
        yield Fault("this SQL construct is not allowed here", where, f"{kind.lower()}{place}", mend)
    elif kind == "COLUMN_REF":
        name = ".".join(node["column_names"])
        if name not in columns:
            found = f"{name!r}{place}"
            yield Fault("unknown column", where, found, nearest(name, sorted(columns)))
    elif kind == "FUNCTION" and node["function_name"].lower() not in _ALLOWED_FUNCTIONS:
        name = node["function_name"]
        mend = "conditions may use pure text and number functions only"
        yield Fault("function is not allowed", where, f"{name}{place}", mend)


def check_expressions(texts: Mapping[str, str], columns: Sequence[str]) -> None:
    """Raise one ConfigError with every fault of the expressions, keyed by where they stand."""
    faults = [f for where, text in texts.items() for f in expression_faults(text, columns, where)]
    if faults:
        raise ConfigError(*faults)


def evaluate(frame: pd.DataFrame, texts: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame of booleans, one column per expression, in `frame`'s row order.

    A condition that is null for a row (a missing value) does not hold for it.
    Comparing text with a number fails with a ConfigError that names the rule.
    """
    check_expressions(texts, list(frame.columns))
    read = sorted({name for text in texts.values() for name in columns_of(text)})
    rows = frame[read].reset_index(drop=True).assign(__row=0)
    with sandbox() as connection:
        connection.register("rows", rows)
        results = {name: _evaluate_one(connection, name, text) for name, text in texts.items()}
    return pd.DataFrame(results, index=frame.index)


def _evaluate_one(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> Any:
    # One thread and no sorting: the rows come back in the frame's order.
    query = f"SELECT coalesce(CAST(({text}\n) AS BOOLEAN), false) AS x FROM rows"
    try:
        return connection.execute(query).fetchnumpy()["x"].astype(bool)
    except duckdb.Error as error:
        found = str(error).split("\n")[0]
        mend = "compare text with text and numbers with numbers"
        raise ConfigError(Fault("condition cannot be evaluated", name, found, mend)) from error


@lru_cache(maxsize=4096)
def columns_of(text: str) -> tuple[str, ...]:
    """Return the sorted names of the columns that an expression reads.

    >>> columns_of("page = '/pricing' AND value > 3 AND value < 9")
    ('page', 'value')
    """
    return tuple(sorted(set(_column_names(_parsed(text)))))


def _column_names(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for child in node:
            yield from _column_names(child)
    elif isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield ".".join(node["column_names"])
        for child in node.values():
            yield from _column_names(child)
