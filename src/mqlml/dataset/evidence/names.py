"""Columns whose name says that they are written over, or judged, after the fact.

Figures cannot tell "Last Activity", which the sales process keeps writing, from
an equally strong honest column. A flat export holds such a column as it was on
the day of the export, so its name, together with figures that show it matters,
is evidence. English words only.
"""

import re
from dataclasses import dataclass

CLOSING = frozenset(
    {"close", "closed", "closing", "won", "lost", "converted", "disposition", "outcome"}
)
OVERWRITTEN = frozenset({"last", "latest", "modified", "updated", "status", "stage"})
JUDGED = frozenset(
    {"tag", "tags", "quality", "rating", "score", "grade", "verdict", "qualified", "qualification"}
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class LaterName:
    """What a name says in words, and the ROC-AUC from which on the column is taken at its word."""

    says: str
    from_auc: float


# What names the end itself needs to matter only at all; other names have honest bearers.
_MEANINGS = (
    (CLOSING, "names the end of a lead", 0.50),
    (OVERWRITTEN, "names a state that is written over", 0.56),
    (JUDGED, "names somebody's later judgement", 0.56),
)


def later_name(column: str) -> LaterName | None:
    """Return what a column's name says of a later time, or None if it says nothing.

    >>> later_name("Last Notable Activity").says
    "'last' names a state that is written over"
    >>> later_name("industry") is None
    True
    """
    words = name_words(column)
    for vocabulary, meaning, from_auc in _MEANINGS:
        for word in words:
            if word in vocabulary:
                return LaterName(f"'{word}' {meaning}", from_auc)
    return None


def name_words(column: str) -> list[str]:
    """Return the words of a column's name, in lower case.

    >>> name_words("closeDate_UTC")
    ['close', 'date', 'utc']
    """
    return [word.lower() for word in _WORDS.findall(column)]
