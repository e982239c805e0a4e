"""What earlier looks estimated of the quality of young leads, held against what came of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.early import YOUNG, measured_quality
from mqlml.monitoring.evidence import ScoredHistory
from mqlml.monitoring.residuals import Residuals

COLUMNS = ("as_of", "measure", "estimated", "low", "high", "came", "conversions", "held")


def checked_estimates(
    history: ScoredHistory, residuals: Residuals, estimates: Iterable[Mapping[str, Any]]
) -> pd.DataFrame:
    """Return each estimate of an earlier look beside what became of the leads it spoke of.

    `estimates` hold as_of (microseconds), measure, value, low and high, as `estimated_quality`
    gave them for young leads scored by the same champion. The leads of a look were scored
    within a horizon before it; once all have had their horizon they are measured again, in the
    same way. Until then `came` is NaN and `held` (whether the interval held it) is None.
    """
    rows = []
    for one in sorted(estimates, key=lambda e: (int(e["as_of"]), str(e["measure"]))):
        if not str(one["measure"]).endswith(YOUNG):
            continue
        came, conversions = _came(history, residuals, int(one["as_of"]), str(one["measure"]))
        held = None if np.isnan(came) else bool(one["low"] <= came <= one["high"])
        figures = (one["as_of"], one["measure"], one["value"], one["low"], one["high"])
        rows.append((*figures, came, conversions, held))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _came(
    history: ScoredHistory, residuals: Residuals, looked_at: int, measure: str
) -> tuple[float, float]:
    as_of = history.as_of
    if not timeline.is_mature(looked_at, history.horizon, 0, history.data_end):
        return float("nan"), float("nan")
    was_young = ~np.asarray(timeline.is_mature(as_of, history.horizon, 0, looked_at))
    seen = np.asarray(timeline.is_seen(as_of, np.full_like(as_of, looked_at)))
    chosen = (was_young & seen)[residuals.row]
    for row in measured_quality(history, residuals, chosen, YOUNG):
        if row["measure"] == measure:
            return float(row["value"]), float(row["conversions"])
    return float("nan"), float("nan")
