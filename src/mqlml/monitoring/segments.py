"""Calibration by segment: conversions that came of those expected, young leads included."""

from typing import Any

import numpy as np
import pandas as pd

from mqlml.monitoring.directions import segment_name
from mqlml.monitoring.watch import Watch, segments_of

COLUMNS = ("segment", "expected", "observed", "ratio", "low", "high")
_FEWEST_EXPECTED = 5.0
_MOST_GROUPS = 8
_BANDS = (("lowest half of the scores", 0.0, 0.5), ("next three tenths", 0.5, 0.8))
_TOP = ("top fifth of the scores", 0.8, 1.0)


def calibration_by_segment(watch: Watch) -> pd.DataFrame:
    """Return expected and observed conversions by score band, segment and group, with intervals.

    What is expected of a lead is what its score promised for the time it has been open, so
    no lead has to wait for its horizon. Segments with fewer than five expected are left out.
    """
    history, news = watch.history, watch.residuals
    came = (news.residual > 0).astype(np.float64)
    expected = came - news.residual
    if not len(news.row):
        return pd.DataFrame(columns=list(COLUMNS))
    probability = history.scores["probability"].to_numpy(dtype=np.float64)
    rank = pd.Series(probability).rank(pct=True).to_numpy()[news.row]
    masks: list[tuple[str, Any]] = [
        (name, (rank > low) & (rank <= high)) for name, low, high in (_TOP, *reversed(_BANDS))
    ]
    for column, levels in segments_of(history, watch.reference).items():
        values = history.matrix[column]
        for level in levels:
            inside = np.asarray(values == level, dtype=bool)
            masks.append((segment_name(column, level), inside[news.row]))
    for kind, members in history.groups.items():
        masks += [
            (f"{kind}: {one}", (members == one)[news.row]) for one in _largest(members[news.row])
        ]
    rows = [_row(name, expected[mask], came[mask]) for name, mask in masks]
    return pd.DataFrame([row for row in rows if row], columns=list(COLUMNS))


def _largest(members: Any) -> list[str]:
    """Return the groups by name, at most the eight with the most rows."""
    counts = pd.Series(members[members != ""]).value_counts()
    return sorted(str(name) for name in counts.index[:_MOST_GROUPS])


def _row(
    name: str,
    expected: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    came: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> dict[str, Any] | None:
    total, seen = float(expected.sum()), float(came.sum())
    if total < _FEWEST_EXPECTED:
        return None
    # Half a conversion more than seen, so that none seen still has an interval.
    spread = 1.96 / np.sqrt(seen + 0.5)
    middle = (seen + 0.5) / total
    bounds = (middle * np.exp(-spread), middle * np.exp(spread))
    return dict(zip(COLUMNS, (name, total, seen, seen / total, *bounds), strict=True))
