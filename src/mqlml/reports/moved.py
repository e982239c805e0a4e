"""The table of who enters and who leaves the MQL list when a model takes another's place."""

import pandas as pd

from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import percent, short

_SHOWN = 20


def moved_table(moved: pd.DataFrame) -> Table:
    """Return the table of a frame of lead_id, way, before, after, why; the first twenty rows."""
    rows = tuple(
        cells(
            short(str(row["lead_id"]), 40),
            Cell(row["way"], tone="good" if row["way"] == "enters" else ""),
            percent(row["before"]),
            percent(row["after"]),
            short(row["why"], 200),
        )
        for row in records(moved.head(_SHOWN))
    )
    heads = (
        text_head("Lead"),
        text_head("MQL list"),
        Head("Before"),
        Head("After"),
        text_head("What weighs differently"),
    )
    entering = int((moved["way"] == "enters").sum())
    note = (
        f"Of the leads of the latest four weeks {entering:,} enter and "
        f"{len(moved) - entering:,} leave; the largest changes are shown."
    )
    return Table("Who enters and who leaves the MQL list", heads, rows, note=note)
