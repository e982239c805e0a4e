"""How the probability moves with one column: a picture with the leads that have each value."""

from typing import Any

import pandas as pd

from mqlml.reports.pictures import (
    Box,
    Dot,
    Frame,
    Key,
    Line,
    Mark,
    Picture,
    Scale,
    Words,
    curve,
    rungs,
    whisker,
)
from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import capital, count, counted, percent, percent_range, short

_WIDTH, _HEIGHT = 400, 300
_X = (46, 380)
_Y = (216, 26)
_BARS = (262, 234)
_LONGEST = 7


def dependence_pictures(dependence: pd.DataFrame) -> tuple[Picture, ...]:
    """Return a picture per column, in order.

    `dependence` is `partial_dependence` with the columns `sentence`, `axis` and `family`.
    """
    if dependence.empty:
        return ()
    return tuple(_picture(records(frame)) for _, frame in dependence.groupby("column", sort=False))


def _picture(rows: list[dict[str, Any]]) -> Picture:
    first = rows[0]
    top = max(float(row["high"]) for row in rows) * 1.05 or 1.0
    x, y = Scale(-0.5, len(rows) - 0.5, *_X), Scale(0, min(top, 1.0), *_Y)
    area = Frame(x, y, tuple(rungs(x, y)))
    marks: list[Mark] = [*_shades(area, rows), *area.marks, *_bars(area, rows)]
    for place, row in enumerate(rows):
        marks += whisker("third", area, place, (float(row["low"]), float(row["high"])))
        marks.append(Dot("main", x.at(place), y.at(float(row["mean"]))))
    numbers = [i for i, row in enumerate(rows) if row["value"] != "missing"]
    if str(first["dtype"]) == "number":
        marks.append(curve("main", area, numbers, [float(rows[i]["mean"]) for i in numbers]))
    marks.append(Words("title", _X[0], _Y[1] - 12, "mean probability"))
    marks += [Line("axis", _X[0], _Y[0], _X[1], _Y[0])]
    return Picture(
        caption=f"{capital(short(first['sentence'], 80))} ({first['axis']}, {first['family']})",
        label=_label(rows),
        width=_WIDTH,
        height=_HEIGHT,
        marks=tuple(marks),
        table=_table(rows),
        keys=(
            Key("main", "mean over leads, all else as it is", is_dot=True),
            Key("third whisker", "four fifths of single leads"),
        ),
    )


def _shades(area: Frame, rows: list[dict[str, Any]]) -> list[Mark]:
    """Return the grey behind values that too few leads have."""
    width = round((_X[1] - _X[0]) / len(rows), 1)
    places = [i for i, row in enumerate(rows) if not row["is_supported"]]
    return [
        Box("shade", round(area.x.at(i) - width / 2, 1), _Y[1], width, _Y[0] - _Y[1])
        for i in places
    ]


def _bars(area: Frame, rows: list[dict[str, Any]]) -> list[Mark]:
    """Return a bar per value for how many leads have it, with the value below."""
    most = max(int(row["rows"]) for row in rows) or 1
    width = round(0.6 * (_X[1] - _X[0]) / len(rows), 1)
    marks: list[Mark] = []
    for place, row in enumerate(rows):
        tall = round((_BARS[0] - _BARS[1]) * int(row["rows"]) / most, 1)
        left = round(area.x.at(place) - width / 2, 1)
        marks.append(Box("support", left, _BARS[0] - tall, width, tall))
        marks.append(Words("tick", area.x.at(place), _BARS[0] + 16, _brief(row["value"]), "middle"))
    return marks


def _brief(value: object) -> str:
    text = "none" if value == "missing" else short(value, 40)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _label(rows: list[dict[str, Any]]) -> str:
    """Return what the picture shows in a sentence: between which values the mean moves."""
    known = [row for row in rows if row["is_supported"]]
    if len(known) < 2:
        return "Too few leads have each value to say how the probability moves."
    low = min(known, key=lambda row: float(row["mean"]))
    high = max(known, key=lambda row: float(row["mean"]))
    grey = len(rows) - len(known)
    more = f" Grey: {counted(grey, 'value', 'values')} that too few leads have." if grey else ""
    return (
        f"The mean probability moves between {percent(low['mean'])} (at {short(low['value'])}) "
        f"and {percent(high['mean'])} (at {short(high['value'])}).{more}"
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    body = tuple(
        cells(
            short(row["value"]),
            percent(row["mean"]),
            percent_range(row["low"], row["high"]),
            count(row["rows"]),
            Cell("yes" if row["is_supported"] else "no: a guess"),
        )
        for row in rows
    )
    heads = (
        text_head("Value"),
        Head("Mean probability"),
        Head("Four fifths of leads"),
        Head("Leads with about this value"),
        text_head("Enough leads"),
    )
    return Table(f"Probability by {short(rows[0]['sentence'], 80)}", heads, body)
