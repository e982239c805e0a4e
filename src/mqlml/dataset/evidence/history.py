"""Dated attributes that are written with the outcome, or after it.

Dates keep a value out of earlier points, so such an attribute is safe only as far
as its dates are. A date without a time of day counts from midnight: what was
written with an outcome at noon then seems to be known before it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.evidence.figures import wilson
from mqlml.dataset.evidence.origin import Origin
from mqlml.dataset.evidence.views import view
from mqlml.dataset.findings import MEND, Action, Finding

LEAST_LEADS = 30
WITH_SHARE = 0.25
USUAL_FACTOR = 5.0
# (from, days) before or after the outcome, and as many days of the usual to compare with.
_BEFORE = (-1, 1)
_WEEK_BEFORE = (-8, 1)
_AFTER = (0, 30)
_MONTH_BEFORE = (-31, 30)

_LATE_MEND = (
    "its dates keep it out of earlier points; never load it without them, and mind that the "
    "value shown for a customer is not the one the model saw"
)


def written_with_the_outcome(
    columns: Sequence[tuple[str, str]], points: pd.DataFrame, origin: Origin
) -> Iterator[Finding]:
    """Yield findings on dated attributes, given as (column, attribute).

    `points` are the development rows with lead_id and converted_at; an outcome
    without a date says nothing here. What a lead was created with is no change.
    """
    is_dated = points["converted_at"].to_numpy() != timeline.NEVER
    ends = points[is_dated].drop_duplicates("lead_id").set_index("lead_id")["converted_at"]
    history = origin.history
    if len(ends) < LEAST_LEADS or history.empty:
        return
    known_at, created_at = (history[c].to_numpy(np.int64) for c in ("known_at", "created_at"))
    changes = history[~np.asarray(timeline.is_known(known_at, created_at))]
    changes = changes[changes["lead_id"].isin(ends.index)]
    end = ends.reindex(changes["lead_id"]).to_numpy(np.int64)
    for column, attribute in columns:
        of = (changes["name"] == attribute).to_numpy()
        shares = _Shares(changes[of], end[of], len(ends))
        yield from _judged(column, shares)


class _Shares:
    """Shares of the converted leads whose attribute changed in some days around their outcome."""

    def __init__(self, changes: pd.DataFrame, end: "np.typing.NDArray[np.int64]", leads: int):
        self._changes, self._end, self.leads = changes, end, leads

    def within(self, start_day: int, days: int) -> float:
        """Return the share with a change in `[outcome + start_day, outcome + start_day + days)`."""
        start = self._end + start_day * timeline.MICROS_PER_DAY
        known_at = self._changes["known_at"].to_numpy(np.int64)
        span = days * timeline.MICROS_PER_DAY
        is_within = np.asarray(timeline.is_in_horizon(known_at, start, span))
        return float(self._changes["lead_id"][is_within].nunique() / self.leads)

    def is_far_above(self, share: float, usual: float) -> bool:
        """Return whether a share is surely large, and many times the usual."""
        low, _ = wilson(np.array([share * self.leads]), np.array([float(self.leads)]))
        return float(low[0]) >= WITH_SHARE and float(low[0]) >= USUAL_FACTOR * usual


def _judged(column: str, shares: _Shares) -> Iterator[Finding]:
    before, usual = shares.within(*_BEFORE), shares.within(*_WEEK_BEFORE)
    after, month = shares.within(*_AFTER), shares.within(*_MONTH_BEFORE)
    action: Action
    if shares.is_far_above(before, usual):
        what, action = "written just before the outcome", "stop"
        when, share, compared = "in the day before it", before, f"{usual:.1%} a week earlier"
        names = ["in a day a week before the outcome", "in the day before the outcome"]
        told = (usual, before)
        figures = {"share_before": before, "share_usual": usual}
    elif shares.is_far_above(after, month):
        what, action = "changes after the outcome", "warn"
        when, share, compared = "in the month from it on", after, f"{month:.1%} in the month before"
        names = ["in the month before the outcome", "in the month from the outcome on"]
        told = (month, after)
        figures = {"share_after": after, "share_usual": month}
    else:
        return
    evidence = (
        f"of {shares.leads:,} converted leads, {share:.1%} had it changed {when}, and {compared}"
    )
    groups = [(float(shares.leads), part * shares.leads) for part in told]
    seen = view("share of converted leads whose value changed", names, groups)
    mend = MEND if action == "stop" else _LATE_MEND
    yield Finding(column, what, evidence, action, mend, figures, view=seen)
