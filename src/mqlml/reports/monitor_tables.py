"""Tables of the monitoring page: the funnel's questions, quality today, calibration by segment."""

import math

import pandas as pd

from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import count, figure, percent, percent_range, short


def question_table(questions: pd.DataFrame) -> Table:
    """Return the three questions with the figures that answer them."""
    rows = tuple(
        cells(
            Cell(row["question"], row["measure"]),
            percent(row["now"]),
            percent_range(row["low"], row["high"]),
            percent(row["before"]),
            f"{count(row['mqls'])} / {count(row['mqls_before'])}",
        )
        for row in records(questions)
    )
    heads = (
        text_head("Question", "what is counted"),
        Head("Latest 13 weeks"),
        Head("95 % interval"),
        Head("Before"),
        Head("MQLs", "latest / before"),
    )
    note = "Only MQLs that have had the whole time to get there are counted."
    return Table("MQLs and what became of them", heads, rows, note=note)


def quality_table(quality: pd.DataFrame) -> Table:
    """Return the estimate of today's quality beside what is known of older leads."""
    rows = tuple(
        cells(
            Cell(row["measure"]),
            figure(row["value"], 3),
            f"{figure(row['low'], 3)} to {figure(row['high'], 3)}",
            count(row["conversions"]),
        )
        for row in records(quality)
    )
    heads = (
        text_head("Measure"),
        Head("Value"),
        Head("95 % interval"),
        Head("Conversions"),
    )
    note = (
        "Young leads are judged by what they did up to now; as they mature they move to the "
        "leads whose outcomes are known, where the estimate can be checked."
    )
    return Table("How good the scores are today", heads, rows, note=note)


def segment_table(segments: pd.DataFrame) -> Table:
    """Return expected and observed conversions by segment, those off their interval marked."""
    rows = tuple(
        cells(
            Cell(short(row["segment"])),
            figure(row["expected"], 1),
            count(row["observed"]),
            Cell(percent(row["ratio"]), tone="bad" if is_off(row["low"], row["high"]) else ""),
            percent_range(row["low"], row["high"]),
        )
        for row in records(segments)
    )
    heads = (
        text_head("Segment"),
        Head("Expected"),
        Head("Came"),
        Head("Came of expected"),
        Head("95 % interval"),
    )
    return Table("Conversions expected and come, by segment", heads, rows)


def is_off(low: float, high: float) -> bool:
    """Return whether the interval leaves out 100 %: more or fewer came than luck explains."""
    return math.isfinite(low) and not low <= 1.0 <= high
