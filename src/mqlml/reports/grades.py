"""Tables of leads by outcome and by fit × engagement grade."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from mqlml.reports.facts import OUTCOMES, became, outcome_words
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import count, percent, percent_range

FIT = ("A", "B", "C", "D")
ENGAGEMENT = ("1", "2", "3", "4")
_HINTS = ("most active", "", "", "least active")


def ordered_outcomes(names: Sequence[str]) -> list[str]:
    """Return the outcomes hottest first, unknown names last in their own order."""
    known = [name for name in OUTCOMES if name in names]
    return known + sorted(set(names) - set(known))


def band_table(bands: pd.DataFrame, stage: str) -> Table:
    """Return volumes and conversion by outcome; `bands` is a `rate_frame` of outcomes."""
    by_name = {str(row["group"]): row for row in records(bands)}
    names = ordered_outcomes(list(by_name))
    rates = [float(by_name[name]["rate"]) for name in names]
    total = float(bands["leads"].sum())
    rows = []
    for name, rate, bar in zip(names, rates, shares_of(rates), strict=True):
        row = by_name[name]
        rows.append(
            cells(
                outcome_words(name),
                Cell(percent(rate), bar=bar),
                percent_range(row["low"], row["high"]),
                Cell(count(row["leads"]), percent(row["leads"] / total)),
                count(row["conversions"]),
            )
        )
    heads = (
        text_head("Band"),
        Head("Conversion rate"),
        Head("95 % interval"),
        Head("Leads", "share of all"),
        Head("Converted"),
    )
    return Table(f"How many leads of each band {became(stage)}", heads, tuple(rows))


def rate_matrix(grades: pd.DataFrame, caption: str) -> Table:
    """Return fit (rows) × engagement (columns) with rates and volumes.

    `grades` is a `rate_frame` of grades A1 to D4; what is no grade is left out.
    """
    by_grade = {str(row["group"]): row for row in records(grades)}
    rates = [_value(by_grade, grade, "rate") for grade in _all_grades()]
    heat = dict(zip(_all_grades(), shares_of(rates), strict=True))

    def cell(grade: str) -> Cell:
        row = by_grade.get(grade)
        if row is None:
            return Cell("–", "no leads")
        below = f"{count(row['conversions'])} of {count(row['known'])}"
        return Cell(percent(row["rate"]), below, heat=heat[grade])

    return _matrix(caption, cell)


def volume_matrix(grades: Mapping[str, int]) -> Table:
    """Return fit (rows) × engagement (columns) with how many leads each grade has."""
    heat = dict(
        zip(_all_grades(), shares_of([grades.get(g, 0) for g in _all_grades()]), strict=True)
    )
    total = sum(grades.values())

    def cell(grade: str) -> Cell:
        leads = grades.get(grade, 0)
        below = percent(leads / total) if leads else ""
        return Cell(count(leads), below, heat=heat[grade])

    return _matrix("Leads by grade", cell)


def is_graded(names: Sequence[object]) -> bool:
    """Return whether any of the names is a grade of the matrix."""
    return bool(set(map(str, names)) & set(_all_grades()))


def _matrix(caption: str, cell: Callable[[str], Cell]) -> Table:
    heads = (
        text_head("Fit", "by engagement"),
        *(Head(level, hint) for level, hint in zip(ENGAGEMENT, _HINTS, strict=True)),
    )
    rows = tuple(
        (Cell(fit, below), *(cell(f"{fit}{level}") for level in ENGAGEMENT))
        for fit, below in zip(FIT, ("best fit", "", "", "least fit"), strict=True)
    )
    return Table(caption, heads, rows)


def _value(by_grade: Mapping[str, Mapping[str, Any]], grade: str, column: str) -> float:
    return float(by_grade[grade][column]) if grade in by_grade else math.nan


def _all_grades() -> list[str]:
    return [f"{fit}{level}" for fit in FIT for level in ENGAGEMENT]
