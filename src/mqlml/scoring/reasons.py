"""Why a score is what it is: the model's contributions, folded into sentences.

All columns that look at one signal, or come from one attribute, are one reason:
twenty windows of page views are one thing to say. Its text is that of the
column which weighs most in the reason's direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.plan import Plan
from mqlml.scoring.wording import usual_in_words, value_in_words

_Floats = npt.NDArray[np.float64]
# Log-odds; what moves the odds by less than one in a hundred is no reason.
LEAST_WORTH_SAYING = 0.01
SEPARATOR = "; "


@dataclass(frozen=True)
class ReasonGroup:
    """One thing to say: a signal or an attribute, and the matrix columns it stands for."""

    name: str
    columns: tuple[str, ...]


def reason_groups(plan: Plan) -> tuple[ReasonGroup, ...]:
    """Return the plan's columns grouped by what they are about, in the plan's order."""
    return tuple(ReasonGroup(name, columns) for name, columns in plan.topics.items())


def group_contributions(contributions: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the summed contribution of each reason group, one column per group name."""
    sums = {}
    for group in reason_groups(plan):
        # Column by column, so that one lead alone is summed exactly as in a batch.
        total = np.zeros(len(contributions))
        for column in group.columns:
            total = total + contributions[column].to_numpy(dtype=np.float64)
        sums[group.name] = total
    return pd.DataFrame(sums, index=contributions.index)


def reasons_of(
    contributions: pd.DataFrame,
    matrix: pd.DataFrame,
    plan: Plan,
    *,
    limit: int,
    typical: Mapping[str, float] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return `reasons_up` and `reasons_down`: up to `limit` texts each, joined by "; ".

    The strongest comes first; equal ones in the plan's order. A lead without a
    reason worth saying has an empty text. `typical` are usual values by column, with
    which a lead's are compared: "3 page views in the last 7 days, usually 0".
    """
    groups = reason_groups(plan)
    sums = group_contributions(contributions, plan).to_numpy(dtype=np.float64)
    tell = _Teller(plan, typical)
    values = {name: matrix[name].to_numpy() for name in plan.columns}
    weights = {name: contributions[name].to_numpy(dtype=np.float64) for name in plan.columns}
    texts: dict[str, list[str]] = {}
    for name, sign in (("reasons_up", 1.0), ("reasons_down", -1.0)):
        order = np.argsort(-sign * sums, axis=1, kind="stable")[:, :limit]
        strength = np.take_along_axis(sign * sums, order, axis=1)
        texts[name] = [""] * len(matrix)
        heaviest = [_heaviest(group, weights, sign) for group in groups]
        for row in range(len(matrix)):
            said = [
                tell(heaviest[g][row], values[heaviest[g][row]][row])
                for g, s in zip(order[row], strength[row], strict=True)
                if s >= LEAST_WORTH_SAYING
            ]
            texts[name][row] = SEPARATOR.join(said)
    return pd.DataFrame(texts, index=matrix.index, dtype="str")


def _heaviest(
    group: ReasonGroup, weights: dict[str, _Floats], sign: float
) -> npt.NDArray[np.object_]:
    """Return per row the group's column that weighs most in the direction of `sign`."""
    stacked = np.column_stack([sign * weights[name] for name in group.columns])
    names = np.array(group.columns, dtype=object)
    return np.asarray(names[np.argmax(stacked, axis=1)])


class _Teller:
    """Puts values into words, each once."""

    def __init__(self, plan: Plan, typical: Mapping[str, float]) -> None:
        self.plan, self.typical = plan, typical
        self.words: dict[tuple[str, object], str] = {}

    def __call__(self, column: str, value: object) -> str:
        # NaN is not equal to itself and would never be found again.
        key = (column, value if value == value else None)
        if key not in self.words:
            self.words[key] = self._told(*key)
        return self.words[key]

    def _told(self, column: str, value: object) -> str:
        said = value_in_words(self.plan, column, value)
        if column not in self.typical:
            return said
        return said + usual_in_words(self.plan, column, value, self.typical[column])
