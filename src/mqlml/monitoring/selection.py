"""Whom sales works: how many leads are handed over, and at which score, week by week."""

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.evidence import Floats, ScoredHistory, week_of
from mqlml.monitoring.figures import Figure, Figures

SHARE = "share handed over"
RANK = "score rank of leads handed over"
_WAIT = timeline.MICROS_PER_WEEK


def selection_figures(history: ScoredHistory, weeks: Figures) -> Figures | None:
    """Return share and score of leads handed over within a week of their first score.

    The figure of a week is about leads first scored in the week before it, so that what is
    told of a week never changes later. None where nobody keeps handovers.
    """
    if history.handed_at is None:
        return None
    first = first_rows(history)
    as_of, handed_at = history.as_of[first], history.handed_at[first]
    is_handed = np.asarray(timeline.is_in_horizon(handed_at, as_of, _WAIT), dtype=np.float64)
    if not is_handed.any():
        return None
    week = week_of(as_of, history.data_end) + 1
    place = week - int(weeks.weeks[0])
    seen = (place >= 0) & (place < len(weeks.weeks))
    probability = history.scores["probability"].to_numpy(dtype=np.float64)[first]
    rank = _rank_in_week(week, probability)
    columns = [
        _means(place[seen], is_handed[seen], len(weeks.weeks)),
        _means(place[seen & (is_handed > 0)], rank[seen & (is_handed > 0)], len(weeks.weeks)),
    ]
    of = (Figure(SHARE, "share"), Figure(RANK, "mean rank"))
    return Figures(weeks.weeks, weeks.counts, of, np.stack(columns, axis=1))


def first_rows(history: ScoredHistory) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the position of each lead's first score."""
    order = np.argsort(history.as_of, kind="stable")
    _, first = np.unique(pd.factorize(history.scores["lead_id"])[0][order], return_index=True)
    return np.asarray(order[first], dtype=np.int64)


def _rank_in_week(week: "np.ndarray[tuple[int], np.dtype[np.int64]]", scores: Floats) -> Floats:
    ranks = pd.Series(scores).groupby(week).rank(pct=True)
    return np.asarray(ranks, dtype=np.float64)


def _means(
    place: "np.ndarray[tuple[int], np.dtype[np.int64]]", values: Floats, count: int
) -> Floats:
    rows = np.bincount(place, minlength=count)
    total = np.bincount(place, values, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(rows > 0, total / rows, np.nan))
