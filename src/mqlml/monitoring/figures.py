"""One figure per week and statistic of an input: what a change of inputs is seen in.

Leads of one week are alike and the same leads come back every week, so rows are
not independent and tests over rows cry wolf. One figure per week and column is;
its own scatter and trend from week to week say what is usual.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.monitoring.evidence import Floats, Ints

_LEVELS = 5
_UNSEEN = -2
MISSING = "share missing"
OTHERS = "share of other values"


@dataclass(frozen=True)
class Figure:
    """What a figure is of: a column (or a count of the funnel), and which statistic of it."""

    column: str
    statistic: str


@dataclass(frozen=True)
class Figures:
    """Weekly figures: `table` [week, figure], NaN where a week says nothing; rows a week."""

    weeks: Ints
    counts: Ints
    of: tuple[Figure, ...]
    table: Floats

    def beside(self, other: "Figures") -> "Figures":
        """Return these figures with those of `other` beside them, over the same weeks."""
        table = np.hstack([self.table, other.table])
        return Figures(self.weeks, self.counts, (*self.of, *other.of), table)

    def until(self, count: int) -> "Figures":
        """Return the first `count` weeks."""
        return Figures(self.weeks[:count], self.counts[:count], self.of, self.table[:count])


@dataclass(frozen=True)
class Once:
    """Columns looked at in each lead's first row only.

    So one week's new leads do not colour the weeks after it, in which they are scored again.
    """

    columns: frozenset[str]
    rows: Ints


def weekly_figures(
    matrix: pd.DataFrame,
    weeks: Ints,
    *,
    categories: frozenset[str],
    known: Mapping[str, Any],
    learnt: npt.NDArray[np.bool_],
    once: Once | None = None,
) -> Figures:
    """Return the figures of every column of `matrix` by week of its rows.

    Args:
        matrix: the features behind the scores.
        weeks: the week of each row, as `week_of` numbers them.
        categories: columns that hold categories.
        known: bins and levels of the training rows by column, from the bundle.
        learnt: rows that trained the champion: what is not in `known` is read from them.
        once: columns that a lead comes with, looked at once per lead.
    """
    start, last = int(weeks.min(initial=0)), int(weeks.max(initial=-1))
    place = weeks - start
    counts = np.bincount(place, minlength=last - start + 1)
    found: list[Figure] = []
    values: list[Floats] = []
    for name in map(str, matrix.columns):
        rows = once.rows if once is not None and name in once.columns else None
        column = matrix[name] if rows is None else matrix[name].iloc[rows]
        at, own = (place, learnt) if rows is None else (place[rows], learnt[rows])
        for statistic, per_row in _statistics(column, name in categories, known.get(name), own):
            found.append(Figure(name, statistic))
            values.append(_means(at, per_row, len(counts)))
    table = np.stack(values, axis=1) if values else np.zeros((len(counts), 0))
    return Figures(np.arange(start, last + 1), counts.astype(np.int64), tuple(found), table)


def _means(place: Ints, per_row: Floats, count: int) -> Floats:
    unknown = np.isnan(per_row)
    if unknown.any():
        place, per_row = place[~unknown], per_row[~unknown]
    rows = np.bincount(place, minlength=count)
    total = np.bincount(place, per_row, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(rows > 0, total / rows, np.nan))


def _statistics(
    values: "pd.Series[Any]",
    is_category: bool,
    known: Mapping[str, Any] | None,
    learnt: npt.NDArray[np.bool_],
) -> Iterator[tuple[str, Floats]]:
    is_missing = values.isna().to_numpy(dtype=bool)
    yield MISSING, np.asarray(is_missing, dtype=np.float64)
    if is_category:
        yield from _level_shares(values, is_missing, known, learnt)
        return
    numbers = values.to_numpy(dtype=np.float64)
    edges = (known or {}).get("edges") or _edges(numbers[learnt] if learnt.any() else numbers)
    if len(edges):
        # Ranked among the training rows from 0 to 1: the figure does not care for tails.
        steps = np.searchsorted(np.asarray(edges), numbers, side="right") / len(edges)
        yield "mean rank", np.where(is_missing, np.nan, steps)


def _level_shares(
    values: "pd.Series[Any]",
    is_missing: npt.NDArray[np.bool_],
    known: Mapping[str, Any] | None,
    learnt: npt.NDArray[np.bool_],
) -> Iterator[tuple[str, Floats]]:
    codes, names = pd.factorize(values, sort=True)
    frequent = list((known or {}).get("levels") or [])[:_LEVELS]
    if not frequent:
        rows = codes[learnt] if learnt.any() else codes
        sizes = np.bincount(rows[rows >= 0], minlength=len(names))
        frequent = [names[i] for i in np.argsort(-sizes, kind="stable")[:_LEVELS] if sizes[i] > 0]
    others = ~is_missing
    position = {name: place for place, name in enumerate(names)}
    for level in frequent:
        is_level = np.equal(codes, position.get(level, _UNSEEN))
        others &= ~is_level
        yield f"share of {level}", is_level.astype(np.float64)
    yield OTHERS, np.asarray(others, dtype=np.float64)


def _edges(numbers: Floats) -> list[float]:
    seen = numbers[~np.isnan(numbers)]
    return np.unique(np.quantile(seen, np.arange(1, 10) / 10)).tolist() if len(seen) else []
