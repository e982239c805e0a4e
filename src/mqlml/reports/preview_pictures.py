"""The pictures of a preview: leads a week, and precision by persona, old beside new."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mqlml.reports.pictures import (
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
    ticks,
)
from mqlml.reports.tables import Head, Table, cells, records, text_head
from mqlml.reports.words import capital, count, day, percent, percent_range, short

_WIDTH, _HEIGHT = 760, 260
_X = (46, 745)
_Y = (212, 34)
_DATES = 6
_NARROW = 400
_ROW_HEIGHT, _TOP = 52, 30
_SIDES = (("old", "second", -7.0), ("new", "main", 7.0))


@dataclass(frozen=True)
class SideNames:
    """What both versions are called in keys and heads."""

    old: str
    new: str

    def of(self, side: str) -> str:
        """Return the name of a side, "old" or "new"."""
        return self.old if side == "old" else self.new


def volume_picture(by_week: pd.DataFrame, names: SideNames, capacity: float | None) -> Picture:
    """Return new leads for sales per week under both versions, with the new one's capacity.

    `by_week` holds week (microseconds UTC), old, new, oldest first.
    """
    weeks = [float(week) for week in by_week["week"]]
    most = max(1.0, float(by_week[["old", "new"]].max().max()), capacity or 0.0)
    x = Scale(weeks[0], weeks[-1], _X[0] + 10, _X[1] - 10)
    y = Scale(0, most * 1.08, *_Y)
    area = Frame(x, y, ())
    marks: list[Mark] = [Words("title", _X[0], _Y[1] - 18, "new leads for sales, by week")]
    marks += rungs(Scale(0, 1, *_X), y, words=count)
    marks.append(Line("axis", _X[0], _Y[0], _X[1], _Y[0]))
    for week in weeks[:: max(1, math.ceil(len(weeks) / _DATES))]:
        place = min(max(x.at(week), _X[0] + 30), _X[1] - 30)
        marks.append(Words("tick", place, _Y[0] + 18, day(week)[:10], "middle"))
    if capacity is not None:
        marks.append(Line("ideal", _X[0], y.at(capacity), _X[1], y.at(capacity)))
    for side, kind, _ in _SIDES:
        values = [float(v) for v in by_week[side]]
        marks.append(curve(kind, area, weeks, values))
        marks += [Dot(kind, x.at(w), y.at(v), 2.5) for w, v in zip(weeks, values, strict=True)]
    keys = [Key(kind, names.of(side)) for side, kind, _ in _SIDES]
    keys += [Key("ideal", "capacity of the new version")] if capacity is not None else []
    return Picture(
        caption="How many leads a week",
        label=_volume_words(by_week, names),
        width=_WIDTH,
        height=_HEIGHT,
        marks=tuple(marks),
        table=_volume_table(by_week, names),
        keys=tuple(keys),
        is_wide=True,
    )


def _volume_words(by_week: pd.DataFrame, names: SideNames) -> str:
    old, new = (
        f"between {count(int(by_week[side].min()))} and {count(int(by_week[side].max()))}"
        for side in ("old", "new")
    )
    return f"{capital(names.new)} gives sales {new} new leads a week, {names.old} {old}."


def _volume_table(by_week: pd.DataFrame, names: SideNames) -> Table:
    rows = tuple(
        cells(day(row["week"])[:10], count(row["old"]), count(row["new"]))
        for row in records(by_week)
    )
    heads = (text_head("Week from"), Head(names.old), Head(names.new))
    return Table("New leads for sales by week", heads, rows)


def precision_picture(groups: pd.DataFrame, names: SideNames) -> Picture:
    """Return the share that converted, with its interval, for everybody and every persona.

    `groups` holds segment and, for old and new, leads, precision, low, high.
    """
    rows = records(groups)
    top = max(
        [0.05, *(float(row[f"{s}_high"]) for row in rows for s in ("old", "new") if _is(row, s))]
    )
    x = Scale(0, min(1.0, top * 1.05), 14, _NARROW - 20)
    foot = _TOP + _ROW_HEIGHT * len(rows)
    marks: list[Mark] = []
    for value in ticks(x.low, x.high, about=4):
        marks.append(Line("grid", x.at(value), _TOP, x.at(value), foot))
        marks.append(Words("tick", x.at(value), foot + 16, percent(value), "middle"))
    for number, row in enumerate(rows):
        marks += _group_marks(row, x, _TOP + _ROW_HEIGHT * number)
    marks.append(Words("title", x.end, foot + 34, "share that converted", "end"))
    return Picture(
        caption="How many of them convert",
        label=_precision_words(rows, names),
        width=_NARROW,
        height=foot + 44,
        marks=tuple(marks),
        table=precision_table(groups, names),
        keys=tuple(
            Key(kind, f"{names.of(side)}, with 95 % interval", is_dot=True)
            for side, kind, _ in _SIDES
        ),
    )


def _is(row: dict[str, Any], side: str) -> bool:
    return math.isfinite(row[f"{side}_precision"])


def _group_marks(row: dict[str, Any], x: Scale, top: int) -> list[Mark]:
    marks: list[Mark] = [Words("title", x.start, top + 14, short(row["segment"], 44))]
    for side, kind, shift in _SIDES:
        if not _is(row, side):
            continue
        place = top + 31 + shift
        low, high = x.at(row[f"{side}_low"]), x.at(row[f"{side}_high"])
        whisker = f"{kind} whisker"
        marks.append(Line(whisker, low, place, high, place))
        marks += [Line(whisker, end, place - 3, end, place + 3) for end in (low, high)]
        marks.append(Dot(kind, x.at(row[f"{side}_precision"]), place))
    return marks


def _precision_words(rows: Sequence[dict[str, Any]], names: SideNames) -> str:
    whole = rows[0]
    said = [
        f"{capital(names.of(side))}: {percent(whole[f'{side}_precision'])} "
        f"({percent_range(whole[f'{side}_low'], whole[f'{side}_high'])})"
        for side in ("old", "new")
    ]
    return f"Of the leads given to sales the share that converted. {'; '.join(said)}."


def precision_table(groups: pd.DataFrame, names: SideNames) -> Table:
    """Return the figures of the precision picture, with how many leads stand behind them."""
    rows = []
    for row in records(groups):
        told = [short(row["segment"])]
        for side in ("old", "new"):
            told.append(count(row[f"{side}_leads"]))
            told.append(percent(row[f"{side}_precision"]))
            told.append(percent_range(row[f"{side}_low"], row[f"{side}_high"]))
        rows.append(cells(*told))
    heads = [text_head("Leads")]
    for side in ("old", "new"):
        name = names.of(side)
        heads += [Head(f"{name}: leads"), Head("converted"), Head("95 % interval")]
    return Table("Leads for sales and how many converted", tuple(heads), tuple(rows))
