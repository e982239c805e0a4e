"""Tables of the monitoring page: earlier estimates and what came, arrival of events, stages."""

import math
from typing import Any

import pandas as pd

from mqlml.monitoring.arrival import is_slower
from mqlml.reports.monitor_tables import measured, measured_range
from mqlml.reports.pictures import (
    Dot,
    Frame,
    Key,
    Line,
    Mark,
    Picture,
    Scale,
    Words,
    rungs,
    whisker,
)
from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import capital, count, counted, day, figure, percent, short

_MONTHS = 6
_MOST_ESTIMATES = 26
_WIDTH, _HEIGHT = 760, 240
_X, _Y = (46, 745), (192, 34)
_DATES = 6
_HOURS_A_DAY = 24.0


def checked_table(checked: pd.DataFrame) -> Table:
    """Return what earlier looks estimated beside what came of the same leads, latest first."""
    latest = checked.sort_values("as_of", ascending=False, kind="stable")
    rows = tuple(
        cells(
            day(row["as_of"])[:10],
            capital(str(row["measure"]).rpartition(",")[0]),
            measured(row["measure"], row["estimated"]),
            measured_range(row["measure"], row["low"], row["high"]),
            measured(row["measure"], row["came"]),
            _held(row["held"]),
        )
        for row in records(latest.head(2 * _MOST_ESTIMATES))
    )
    heads = (
        text_head("Look of"),
        text_head("Measure"),
        Head("Estimated then"),
        Head("95 % interval"),
        Head("Came"),
        text_head("In the interval"),
    )
    return Table("What was estimated then, and what came", heads, rows, note=held_words(checked))


def held_words(checked: pd.DataFrame) -> str:
    """Return in a sentence how many earlier estimates held what came."""
    known = checked[checked["held"].notna()]
    if known.empty:
        return "No earlier estimate can be checked yet: its leads still have time to convert."
    held = int(known["held"].astype(bool).sum())
    estimates = counted(len(known), "earlier estimate", "earlier estimates")
    return f"{held} of {estimates} whose leads have matured held what came."


def _held(held: Any) -> Cell:
    if held is None or (isinstance(held, float) and math.isnan(held)):
        return Cell("not known yet")
    return Cell("yes", tone="good") if held else Cell("no", tone="bad")


def estimate_picture(checked: pd.DataFrame) -> Picture:
    """Return earlier estimates of came over expected with intervals, and what came, by look."""
    ratios = checked[~checked["measure"].str.startswith("ROC-AUC")].tail(_MOST_ESTIMATES)
    shown = ratios if len(ratios) else checked.tail(_MOST_ESTIMATES)
    looks = [float(at) for at in shown["as_of"]]
    top = float(max(shown["high"].max(), shown["came"].max(skipna=True), 1.0)) * 1.05
    if not math.isfinite(top):
        top = 2.0
    last = looks[-1] if looks[-1] > looks[0] else looks[0] + 1.0
    x, y = Scale(looks[0], last, _X[0] + 30, _X[1] - 30), Scale(0, top, *_Y)
    area = Frame(x, y, ())
    marks: list[Mark] = [Words("title", _X[0], _Y[1] - 18, "conversions as a share of expected")]
    marks += rungs(Scale(0, 1, *_X), y)
    marks.append(Line("axis", _X[0], _Y[0], _X[1], _Y[0]))
    step = max(1, math.ceil(len(looks) / _DATES))
    marks += [Words("tick", x.at(at), _Y[0] + 18, day(at)[:10], "middle") for at in looks[::step]]
    for row in records(shown):
        at = float(row["as_of"])
        marks += whisker("second", area, at, (row["low"], row["high"]))
        marks.append(Dot("second", x.at(at), y.at(row["estimated"])))
        if math.isfinite(row["came"]):
            marks.append(Dot("main", x.at(at), y.at(row["came"])))
    return Picture(
        caption="What was estimated then, what came",
        label=held_words(checked),
        width=_WIDTH,
        height=_HEIGHT,
        marks=tuple(marks),
        table=checked_table(checked),
        keys=(
            Key("second", "estimated then, with 95 % interval", is_dot=True),
            Key("main", "came of the same leads", is_dot=True),
        ),
        is_wide=True,
    )


def arrival_table(arrival: pd.DataFrame) -> Table:
    """Return how long events wait before they arrive, by source."""
    rows = tuple(
        cells(
            short(row["source"]) or "no source told",
            count(row["events"]),
            wait_words(row["median_h"]),
            Cell(
                wait_words(row["slow_h"]),
                tone="bad" if is_slower(row["slow_h"], row["slow_before_h"]) else "",
            ),
            wait_words(row["slow_before_h"]),
            percent(row["late_share"]),
        )
        for row in records(arrival)
    )
    heads = (
        text_head("Source"),
        Head("Events", "lately"),
        Head("Median wait", "lately"),
        Head("Nine in ten within", "lately"),
        Head("Nine in ten within", "before"),
        Head("Over a day", "lately"),
    )
    note = (
        "Lately: events that arrived in the current period. A source that does not say when its "
        "events arrived shows no wait."
    )
    return Table("From happening to arriving", heads, rows, note=note)


def wait_words(hours: float) -> str:
    """Return hours as people say them.

    >>> wait_words(0.0), wait_words(0.5), wait_words(30.0), wait_words(120.0)
    ('none', '30 min', '30 h', '5.0 days')
    """
    if not math.isfinite(hours):
        return "–"
    if hours * 3600 < 1:
        return "none"
    if hours < 1:
        return f"{max(round(hours * 60), 1)} min"
    return f"{hours:.0f} h" if hours < 2 * _HOURS_A_DAY else f"{hours / _HOURS_A_DAY:.1f} days"


def stage_time_table(times: pd.DataFrame) -> Table:
    """Return the median days to each stage by the month in which leads entered it."""
    months = sorted(times["month"].unique())[-_MONTHS:]
    rows = []
    for stage, own in times.groupby("stage", sort=False):
        by_month = {str(row["month"]): row for row in records(own)}
        row = [short(str(stage)).upper() if len(str(stage)) == 3 else short(str(stage))]
        rows.append(cells(*row, *(_days(by_month.get(month)) for month in months)))
    heads = (text_head("Stage"), *(Head(month) for month in months))
    note = "From a lead's creation to its first entry, by the month of the entry."
    return Table("Median days to each stage, and leads that entered", heads, tuple(rows), note=note)


def _days(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell("–")
    return Cell(figure(row["median_days"], 0), count(row["leads"]))
