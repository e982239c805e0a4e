"""Event types of exports that are no canonical ones: kept, counted and said."""

from collections.abc import Sequence

import duckdb

from mqlml.sources.casting import words
from mqlml.sources.settings import shape_of
from mqlml.sources.typed import TypedFile
from mqlml.tables.ingested import Note
from mqlml.tables.vocabulary import EVENT_TYPES

_NAMED = 20


def unknown_types(connection: duckdb.DuckDBPyConnection, files: Sequence[TypedFile]) -> list[Note]:
    """Return a note per type outside the vocabulary among the kept events of exports.

    The most frequent types are named, the rest is counted together.
    """
    numbers = [str(one.plan.number) for one in files if shape_of(one.plan.source)]
    if not numbers:
        return []
    rows = connection.execute(
        f"""
        SELECT source, type, count(*) FROM events_kept
        WHERE __file IN ({", ".join(numbers)}) AND type NOT IN ({words(EVENT_TYPES)})
        GROUP BY ALL ORDER BY count(*) DESC, source, type
        """
    ).fetchall()
    what = "no canonical event type, kept under its own name"
    notes = [
        Note("events", source or "", "type", f"{kind[:60]!r} is {what}", count)
        for source, kind, count in rows[:_NAMED]
    ]
    if rest := rows[_NAMED:]:
        what = f"{len(rest)} further types are no canonical ones, kept under their own names"
        notes.append(Note("events", "", "type", what, sum(count for _, _, count in rest)))
    return notes
