"""What all tables of Salesforce share: ids of records, deleted ones, and versions."""

from mqlml.sources.row_sql import says_no, says_yes
from mqlml.tables.sql import literal, quoted

_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

# A deleted record, or an old version of one where the connector keeps them all.
GONE_COLUMNS = ("is_deleted", "_fivetran_active")
GONE = f"({says_yes('is_deleted')} OR {says_no('_fivetran_active')})"
DELETED = says_yes("is_deleted")


def record_id(text: str) -> str:
    """Return SQL for an id in its long form of 18 characters.

    The short form of 15 tells case apart; the long one adds a sign for every five
    characters that says which of them are capitals.

    >>> import duckdb
    >>> sql = record_id("'00Q1G00000nDnM5'")
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [('00Q1G00000nDnM5UAK',)]
    """
    signs = " || ".join(_sign(text, 5 * block) for block in range(3))
    is_short = f"regexp_full_match({text}, '[0-9A-Za-z]{{15}}')"
    return f"CASE WHEN {is_short} THEN {text} || {signs} ELSE {text} END"


def record(column: str) -> str:
    """Return SQL for the id in a column, in its long form."""
    return record_id(quoted(column))


def _sign(text: str, start: int) -> str:
    bits = " + ".join(
        f"CASE WHEN substr({text}, {start + n + 1}, 1) BETWEEN 'A' AND 'Z' THEN {2**n} ELSE 0 END"
        for n in range(5)
    )
    return f"substr({literal(_SIGNS)}, 1 + {bits}, 1)"
