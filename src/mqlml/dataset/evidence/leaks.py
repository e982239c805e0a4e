"""Judgements on one column: does it know the outcome? Each gives findings with their figures.

The bounds are what honest columns do not reach. A column known beforehand that
ranks leads with a ROC-AUC of .80 alone is as strong as they come; two normal
curves that far apart settle (at tenfold odds) the fate of 9 % of leads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.evidence.figures import (
    Discrimination,
    bucket_odds,
    decided_share,
    forward_discrimination,
    wilson,
)
from mqlml.dataset.evidence.views import converted_by_value, filled_by_outcome, view
from mqlml.dataset.findings import Action, Finding, View

HONEST_AUC = 0.80
DECIDING_FACTOR = 10.0
HONEST_DECIDED_SHARE = 0.125
NOTABLE_AUC = 0.70
HONEST_FILL_AUC = 0.70
NOTABLE_FILL_AUC = 0.60
STILL_SHARE = 0.2
_SUSPICION: dict[bool, tuple[str, Action]] = {
    True: ("alone too good", "stop"),
    False: ("strong alone", "warn"),
}


@dataclass(frozen=True)
class Column:
    """What is judged: a column's counts, and the worst action its kind of column may get.

    What is measured from events, or dated, was known at the point by its time,
    so it is never stopped; it may still deserve a look.
    """

    name: str
    counts: Counts
    worst: Action

    def finding(
        self,
        what: str,
        evidence: str,
        action: Action,
        figures: Mapping[str, float],
        view: View | None = None,
    ) -> Finding:
        """Return a finding on this column, no worse than its kind allows.

        Without a view of its own it shows how many convert, value by value.
        """
        milder: Action = "stop" if action == self.worst == "stop" else "warn"
        seen = view or converted_by_value(self.counts)
        return Finding(self.name, what, evidence, milder, figures=figures, view=seen)


def alone_too_good(column: Column) -> Iterator[Finding]:
    """Yield a finding if the column alone ranks later leads better than honest columns can."""
    decided = decided_share(bucket_odds(column.counts), DECIDING_FACTOR)
    found, leads = forward_discrimination(column.counts), "later leads"
    of_filled = forward_discrimination(column.counts.filled())
    if not _is_too_good(found, decided) and of_filled.auc > found.auc:
        found, leads = of_filled, "later leads that have a value"
    is_leak = _is_too_good(found, decided)
    if not is_leak and (found.auc < NOTABLE_AUC or column.worst == "warn"):
        return  # strong is what a column known in time is welcome to be
    evidence = (
        f"alone it ranks {leads} with a ROC-AUC of {found.auc:.3f} (99 % interval {found.low:.3f}–"
        f"{found.high:.3f}; columns known beforehand stay below {HONEST_AUC:.2f}), and as good as "
        f"decides {decided:.0%} of the outcomes (odds {DECIDING_FACTOR:.0f} times the usual)"
    )
    figures = {"roc_auc": found.auc, "roc_auc_low": found.low, "decided_share": decided}
    what, action = _SUSPICION[is_leak]
    yield column.finding(what, evidence, action, figures)


def fill_rate_by_outcome(column: Column) -> Iterator[Finding]:
    """Yield a finding if whether the column is filled tells the outcome too well."""
    found = forward_discrimination(column.counts.by_fill())
    is_leak = found.low >= HONEST_FILL_AUC
    if not is_leak and (found.auc < NOTABLE_FILL_AUC or column.worst == "warn"):
        return
    leads, converted = column.counts.leads, column.counts.converted
    filled_yes = 1 - converted[:, -1].sum() / max(converted.sum(), 1e-9)
    filled_no = 1 - column.counts.others[:, -1].sum() / max((leads - converted).sum(), 1e-9)
    action: Action = "stop" if is_leak else "warn"
    evidence = (
        f"filled for {filled_yes:.1%} of converted and {filled_no:.1%} of other leads; being "
        f"filled alone ranks later leads with a ROC-AUC of {found.auc:.3f} (99 % interval "
        f"{found.low:.3f}–{found.high:.3f})"
    )
    figures = {
        "roc_auc": found.auc,
        "filled_converted": float(filled_yes),
        "filled_others": float(filled_no),
    }
    seen = filled_by_outcome(column.counts)
    yield column.finding("fill rate tells the outcome", evidence, action, figures, seen)


def filled_once_decided(
    column: Column, *, filled: tuple[int, int], undecided: tuple[int, int]
) -> Iterator[Finding]:
    """Yield a finding if the column is filled for decided leads but not for open ones.

    `filled` and `undecided` are (filled leads, leads) with and without a known
    outcome, of the same time.
    """
    done, still = filled[0] / max(filled[1], 1), undecided[0] / max(undecided[1], 1)
    _, high = wilson(np.array([float(undecided[0])]), np.array([float(undecided[1])]))
    is_leak = done >= 0.5 and float(high[0]) <= STILL_SHARE * done
    if undecided[1] < 30 or not (is_leak or done - still >= 0.3):
        return
    evidence = (
        f"filled for {done:.1%} of {filled[1]:,} leads whose outcome is known, and for "
        f"{still:.1%} of {undecided[1]:,} of the same time whose outcome is not"
    )
    what = "filled only once the outcome is known" if is_leak else "filled less while open"
    figures = {"filled_decided": done, "filled_undecided": still}
    groups = [(float(of), float(number)) for number, of in (filled, undecided)]
    seen = view("share that has a value", ["outcome known", "outcome still open"], groups)
    yield column.finding(what, evidence, "stop" if is_leak else "warn", figures, seen)


def _is_too_good(found: Discrimination, decided: float) -> bool:
    is_sure = found.low >= HONEST_AUC
    return is_sure or (found.auc >= HONEST_AUC and decided >= HONEST_DECIDED_SHARE)
