"""How good the champion's scores are today, before outcomes mature, with an interval."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.evidence import Floats, ScoredHistory
from mqlml.monitoring.residuals import Residuals

COLUMNS = ("measure", "value", "low", "high", "conversions")
YOUNG = "young leads"
MATURE = "leads whose outcomes are known"
_FEWEST = 10


def estimated_quality(history: ScoredHistory, residuals: Residuals) -> pd.DataFrame:
    """Return observed over expected conversions and ROC-AUC of young leads and mature ones.

    Of a young lead only what it did up to now is judged, against what was expected of it up
    to now, so a share that converts soon is not taken for one that never does. Once the same
    leads mature they are counted again below: the estimate is held against what happened.
    """
    rows = [*_of(history, residuals, YOUNG), *_of(history, residuals, MATURE)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of(history: ScoredHistory, residuals: Residuals, who: str) -> Iterator[dict[str, Any]]:
    as_of = history.as_of
    mature = np.asarray(timeline.is_mature(as_of, history.horizon, 0, history.data_end))
    yield from measured_quality(history, residuals, mature[residuals.row] == (who == MATURE), who)


def measured_quality(
    history: ScoredHistory, residuals: Residuals, chosen: npt.NDArray[np.bool_], who: str
) -> Iterator[dict[str, Any]]:
    """Yield the measures of the chosen pieces of news; nothing where too few conversions came."""
    came = (residuals.residual > 0).astype(np.float64)[chosen]
    expected = came - residuals.residual[chosen]
    if came.sum() < _FEWEST:
        return
    ratio = float(came.sum() / expected.sum())
    spread = 1.96 / np.sqrt(came.sum())
    low, high = ratio * np.exp(-spread), ratio * np.exp(spread)
    yield _row(f"conversions as a share of those expected, {who}", (ratio, low, high), came)
    probability = history.scores["probability"].to_numpy(dtype=np.float64)
    value, error = _roc_auc(residuals.row[chosen], came, probability)
    if np.isfinite(value):
        near = (value, max(value - 1.96 * error, 0.0), min(value + 1.96 * error, 1.0))
        yield _row(f"ROC-AUC, {who}", near, came)


def _row(measure: str, figures: tuple[float, float, float], came: Floats) -> dict[str, Any]:
    value, low, high = figures
    return dict(zip(COLUMNS, (measure, value, low, high, float(came.sum())), strict=True))


def _roc_auc(
    row: "np.ndarray[tuple[int], np.dtype[np.int64]]", came: Floats, probability: Floats
) -> tuple[float, float]:
    """Return how often a converted score was the higher one, and its standard error."""
    keys, place = np.unique(row, return_inverse=True)
    won = np.bincount(place, came, minlength=len(keys)) > 0
    ranks = pd.Series(probability[keys]).rank().to_numpy()
    wins, losses = int(won.sum()), int((~won).sum())
    if not wins or not losses:
        return float("nan"), float("nan")
    auc = float((ranks[won].sum() - wins * (wins + 1) / 2) / wins / losses)
    return auc, float(np.sqrt(max(auc * (1 - auc), 1e-4) / min(wins, losses)))
