"""SQL over the texts of one staged row, of which the mappings of exports are written.

Every function returns SQL for a text, null where there is none.
"""

from collections.abc import Mapping, Sequence

from mqlml.errors import ConfigError, Fault
from mqlml.sources.casting import FALSE_WORDS, TRUE_WORDS
from mqlml.tables.sql import literal, quoted

_WHOLE_NUMBER = literal(r"\d{1,18}")
_ADDRESS = r'[^@\s"<>,;\[\]{}]{1,256}@[^@\s"<>,;\[\]{}]{1,256}'
_WORD = r"[\pL\pN_. -]{1,100}"
_UTC = literal("%Y-%m-%dT%H:%M:%S.%fZ")


def json_text(column: str, *keys: str | int) -> str:
    """Return SQL for a value inside a column of JSON text, by keys and places in lists.

    Where the column holds no JSON, there is no value.
    """
    path = "$" + "".join(f"[{key}]" if isinstance(key, int) else f'."{key}"' for key in keys)
    return f"json_extract_string({json_of(quoted(column))}, {literal(path)})"


def json_of(text: str) -> str:
    """Return SQL for the text if it is JSON; on any other DuckDB's functions fail.

    >>> json_of("msg")
    'CASE WHEN json_valid(msg) THEN msg END'
    """
    return f"CASE WHEN json_valid({text}) THEN {text} END"


def path_text(path: str) -> str:
    """Return SQL for `column` or `column.key.key`, the way people name a value in a config.

    Raises ConfigError for a path with an empty part or a quote in it.

    >>> path_text("user_id"), path_text("params.crm_id") == json_text("params", "crm_id")
    ('"user_id"', True)
    """
    column, *keys = path.split(".")
    if '"' in path or not all([column, *keys]):
        mend = "name a column, or column.key for a value inside it"
        raise ConfigError(Fault("not a column of the export", path, mend=mend))
    return json_text(column, *keys) if keys else quoted(column)


def utc_time(text: str, *, per_second: int = 1) -> str:
    """Return SQL for an ISO time in UTC from a whole number of 1/`per_second` s since 1970.

    What is no such number stays as it is: an ISO time passes, anything else is
    refused later as no time.
    """
    micros = f"CAST({text} AS BIGINT) * {1_000_000 // per_second}"
    return (
        f"CASE WHEN regexp_full_match({text}, {_WHOLE_NUMBER})"
        f" THEN coalesce(TRY(strftime(make_timestamp({micros}), {_UTC})), {text}) ELSE {text} END"
    )


def is_true(text: str) -> str:
    """Return SQL that tells whether the text says yes, in whatever spelling; false for null.

    >>> import duckdb
    >>> words = ", ".join(map(is_true, ["' TRUE'", "'0'", "NULL"]))
    >>> duckdb.sql(f"SELECT {words}").fetchall()
    [(True, False, False)]
    """
    return f"coalesce(lower(trim({text})) IN ({', '.join(map(literal, TRUE_WORDS))}), false)"


def says_yes(column: str) -> str:
    """Return SQL that tells whether a column says yes."""
    return is_true(quoted(column))


def says_no(column: str) -> str:
    """Return SQL that tells whether a column says no; false where it says nothing."""
    words = ", ".join(map(literal, FALSE_WORDS))
    return f"coalesce(lower(trim({quoted(column)})) IN ({words}), false)"


def written(kind: str, text: str) -> str:
    """Return SQL for an id as all systems write it, `kind:value`.

    >>> written("email", "x")
    "'email:' || x"
    """
    return f"{literal(kind + ':')} || {text}"


def digest(*texts: str) -> str:
    """Return SQL for an id made of several texts, of which any may be null."""
    return f"substr(md5(CAST(to_json([{', '.join(texts)}]) AS VARCHAR)), 1, 20)"


def address(text: str) -> str:
    """Return SQL for the lower-case address in `text`, without a display name around it.

    >>> import duckdb
    >>> sql = address("'Ann <Ann@Example.com>'")
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [('ann@example.com',)]
    """
    bare = f"regexp_replace({text}, '^.*<([^<>]*)>[^<>]*$', '\\1')"
    return f"lower(trim({bare}))"


def is_no_address(text: str) -> str:
    """Return SQL that is true for a text that is no address, as a list of them or a name.

    >>> import duckdb
    >>> texts = ["'a@b'", "'ann+x@b.io'", "'[a@b.io]'", "'a@b.io, c@d.io'", "'ann'"]
    >>> sql = ", ".join(map(is_no_address, texts))
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [(False, False, True, True, True)]
    """
    return f"NOT regexp_full_match({text}, {literal(_ADDRESS)})"


def is_no_word(text: str) -> str:
    """Return SQL that is true for a text that is no plain name, such as a list or an object.

    >>> import duckdb
    >>> sql = ", ".join(map(is_no_word, ["'hard_bounce'", "'email.sent'", "'{a}'"]))
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [(False, False, True)]
    """
    return f"NOT regexp_full_match({text}, {literal(_WORD)})"


def without_query(url: str) -> str:
    """Return SQL for a URL up to its query and fragment."""
    return f"regexp_replace({url}, '[?#].*$', '')"


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return SQL for the canonical name of what a system calls `text`, else for `text` itself."""
    cases = " ".join(f"WHEN {literal(own)} THEN {literal(name)}" for own, name in names.items())
    return f"CASE {text} {cases} ELSE {text} END"


def canonical(texts: Sequence[str], names: Mapping[str, str]) -> str:
    """Return SQL for the name of the first text that has one, whatever its case, else the last.

    >>> import duckdb
    >>> sql = canonical(["'7'", "' Won'"], {"won": "customer"})
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [('customer',)]
    """
    cases = " ".join(f"WHEN {literal(own)} THEN {literal(name)}" for own, name in names.items())
    found = [f"CASE lower(trim({text})) {cases} END" for text in texts] if cases else []
    return f"coalesce({', '.join([*found, texts[-1]])})"


def each_of(columns: Mapping[str, str], *, has_empty: bool = False) -> str:
    """Return SQL for a list of names, each with its column's text: EACH_NAME and EACH_VALUE.

    Columns without a text are left out unless `has_empty`.
    """
    items = []
    for name, column in columns.items():
        text = f"nullif(trim({quoted(column)}), '')"
        pair = f"CAST(to_json({{'name': {literal(name)}, 'value': {text}}}) AS VARCHAR)"
        items.append(pair if has_empty else f"CASE WHEN {text} IS NOT NULL THEN {pair} END")
    return f"list_filter([{', '.join(items)}], lambda x: x IS NOT NULL)"


EACH_NAME, EACH_VALUE = json_text("each", "name"), json_text("each", "value")


def split(column: str) -> str:
    """Return SQL for the list of texts that `;` separates."""
    return f"string_split({quoted(column)}, ';')"
