"""The quarantine: rows that break a contract, kept whole, each with its reason and remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

# `raw` is the source row as a JSON object, or the text of a line that is no row.
QUARANTINE_COLUMNS = ("table", "file", "line", "column", "reason", "remedy", "raw")


@dataclass(frozen=True)
class Check:
    """One way a row can break its contract; `broken` is SQL that is true where it does."""

    column: str
    reason: str
    remedy: str
    broken: str


# Code 0 is a sound row; code 1 a line that is no row, whose reason comes with it.
NOT_A_ROW = Check("", "not a row", "repair the line in the source file", "__broken IS NOT NULL")


def fault_code(checks: Sequence[Check]) -> str:
    """Return SQL for the number (from 1) of the first check a row breaks; 0 for a sound row.

    >>> fault_code([Check("x", "missing", "fill it", "x IS NULL")])
    'CASE WHEN x IS NULL THEN 1 ELSE 0 END'
    """
    cases = " ".join(f"WHEN {c.broken} THEN {n}" for n, c in enumerate(checks, start=1))
    return f"CASE {cases} ELSE 0 END"
