"""The review's pictures and tables of what became of leads: by month, by verdict, by reason."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from mqlml.reports.pictures import Dot, Frame, Key, Line, Mark, Picture, Scale, Words, curve, rungs
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import count, counted, figure, percent, percent_range, short, signed
from mqlml.review.funnel import Aftermath

_WIDTH, _HEIGHT = 720, 300
_X = (46, 700)
_Y = (246, 34)
_MONTHS = 24
_STEPS = (
    ("accepted", "main", "accepted by sales"),
    ("sql", "second", "qualified by sales (SQL)"),
    ("customers", "third", "reached the target"),
)


def funnel_picture(funnel: pd.DataFrame) -> Picture:
    """Return the shares of each month's handed-over leads that got so far.

    `funnel` holds the columns of `monthly_funnel`; the last 24 months are shown.
    """
    shown = funnel.tail(_MONTHS).reset_index(drop=True)
    shares = {name: (shown[name] / shown["handed_over"]).tolist() for name, _, _ in _STEPS}
    top = min(1.0, max(max(values) for values in shares.values()) * 1.1 or 1.0)
    last = max(len(shown) - 1, 1)
    area = Frame(Scale(0, last, _X[0] + 14, _X[1] - 14), Scale(0, top, *_Y), ())
    marks: list[Mark] = [Words("title", _X[0], _Y[1] - 18, "share of the leads handed over")]
    marks += rungs(Scale(0, 1, *_X), area.y)
    marks.append(Line("axis", _X[0], _Y[0], _X[1], _Y[0]))
    step = max(1, math.ceil(len(shown) / 8))
    for place, month in enumerate(shown["month"]):
        if place % step == 0:
            marks.append(Words("tick", area.x.at(place), _Y[0] + 18, str(month), "middle"))
    places = [float(place) for place in range(len(shown))]
    for name, kind, _ in _STEPS:
        marks.append(curve(kind, area, places, shares[name]))
        marks += [
            Dot(kind, area.x.at(x), area.y.at(y))
            for x, y, is_open in zip(places, shares[name], shown["is_open"], strict=True)
            if not is_open
        ]
    return Picture(
        caption="From handover to customer, by month of the handover",
        label=_funnel_words(funnel),
        width=_WIDTH,
        height=_HEIGHT,
        marks=tuple(marks),
        table=_funnel_table(shown),
        keys=(
            *(Key(kind, words) for _, kind, words in _STEPS),
            Key("main", "a dot: the month is over, its counts are final", is_dot=True),
        ),
        is_wide=True,
    )


def _funnel_words(funnel: pd.DataFrame) -> str:
    total = float(funnel["handed_over"].sum())
    judged, accepted = (float(funnel[name].sum()) for name in ("judged", "accepted"))
    days = float(funnel["median_days"].median())
    speed = f" A verdict takes {figure(days, 1)} days in a median month." if days == days else ""
    return (
        f"Of {counted(total, 'lead', 'leads')} handed over, sales judged {percent(judged / total)} "
        f"and accepted {percent(accepted / total)}.{speed}"
    )


def _funnel_table(shown: pd.DataFrame) -> Table:
    rows = tuple(
        cells(
            Cell(str(row["month"]), "still open" if row["is_open"] else ""),
            count(row["handed_over"]),
            count(row["judged"]),
            *(_of(row, name) for name, _, _ in _STEPS),
            "–" if math.isnan(row["median_days"]) else figure(row["median_days"], 1),
        )
        for row in records(shown)
    )
    heads = (
        text_head("Month"),
        Head("Handed over"),
        Head("Judged"),
        Head("Accepted"),
        Head("SQL"),
        Head("Target"),
        Head("Days to verdict", "median"),
    )
    return Table("Leads by month of their first handover", heads, rows)


def _of(row: Mapping[str, Any], name: str) -> Cell:
    return Cell(count(row[name]), percent(row[name] / row["handed_over"]))


def after_table(after: Aftermath) -> Table | None:
    """Return how many leads reached the target after each verdict; None where none is known."""
    table = after.table
    if table.empty:
        return None
    rates = [0.0 if math.isnan(rate) else float(rate) for rate in table["rate"]]
    rows = tuple(
        cells(
            short(str(row["group"]).replace("_", " "), 60),
            count(row["leads"]),
            count(row["known"]),
            Cell(percent(row["rate"]) if row["known"] else "–", bar=bar),
            percent_range(row["low"], row["high"]) if row["known"] else "–",
        )
        for row, bar in zip(records(table), shares_of(rates), strict=True)
    )
    heads = (
        text_head("Last verdict"),
        Head("Leads"),
        Head("Outcome known"),
        Head("Reached the target"),
        Head("95 % interval"),
    )
    note = ""
    if after.missed:
        note = "Rejected and customers all the same, for example: " + ", ".join(
            short(one, 30) for one in after.missed
        )
    return Table("What leads did after the verdict", heads, rows, note)


def unseen_table(unseen: pd.DataFrame) -> Table | None:
    """Return how well the model's columns tell each reason of rejection; None without reasons."""
    if unseen.empty:
        return None
    rows = tuple(
        cells(
            short(str(row["reason"]).replace("_", " "), 60),
            count(row["verdicts"]),
            percent(row["share"]),
            figure(row["roc_auc"], 2),
            f"{figure(row['low'], 2)} to {figure(row['high'], 2)}",
            short(str(row["class"])),
        )
        for row in records(unseen)
    )
    heads = (
        text_head("Reason"),
        Head("Rejections"),
        Head("Share"),
        Head("ROC-AUC", "0.5: the columns say nothing of it"),
        Head("95 % interval"),
        text_head("Can the model know?"),
    )
    return Table("Reasons that the model's columns tell, and those they do not", heads, rows)


def terms_table(terms: pd.DataFrame) -> Table | None:
    """Return what notes on rejected leads hold more often; None where no term is shown."""
    if terms.empty:
        return None
    rows = tuple(
        cells(
            short(str(row["term"]), 60),
            Cell(count(row["rejected"]), f"{count(row['accepted'])} on accepted leads"),
            Cell(count(row["leads"]), f"{count(row['reps'])} reps"),
            _term_effect(row),
            figure(row["roc_auc"], 2) if math.isfinite(row["roc_auc"]) else "–",
            short(str(row["class"])),
        )
        for row in records(terms)
    )
    heads = (
        text_head("Term"),
        Head("Notes", "on rejected leads"),
        Head("Leads"),
        Head("Effect", "log-odds of acceptance"),
        Head("ROC-AUC", "0.5: the columns say nothing of it"),
        text_head("Can the model know?"),
    )
    return Table("What reps write of leads they reject", heads, rows)


def _term_effect(row: Mapping[str, Any]) -> Cell:
    if not math.isfinite(row["effect"]):
        return Cell("–")
    shown = f"{signed(row['low'], 2)} to {signed(row['high'], 2)}"
    return Cell(signed(row["effect"], 2), shown)
