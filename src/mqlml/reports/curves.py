"""The pictures of a model's quality: calibration and gains."""

import math
from collections.abc import Mapping

import pandas as pd

from mqlml.reports.pictures import (
    Dot,
    Key,
    Line,
    Mark,
    Picture,
    Scale,
    curve,
    share_frame,
    whisker,
)
from mqlml.reports.summaries import found_at
from mqlml.reports.tables import Head, Table, cells, records
from mqlml.reports.words import count, figure, listed, percent, percent_range

_WIDTH, _HEIGHT = 400, 300
_X = (46, 380)
_Y = (252, 26)
_KINDS = ("main", "second", "third")


def calibration_picture(calibration: pd.DataFrame) -> Picture:
    """Return predicted against observed rates, with intervals.

    `calibration` holds rows, predicted, observed, low, high per bin.
    """
    top = _round_top(calibration[["predicted", "observed", "high"]].max().max())
    area = share_frame(
        Scale(0, top, *_X), Scale(0, top, *_Y), x_title="predicted", y_title="came true"
    )
    marks: list[Mark] = [Line("ideal", area.x.at(0), area.y.at(0), area.x.at(top), area.y.at(top))]
    for row in records(calibration):
        marks += whisker("main", area, row["predicted"], (row["low"], row["high"]))
        marks.append(Dot("main", area.x.at(row["predicted"]), area.y.at(row["observed"])))
    return Picture(
        caption="Promised and kept",
        label=_calibration_words(calibration),
        width=_WIDTH,
        height=_HEIGHT,
        marks=area.marks + tuple(marks),
        table=_calibration_table(calibration),
        keys=(
            Key("main", "leads of like probability, with 95 % interval", is_dot=True),
            Key("ideal", "what perfect probabilities would give"),
        ),
    )


def _calibration_words(calibration: pd.DataFrame) -> str:
    if calibration.empty:
        return "No outcomes are known, so promised and kept rates cannot be compared."
    is_inside = calibration["predicted"].between(calibration["low"], calibration["high"])
    inside, bins = int(is_inside.sum()), len(calibration)
    return (
        f"Predicted against observed rate in {bins} groups of leads: in {inside} of them "
        "the prediction lies inside the 95 % interval of what came true."
    )


def _calibration_table(calibration: pd.DataFrame) -> Table:
    rows = tuple(
        cells(
            percent(row["predicted"]),
            percent(row["observed"]),
            percent_range(row["low"], row["high"]),
            count(row["rows"]),
        )
        for row in records(calibration)
    )
    heads = (Head("Predicted"), Head("Came true"), Head("95 % interval"), Head("Leads"))
    return Table("Predicted and observed rates", heads, rows)


def gains_picture(gains: Mapping[str, pd.DataFrame]) -> Picture:
    """Return the share of conversions found against the share of leads called.

    `gains` maps a name in words to its frame (share, found, lift); the first
    is drawn boldly, at most two more beside it.
    """
    shown = dict(list(gains.items())[: len(_KINDS)])
    area = share_frame(
        Scale(0, 1, *_X), Scale(0, 1, *_Y), x_title="leads called, best first", y_title="found"
    )
    marks: list[Mark] = [Line("ideal", area.x.at(0), area.y.at(0), area.x.at(1), area.y.at(1))]
    # The first is drawn last, so it lies on top.
    for kind, frame in reversed(list(zip(_KINDS, shown.values(), strict=False))):
        marks.append(curve(kind, area, [0, *frame["share"]], [0, *frame["found"]]))
    keys = [Key(kind, name) for kind, name in zip(_KINDS, shown, strict=False)]
    return Picture(
        caption="Conversions found by calling the best first",
        label=_gains_words(shown),
        width=_WIDTH,
        height=_HEIGHT,
        marks=area.marks + tuple(marks),
        table=_gains_table(shown),
        keys=(*keys, Key("ideal", "calling in random order")),
    )


def _gains_words(gains: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for name, frame in gains.items():
        fifth = found_at(frame, 0.2)
        if math.isfinite(fifth):
            parts.append(f"{name.lower()} finds {percent(fifth)}")
    if not parts:
        return "No outcomes are known, so nothing can be counted."
    return f"Calling the best 20 % of leads, {listed(parts)} of the conversions."


def _gains_table(gains: Mapping[str, pd.DataFrame]) -> Table:
    heads = [Head("Leads called")]
    for name in gains:
        heads += [Head(f"{name}: found"), Head(f"{name}: lift")]
    first = next(iter(gains.values()), None)
    rows = []
    for i in range(0 if first is None else len(first)):
        row = [percent(float(first["share"].iloc[i]))] if first is not None else []
        for frame in gains.values():
            row += [percent(frame["found"].iloc[i]), figure(frame["lift"].iloc[i], 2)]
        rows.append(cells(*row))
    return Table("Conversions found by share of leads called", tuple(heads), tuple(rows))


def _round_top(value: float) -> float:
    """Return the end of an axis a little above `value`, at most 1, and never 0."""
    if not value > 0:
        return 1.0
    return float(min(1.0, value * 1.05))
