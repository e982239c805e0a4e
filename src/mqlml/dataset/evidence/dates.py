"""Columns of dates that lie after the point: nobody can have known them, unless they are plans.

A plan (the start that somebody wishes for, the end of a contract) reaches past the
end of the data; what was written down as it happened never does. That tells a
closing date, even one that says nothing of the outcome, from a date of delivery.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.evidence.leaks import Column
from mqlml.dataset.evidence.names import CLOSING, OVERWRITTEN, name_words
from mqlml.dataset.evidence.sample import Numbers
from mqlml.dataset.evidence.views import view
from mqlml.dataset.findings import Action, Finding

AFTER_SHARE = 0.05
MANY_AFTER = 0.5
LEAST_ROWS = 30
LEAST_EXPECTED = 5.0
REACH_SHARE = 0.2
# The last lead is younger than the last thing written about any lead.
SLACK_DAYS = 7.0
_LOOKED_AT = 200
_IS_DATE_SHARE = 0.95
_FORMATS = {
    r"^\d{4}-\d{2}-\d{2}": "ISO8601",
    r"^\d{1,2}\.\d{1,2}\.\d{4}$": "%d.%m.%Y",
    r"^\d{1,2}/\d{1,2}/\d{4}$": "%m/%d/%Y",
}


@dataclass(frozen=True)
class Later:
    """A column of dates: how many lie after their point, and how many ran past the data's end.

    `expected` is how many would, if they lay as far ahead as usual at all times.
    """

    rows: int
    after_share: float
    expected: float
    beyond: int

    @property
    def is_record(self) -> bool:
        """Return whether the dates stop at the data's end, as records do and plans do not."""
        return self.expected >= LEAST_EXPECTED and self.beyond <= REACH_SHARE * self.expected


def dated_after_the_point(
    column: Column, values: "pd.Series[str]", as_of: "pd.Series[int]"
) -> Iterator[Finding]:
    """Yield a finding if the column holds dates that lie after the points at `as_of`.

    `values` and `as_of` are one row per lead, those without an outcome included:
    the outcome plays no part.
    """
    days = days_of(values)
    found = days_after(days, as_of) if days is not None else None
    if found is None or found.after_share < AFTER_SHARE:
        return
    says_later = (CLOSING | OVERWRITTEN) & set(name_words(column.name))
    is_leak = found.is_record or (bool(says_later) and found.after_share >= MANY_AFTER)
    action: Action = "stop" if is_leak else "warn"
    evidence = (
        f"{found.after_share:.1%} of its {found.rows:,} dates lie a day or more after the point at "
        f"which they count as known; {found.beyond:,} lie beyond the end of the data, where "
        f"{found.expected:,.0f} were to be expected of plans"
    )
    figures = {"after_share": found.after_share, "beyond": float(found.beyond)}
    after, beyond = found.after_share * found.rows - found.beyond, float(found.beyond)
    names = ["up to the point", "after it", "beyond the end of the data"]
    groups = [(float(found.rows), n) for n in (found.rows - after - beyond, after, beyond)]
    seen = view("share of the dates, by where they lie", names, groups)
    yield column.finding("dated after the point", evidence, action, figures, seen)


def days_of(values: "pd.Series[str]") -> Numbers | None:
    """Return dates as days since 1970 (NaN where there is none), or None if these are no dates."""
    filled = values.dropna()
    head = filled.drop_duplicates().head(_LOOKED_AT).astype("str")
    for pattern, shape in _FORMATS.items():
        if len(head) and head.str.match(pattern).mean() >= _IS_DATE_SHARE:
            # Dates come back often: each spelling is read once.
            codes, spelled = pd.factorize(values)
            read = pd.to_datetime(pd.Series(spelled), format=shape, errors="coerce", utc=True)
            whole = read.dt.as_unit("us").astype("int64").to_numpy()
            days = np.where(read.isna(), np.nan, whole / timeline.MICROS_PER_DAY)
            return np.asarray(np.append(days, np.nan)[codes], dtype=np.float64)
    return None


def days_after(days: Numbers, as_of: "pd.Series[int]") -> Later | None:
    """Return how the dates lie to their points and to the end of the data; None if too few."""
    is_filled = np.isfinite(days)
    if is_filled.sum() < LEAST_ROWS:
        return None
    point = as_of.to_numpy(np.float64)[is_filled] / timeline.MICROS_PER_DAY
    ahead = days[is_filled] - point
    left = point.max() + SLACK_DAYS - point
    # Early leads had all the time there is to show how far ahead such dates lie.
    usual = np.sort(ahead[point <= np.quantile(point, 0.5)])
    chance = 1 - np.searchsorted(usual, left, side="right") / len(usual)
    return Later(
        rows=int(is_filled.sum()),
        after_share=float((ahead >= 1).mean()),
        expected=float(chance.sum()),
        beyond=int((ahead > left).sum()),
    )
