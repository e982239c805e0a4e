"""Tables of the monitoring page: the funnel's questions, quality today, calibration by segment."""

import math
from collections.abc import Mapping

import pandas as pd

from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import capital, count, figure, percent, percent_range, short


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
            capital(row["measure"]),
            measured(row["measure"], row["value"]),
            measured_range(row["measure"], row["low"], row["high"]),
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


def measured(measure: str, value: float) -> str:
    """Return a measure's value: ROC-AUC as a figure, conversions of those expected as a share.

    >>> measured("ROC-AUC, young leads", 0.8671), measured("conversions as a share", 0.728)
    ('0.867', '73\u202f%')
    """
    return figure(value, 3) if measure.startswith("ROC-AUC") else percent(value)


def measured_range(measure: str, low: float, high: float) -> str:
    """Return the interval of a measure."""
    if measure.startswith("ROC-AUC"):
        return f"{figure(low, 3)} to {figure(high, 3)}"
    return percent_range(low, high)


def segment_words(segment: str, sentences: Mapping[str, str]) -> str:
    """Return a segment as people say it, its column by its sentence.

    >>> segment_words("title__seniority = 'c_level'", {"title__seniority": "seniority by title"})
    'Seniority by title: c level'
    """
    column, sign, level = segment.partition(" = ")
    if not sign:
        return capital(short(segment))
    said = sentences.get(column, column)
    return capital(short(f"{said}: {level.strip(chr(39)).replace('_', ' ')}"))


def segment_table(segments: pd.DataFrame, sentences: Mapping[str, str]) -> Table:
    """Return expected and observed conversions by segment, those off their interval marked.

    `sentences` say in words what a column holds.
    """
    rows = tuple(
        cells(
            segment_words(row["segment"], sentences),
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
