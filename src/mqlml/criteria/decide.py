"""Probability and rules → outcome: cold, warm, MQL, hand raiser or disqualified, with why."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.criteria.settings import Criteria, Rule
from mqlml.errors import DataError, Fault
from mqlml.tables.expressions import evaluate

# How `because` begins of a lead that fails the ICP gate.
OUTSIDE = "outside the ICP: "
_Floats = npt.NDArray[np.float64]


class Outcome(StrEnum):
    """What the criteria say of a scored lead."""

    COLD = "cold"
    WARM = "warm"
    MQL = "mql"
    HAND_RAISER = "hand_raiser"
    DISQUALIFIED = "disqualified"


def decide(
    probability: npt.ArrayLike, rows: pd.DataFrame, criteria: Criteria, mql_probability: float
) -> pd.DataFrame:
    """Return each lead's `outcome` and, in words, `because`.

    An exclusion wins over everything, then a disqualifier (both give
    "disqualified", and `because` tells them apart); then a hand raiser goes to sales
    whatever the score; then a lead that fails the ICP gate is warm at most; the
    rest is decided by the thresholds. A rule whose condition is null for a lead
    does not hold for it, so a gate about a missing attribute is not passed.

    Args:
        probability: one calibrated probability per row.
        rows: attributes and features that the rules' conditions name.
        criteria: the rules, and where warm begins as a share of MQL.
        mql_probability: where MQL begins, see `mql_threshold`.

    Returns:
        A frame with `rows`' index and the columns `outcome` and `because`.

    Raises:
        DataError: a probability is missing.
        ConfigError: a rule names an unknown column or cannot be evaluated.
    """
    chances = _checked(probability)
    warm_probability = mql_probability * criteria.thresholds.warm_share_of_mql
    outcome, because = _by_thresholds(chances, mql_probability, warm_probability)
    failing, outside = _failing(rows, criteria.icp_gate)
    outcome = np.where(failing & (outcome == Outcome.MQL), Outcome.WARM.value, outcome)
    because = np.where(failing, outside, because)
    for rules, name in (
        (criteria.hand_raisers, Outcome.HAND_RAISER),
        (criteria.disqualifiers, Outcome.DISQUALIFIED),
    ):
        holds, words = _first_holding(rows, rules)
        outcome = np.where(holds, name.value, outcome)
        because = np.where(holds, words, because)
    excluded, words = _first_holding(rows, criteria.exclusions)
    outcome = np.where(excluded, Outcome.DISQUALIFIED.value, outcome)
    because = np.where(excluded, "excluded: " + words, because)
    return pd.DataFrame({"outcome": outcome, "because": because}, index=rows.index, dtype="str")


def _checked(probability: npt.ArrayLike) -> _Floats:
    chances = np.asarray(probability, dtype=np.float64)
    missing = int(np.isnan(chances).sum())
    if missing:
        raise DataError(Fault("a lead without a probability", "decide", f"{missing} rows"))
    return chances


def _by_thresholds(
    chances: _Floats, mql: float, warm: float
) -> tuple[npt.NDArray[np.object_], ...]:
    is_mql, is_warm = chances >= mql, chances >= warm
    outcome = np.where(is_mql, Outcome.MQL, np.where(is_warm, Outcome.WARM, Outcome.COLD))
    percent = [f"probability {percent_words(chance)}" for chance in chances]
    limit = np.where(
        is_mql,
        f" reaches the MQL threshold of {percent_words(mql)}",
        np.where(
            is_warm,
            f" is below the MQL threshold of {percent_words(mql)}",
            f" is below the warm threshold of {percent_words(warm)}",
        ),
    )
    because = np.array(percent, dtype=object) + limit.astype(object)
    return outcome.astype(object), because


def percent_words(share: float) -> str:
    """Return a share for people.

    >>> percent_words(0.05)
    '5.0 %'
    """
    return f"{100 * share:.1f} %"


def _words(rule: Rule) -> str:
    return rule.says or rule.name.replace("_", " ")


def _failing(
    rows: pd.DataFrame, rules: Sequence[Rule]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.object_]]:
    """Return which rows fail any rule, and the words naming all rules they fail."""
    fails = ~_evaluate(rows, rules)
    words = [
        OUTSIDE + ", ".join(_words(r) for r, f in zip(rules, row, strict=True) if f)
        for row in fails
    ]
    return np.asarray(fails.any(axis=1)), np.array(words, dtype=object)


def _first_holding(
    rows: pd.DataFrame, rules: Sequence[Rule]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.object_]]:
    holds = _evaluate(rows, rules)
    if not rules:
        return np.zeros(len(rows), dtype=bool), np.full(len(rows), "", dtype=object)
    words = np.array([_words(rule) for rule in rules], dtype=object)
    return np.asarray(holds.any(axis=1)), np.asarray(words[holds.argmax(axis=1)])


def _evaluate(rows: pd.DataFrame, rules: Sequence[Rule]) -> npt.NDArray[np.bool_]:
    if not rules or rows.empty:
        return np.zeros((len(rows), len(rules)), dtype=bool)
    return evaluate(rows, {rule.name: rule.when for rule in rules}).to_numpy(dtype=bool)
