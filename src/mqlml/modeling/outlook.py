"""What would have to change for a gate to be passed: how many more, and by when."""

import math

import numpy as np
import pandas as pd

from mqlml.dataset.splits import Split
from mqlml.timeline import MICROS_PER_WEEK, is_from

COUNTED = ("leads", "conversions", "test_conversions")
BETTER_SIGNALS = (
    "nothing known of these leads tells buyers from others better than their average: "
    "add signals of what they do, check that ids join, or wait for more outcomes"
)
WAIT_FOR_MONTHS = (
    "conversions of so few months may be one campaign's or one import's: bring a longer history, "
    "or wait until another month's outcomes are known"
)
_WEEKS = 12
_YEAR_WEEKS = 52


def weekly_rates(points: pd.DataFrame, split: Split) -> dict[str, float]:
    """Return how many more leads, conversions and test conversions a week of late brings.

    Counted on leads first looked at in the latest twelve weeks whose outcomes are
    final. The test grows by the share of all conversions that it holds now.
    """
    labelled = points[points["label"].notna()]
    first = labelled.groupby("lead_id")["as_of"].min()
    if first.empty:
        return {}
    start = int(first.max()) - _WEEKS * MICROS_PER_WEEK + 1
    recent = first.index[is_from(first.to_numpy(np.int64), start)]
    weeks = min(_WEEKS, max(1.0, (first.max() - first.min()) / MICROS_PER_WEEK))
    converted = set(labelled.loc[labelled["label"] == 1, "lead_id"])
    test = points.iloc[split.test]
    tested = test.loc[test["label"] == 1, "lead_id"].nunique()
    conversions = len(converted.intersection(recent)) / weeks
    share = tested / len(converted) if converted else 0.0
    return {
        "leads": len(recent) / weeks,
        "conversions": conversions,
        "test_conversions": conversions * share,
    }


def more_words(found: float, needed: float, per_week: float | None) -> str:
    """Return how many more are needed and, by the weekly rate, when they will be there.

    >>> more_words(31, 50, 3.8)
    '19 more are needed: at the latest rate of 3.8 a week in about 5 weeks'
    >>> more_words(31, 50, None), more_words(31, 50, 0.0)
    ('19 more are needed', '19 more are needed, and of late none came')
    """
    more = math.ceil(needed - found)
    if per_week is None:
        return f"{more:,} more are needed"
    if per_week <= 0:
        return f"{more:,} more are needed, and of late none came"
    weeks = math.ceil(more / per_week)
    when = f"{weeks} weeks" if weeks <= _YEAR_WEEKS else f"{weeks / _YEAR_WEEKS:.1f} years"
    return f"{more:,} more are needed: at the latest rate of {per_week:.1f} a week in about {when}"


def surer_words(roc_auc: float, low: float, needed: float) -> str:
    """Return by how much the test must grow for the interval's lower end to pass.

    An interval narrows with the square root of the conversions it is measured on.

    >>> surer_words(0.6, 0.45, 0.5)
    'if the ranking is as good as measured, a test with 2.2 times the conversions would show it'
    """
    if not (math.isfinite(roc_auc) and math.isfinite(low)) or roc_auc <= needed:
        return BETTER_SIGNALS
    times = ((roc_auc - low) / (roc_auc - needed)) ** 2
    return (
        f"if the ranking is as good as measured, a test with {max(times, 1.1):.1f} times the "
        "conversions would show it"
    )
