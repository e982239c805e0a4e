"""What became of the reasons that no column told: do columns tell them now, are they rarer?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mqlml.modeling.metrics import wilson_interval
from mqlml.review.unseen import unseen_reasons
from mqlml.review.verdicts import Judged

State = Literal["columns tell now", "rarer", "still no column tells", "too few verdicts yet"]
_SETTLED: tuple[State, ...] = ("columns tell now", "rarer")
_NAMED = 5


@dataclass(frozen=True)
class EarlierReason:
    """A reason that no column told, as its review kept it.

    `verdicts` are the rejections that gave it, of all `rejections` that judge the lead;
    `until` is the end of that review's period in microseconds, `topics` what the champion's
    columns were about then: signals and attributes.
    """

    reason: str
    verdicts: int
    rejections: int
    roc_auc: float
    until: int
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class FollowedReason:
    """One such reason, what newer verdicts say of it, and what the model looks at newly.

    `roc_auc` is NaN where fewer than fifty newer verdicts give the reason.
    """

    earlier: EarlierReason
    verdicts: int
    rejections: int
    roc_auc: float
    added: tuple[str, ...]
    state: State

    @property
    def is_settled(self) -> bool:
        """Return whether the next review need not come back to it."""
        return self.state in _SETTLED

    def document(self) -> dict[str, Any]:
        """Return the values for programs."""
        one = self.earlier
        return {
            "reason": one.reason,
            "state": self.state,
            "added": list(self.added),
            "then": {
                "verdicts": one.verdicts,
                "rejections": one.rejections,
                "roc_auc": one.roc_auc,
            },
            "now": {
                "verdicts": self.verdicts,
                "rejections": self.rejections,
                "roc_auc": self.roc_auc if np.isfinite(self.roc_auc) else None,
            },
            "says": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """Return what became of it, in words."""
        one = self.earlier
        then, now = _share(one.verdicts, one.rejections), _share(self.verdicts, self.rejections)
        named = ", ".join(self.added[:_NAMED]) + (", …" if len(self.added) > _NAMED else "")
        added = f"the model newly looks at {named}" if named else "the model looks at nothing new"
        shown = f" (ROC-AUC {one.roc_auc:.2f} then, {self.roc_auc:.2f} now)"
        area = shown if np.isfinite(self.roc_auc) else ""
        reason = f"reason {one.reason.replace('_', ' ')!r}"
        return f"{reason}: {self.state}{area}; {then} of rejections then, {now} now; {added}"


def earlier_reasons(
    unseen: pd.DataFrame, rejections: int, topics: Sequence[str], until: int
) -> tuple[EarlierReason, ...]:
    """Return the reasons of a review that no column tells, as the next one follows them up."""
    if unseen.empty:
        return ()
    blind = unseen[unseen["class"] == "no column tells"]
    return tuple(
        EarlierReason(
            reason=str(row["reason"]),
            verdicts=int(row["verdicts"]),
            rejections=rejections,
            roc_auc=float(row["roc_auc"]),
            until=until,
            topics=tuple(topics),
        )
        for row in blind.to_dict("records")
    )


def follow_reasons(
    earlier: Sequence[EarlierReason], since: Callable[[int], Judged], topics: Sequence[str]
) -> tuple[FollowedReason, ...]:
    """Return what became of each reason by the verdicts since its own review."""
    found = {until: unseen_reasons(since(until)) for until in {one.until for one in earlier}}
    return tuple(_followed(one, since(one.until), found[one.until], topics) for one in earlier)


def _followed(
    one: EarlierReason, judged: Judged, unseen: pd.DataFrame, topics: Sequence[str]
) -> FollowedReason:
    rejected = judged.rows[judged.rows["accepted"] == 0]
    verdicts = int((rejected["reason"] == one.reason).sum())
    row = next((r for r in unseen.to_dict("records") if r["reason"] == one.reason), None)
    return FollowedReason(
        earlier=one,
        verdicts=verdicts,
        rejections=len(rejected),
        roc_auc=float("nan") if row is None else float(row["roc_auc"]),
        added=tuple(topic for topic in topics if topic not in one.topics),
        state=_state(one, row, verdicts, len(rejected)),
    )


def _state(
    one: EarlierReason, row: Mapping[Any, Any] | None, verdicts: int, rejections: int
) -> State:
    if row is not None and row["class"] == "columns tell":
        return "columns tell now"
    if _is_rarer(one, verdicts, rejections):
        return "rarer"
    if row is not None and row["class"] == "no column tells":
        return "still no column tells"
    return "too few verdicts yet"


def _is_rarer(one: EarlierReason, verdicts: int, rejections: int) -> bool:
    """Return whether it is clearly a smaller share of the rejections than it was."""
    if not (one.rejections and rejections):
        return False
    numbers = np.array([one.rejections, rejections], dtype=np.float64)
    low, high = wilson_interval(np.array([one.verdicts, verdicts]) / numbers, numbers)
    return bool(high[1] < low[0])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none"


def kept_reason(one: EarlierReason) -> dict[str, Any]:
    """Return a reason as the ledger keeps it; `read_reason` gives it back.

    >>> one = EarlierReason("no_need", 60, 90, 0.5, 0, ("attribute source",))
    >>> read_reason(kept_reason(one)) == one
    True
    """
    return asdict(one)


def read_reason(document: Mapping[str, Any]) -> EarlierReason:
    """Return a reason that `kept_reason` wrote."""
    return EarlierReason(**{**document, "topics": tuple(document["topics"])})
