"""Scores by points rules or the base rate say so, where no learnt model passed the gates."""

from typing import Any

import pandas as pd

from mqlml.criteria.decide import OUTSIDE, Outcome, percent_words
from mqlml.modeling.bundle import Bundle

_WORDS = {"points_rules": "points rules", "base_rate": "the base rate"}
_BY_POINTS = " (by points rules, no learnt model)"
# How what only speaks of the probability begins, see `decide` and `cut_list`.
_OF_PROBABILITY = "probability "
_BY_CHANCE = (Outcome.COLD.value, Outcome.WARM.value, Outcome.MQL.value)


def rung_of(bundle: Bundle) -> str:
    """Return which rung of the ladder a bundle is; empty for a model that passed its gates."""
    return str(bundle.facts.get("fallback", {}).get("rung", ""))


def rung_words(rung: str) -> str:
    """Return a rung for people.

    >>> rung_words("base_rate")
    'the base rate'
    """
    return _WORDS.get(rung, rung.replace("_", " "))


def fallback_warning(rung: str) -> str:
    """Return what users of such scores must know, in sentences; empty without a fallback."""
    if rung == "points_rules":
        return (
            "No learnt model has passed the gates: these scores are the points rules'. They rank "
            "leads as the rules do; the probability is what leads of so many points had before, "
            "and nothing is promised of it"
        )
    if rung == "base_rate":
        return (
            "No model tells these leads apart: each has the same probability, the base rate, and "
            "none is an MQL by it. Only hand raisers go to sales"
        )
    return ""


def with_rung(scores: pd.DataFrame, rung: str) -> pd.DataFrame:
    """Return scores whose `because` says that a fallback gave them; done twice it is done once."""
    if not rung or scores.empty:
        return scores
    marked = [
        _marked(because, chance, outcome, rung)
        for because, chance, outcome in zip(
            scores["because"], scores["probability"], scores["outcome"], strict=True
        )
    ]
    because: pd.Series[Any] = pd.Series(marked, index=scores.index, dtype="str")
    return scores.assign(because=because)


def _marked(because: str, chance: float, outcome: str, rung: str) -> str:
    is_by_rule = outcome not in _BY_CHANCE or because.startswith(OUTSIDE)
    if is_by_rule or because.endswith(_BY_POINTS):
        return because
    if rung == "points_rules":
        return f"{because}{_BY_POINTS}"
    if not because.startswith(_OF_PROBABILITY):
        return because
    return f"every lead has the base rate, {percent_words(chance)}: no model tells them apart"
