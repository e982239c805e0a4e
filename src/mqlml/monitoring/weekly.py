"""What was expected of each week's leads and what became of them, for people to look at."""

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.modeling.metrics import wilson_interval
from mqlml.monitoring.evidence import Ints, ScoredHistory, week_of, week_start


def weekly_rates(history: ScoredHistory) -> pd.DataFrame:
    """Return week, leads, expected, observed, low, high of scores by week of scoring.

    `observed` is the conversion rate within the horizon, NaN until the whole week
    is mature; low and high are its 95 % interval.
    """
    frame = pd.DataFrame(
        {
            "number": week_of(history.as_of, history.data_end),
            "p": history.scores["probability"].to_numpy(dtype=np.float64),
            "y": np.asarray(
                timeline.is_in_horizon(history.converted_at, history.as_of, history.horizon), float
            ),
        }
    )
    by = frame.groupby("number", sort=True)
    weekly = by.agg(leads=("p", "size"), expected=("p", "mean"), observed=("y", "mean"))
    starts: Ints = np.array([week_start(int(n), history.data_end) for n in weekly.index], np.int64)
    ends = starts + timeline.MICROS_PER_WEEK
    mature = np.asarray(timeline.is_mature(ends, history.horizon, 0, history.data_end), dtype=bool)
    observed = np.where(mature, weekly["observed"].to_numpy(float), np.nan)
    low, high = wilson_interval(observed, weekly["leads"].to_numpy(dtype=np.float64))
    weekly = weekly.assign(observed=observed, low=low, high=high).reset_index(drop=True)
    weekly.insert(0, "week", starts)
    return weekly
