"""The table of inputs: what was usual, what is now, and how far luck would explain it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.input_odds import FEWEST_REFERENCE_WEEKS
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.watch import Watch

COLUMNS = ("column", "sentence", "statistic", "reference", "current", "p_value", "shifted")
_INPUT_KINDS = ("covariate", "instrumentation", "bots")


def input_table(
    watch: Watch, changes: Sequence[Change], settings: MonitoringSettings
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table as of the last week, and why inputs could not be judged, if so.

    `p_value` is one over the average evidence for a change since any week, an e-value's
    p-value; `shifted` are figures of columns that a change names.
    """
    found = watch.inputs
    if found is None:
        used = int((watch.figures.counts >= settings.min_points).sum())
        text = (
            f"inputs not judged: {used} weeks of at least {settings.min_points} leads, "
            f"{FEWEST_REFERENCE_WEEKS} before the first look needed"
        )
        return pd.DataFrame(columns=list(COLUMNS)), (text,)
    named = {c for change in changes if change.kind in _INPUT_KINDS for c in change.columns}
    days = settings.current_days * timeline.MICROS_PER_DAY
    weeks = max(1, round(days / timeline.MICROS_PER_WEEK))
    evidence = np.logaddexp.reduce(found.log_factors[:, -1], axis=0) - np.log(len(found.since))
    values = found.figures.table
    rows = [
        {
            "column": figure.column,
            "sentence": watch.reference.plan.describe(figure.column).sentence,
            "statistic": figure.statistic,
            "reference": found.usual[0, i],
            "current": _mean(values[-weeks:, i]),
            "p_value": float(np.exp(-max(evidence[i], 0.0))),
            "shifted": figure.column in named and bool(evidence[i] > 0),
        }
        for i, figure in enumerate(found.figures.of)
        if np.ptp(np.nan_to_num(values[:, i])) > 0
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    keys = ["p_value", "column", "statistic"]
    return table.sort_values(keys, kind="stable", ignore_index=True), ()


def _mean(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    seen = values[~np.isnan(values)]
    return float(seen.mean()) if len(seen) else float("nan")
