"""The picture of weeks: what the model expected, what came true, who was champion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
from mqlml.reports.tables import Head, Table, cells, records, text_head
from mqlml.reports.words import count, counted, day, percent, percent_range, short

_WIDTH, _HEIGHT = 760, 280
_X = (46, 745)
_Y = (232, 34)
_DATES = 6


@dataclass(frozen=True)
class Champion:
    """From when (microseconds UTC) a model version was champion."""

    at: int
    version: str


def weekly_picture(weekly: pd.DataFrame, champions: Sequence[Champion]) -> Picture:
    """Return expected and observed conversion rate by week of the leads' points.

    `weekly` holds week (microseconds UTC), leads, expected, observed, low, high,
    sorted by week; observed is NaN where outcomes are not mature.
    """
    weeks = [float(week) for week in weekly["week"]]
    top = weekly[["expected", "observed", "high"]].max().max()
    top = float(top) * 1.05 if top > 0 else 1.0
    x, y = Scale(weeks[0], weeks[-1], _X[0] + 10, _X[1] - 10), Scale(0, min(1.0, top), *_Y)
    area = Frame(x, y, ())
    marks = [Words("title", _X[0], _Y[1] - 18, "conversion rate, by week"), *_young(area, weekly)]
    marks += rungs(Scale(0, 1, *_X), y)
    marks += _dates(area, weeks)
    marks += _champions(area, champions)
    marks.append(curve("second", area, weeks, [float(v) for v in weekly["expected"]]))
    for row in records(weekly):
        if math.isfinite(row["observed"]):
            marks += whisker("main", area, row["week"], (row["low"], row["high"]))
            marks.append(Dot("main", x.at(row["week"]), y.at(row["observed"])))
    return Picture(
        caption="Expected and come true",
        label=_words(weekly, champions),
        width=_WIDTH,
        height=_HEIGHT,
        marks=tuple(marks),
        table=_table(weekly),
        keys=(
            Key("main", "came true, with 95 % interval", is_dot=True),
            Key("second", "expected by the champion of the time"),
            *([Key("axis", "a new champion")] if champions else []),
        ),
        is_wide=True,
    )


def _young(area: Frame, weekly: pd.DataFrame) -> list[Mark]:
    """Shade the last weeks, whose outcomes are not known yet."""
    known = weekly.loc[weekly["observed"].notna(), "week"]
    after = weekly.loc[weekly["week"] > known.max(), "week"] if len(known) else weekly["week"]
    if after.empty:
        return []
    start = area.x.at(float(after.min())) - 8
    width = round(_X[1] - start, 1)
    shade = Box("shade", start, _Y[1], width, _Y[0] - _Y[1])
    return [shade, Words("tick", _X[1] - 4, _Y[1] + 14, "not yet known", "end")]


def _dates(area: Frame, weeks: Sequence[float]) -> list[Mark]:
    marks: list[Mark] = [Line("axis", _X[0], _Y[0], _X[1], _Y[0])]
    step = max(1, math.ceil(len(weeks) / _DATES))
    for week in weeks[::step]:
        place = min(max(area.x.at(week), _X[0] + 30), _X[1] - 30)
        marks.append(Words("tick", place, _Y[0] + 18, day(week)[:10], "middle"))
    return marks


def _champions(area: Frame, champions: Sequence[Champion]) -> list[Mark]:
    marks: list[Mark] = []
    for champion in champions:
        if area.x.low <= champion.at <= area.x.high:
            place = area.x.at(champion.at)
            marks.append(Line("axis", place, _Y[0], place, _Y[1] - 2))
            words = f"version {short(champion.version, 12)}"
            is_late = place > _X[1] - 80
            anchor, shift = ("end", -4) if is_late else ("start", 4)
            marks.append(Words("title", place + shift, _Y[1] - 2, words, anchor))
    return marks


def _words(weekly: pd.DataFrame, champions: Sequence[Champion]) -> str:
    mature = weekly[weekly["observed"].notna()]
    if mature.empty:
        return "No week's outcomes are known yet."
    outside = ~mature["expected"].between(mature["low"], mature["high"])
    first, last = weekly["week"].iloc[0], weekly["week"].iloc[-1]
    inside = [one for one in champions if first <= one.at <= last]
    changes = counted(len(inside), "new champion", "new champions")
    weeks = counted(len(mature), "week", "weeks")
    return (
        f"In {int(outside.sum())} of {weeks} with known outcomes the expected rate lies "
        f"outside the 95 % interval of what came true; {changes} in this time."
    )


def _table(weekly: pd.DataFrame) -> Table:
    rows = tuple(
        cells(
            day(row["week"])[:10],
            count(row["leads"]),
            percent(row["expected"]),
            percent(row["observed"]),
            percent_range(row["low"], row["high"]),
        )
        for row in records(weekly)
    )
    heads = (
        text_head("Week from"),
        Head("Leads"),
        Head("Expected"),
        Head("Came true"),
        Head("95 % interval"),
    )
    return Table("Expected and observed conversion rate by week", heads, rows)
