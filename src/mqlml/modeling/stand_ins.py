"""How good scores are for all leads, told by the few of every kind that sales worked."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Fewer conversions among leads that stand for others, and the figures are luck.
_FEWEST = 10


@dataclass(frozen=True)
class IfHanded:
    """Figures for all leads, were all of them worked.

    `rate` of conversion, `expected` by the scores, `roc_auc` of them; `conversions` is how
    many were seen among the handed-over, `leads_worth` how many equal ones would say as much
    (Kish 1965: (Σw)² / Σw²).
    """

    rate: float
    expected: float
    roc_auc: float
    conversions: int
    leads_worth: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def if_handed(labels: Floats, probability: Floats, weights: Floats) -> IfHanded | None:
    """Return the figures of rows weighted by `stand_in_weights`; None if they are too few.

    Args:
        labels: 1 or 0 per row; those of weight 0 are not looked at.
        probability: what the scores say, were the lead handed over.
        weights: for how many leads each row stands.
    """
    used = np.flatnonzero((weights > 0) & ~np.isnan(labels))
    y, p, w = labels[used], probability[used], weights[used]
    if min(y.sum(), (1 - y).sum()) < _FEWEST:
        return None
    return IfHanded(
        rate=float(np.average(y, weights=w)),
        expected=float(np.average(p, weights=w)),
        roc_auc=weighted_roc_auc(y, p, w),
        conversions=int(y.sum()),
        leads_worth=float(w.sum() ** 2 / (w**2).sum()),
    )


def weighted_roc_auc(labels: Floats, probability: Floats, weights: Floats) -> float:
    """Return the chance that a converting lead's score is the higher one, leads by weight.

    >>> weighted_roc_auc(np.array([1.0, 0, 0]), np.array([0.5, 0.6, 0.4]), np.array([1.0, 1, 3]))
    0.75
    """
    values, place = np.unique(probability, return_inverse=True)
    won = np.bincount(place, weights * labels, minlength=len(values))
    lost = np.bincount(place, weights * (1 - labels), minlength=len(values))
    below = np.cumsum(lost) - lost
    return float((won * (below + lost / 2)).sum() / (won.sum() * lost.sum()))
