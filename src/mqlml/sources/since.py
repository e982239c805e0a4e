"""Which rows of a table an increment reads."""

from dataclasses import dataclass

from mqlml.tables.sql import literal, quoted


@dataclass(frozen=True)
class Since:
    """Rows whose `column` is at or after `value`, or empty; what an increment reads."""

    column: str
    value: str


def since_sql(since: Since) -> str:
    """Return SQL for the rows of an increment; the database reads the value as the column's type.

    >>> print(since_sql(Since("at", "2026-01-01")))
    ("at" >= '2026-01-01' OR "at" IS NULL)
    """
    column = quoted(since.column)
    return f"({column} >= {literal(since.value)} OR {column} IS NULL)"
