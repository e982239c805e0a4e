"""What a model was not tried on, where it broke its promise, and what it is not for."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from mqlml.reports.facts import become
from mqlml.reports.sensitive import sensitive_limits
from mqlml.reports.tables import records
from mqlml.reports.words import day, duration, figure, listed, short

if TYPE_CHECKING:
    from mqlml.reports.training_facts import TrainingFacts

_NAMED = 6
_NEARLY_CHANCE = 0.55
FALLBACK_WORDS = {
    "points_rules": "A fallback: no learnt model passed the gates, so the points rules serve.",
    "base_rate": "A fallback: no learnt model passed the gates, and each lead has the base rate.",
}
NOT_FOR = (
    (
        "Deciding anything about a person but whom to contact first: no price, credit, insurance, "
        "employment or refusal of service."
    ),
    "Judging the people who work the leads: a probability is of the lead, not of the seller.",
    "Another firm, product or market than the one whose history it has learnt.",
)


def limits_of(facts: "TrainingFacts") -> tuple[str, ...]:
    """Return, in sentences, what the figures of the page do not cover or contradict."""
    return (
        *_stands_in(facts.fallback),
        *_tried_on(facts),
        *_broken_promises(facts.reliability),
        *_weak_personas(facts.personas),
        *sensitive_limits(facts.sensitive),
    )


def _stands_in(rung: str) -> Iterator[str]:
    if rung:
        yield (
            "It is a fallback: no gate vouches for it, its probabilities are rough and nothing is "
            "promised of them. The next training or retraining that passes every gate takes over."
        )
    if rung == "base_rate":
        yield "It gives every lead one probability: rules make hand raisers, and nobody is an MQL."


def _tried_on(facts: "TrainingFacts") -> Iterator[str]:
    target = facts.target
    if target.first_as_of is not None and target.last_as_of is not None:
        span = f"{day(target.first_as_of)} to {day(target.last_as_of)}"
        yield f"It has learnt from leads looked at from {span}. What changed since, it cannot know."
    if target.horizon_days:
        within = duration(target.horizon_days)
        yield f"It says who will {become(target.stage)} within {within}, and nothing of later."


def _broken_promises(reliability: pd.DataFrame) -> Iterator[str]:
    if reliability.empty:
        return
    fewer = reliability[reliability["high"] < 1]
    more = reliability[reliability["low"] > 1]
    unsure = reliability[reliability["low"].isna()]
    if len(fewer):
        yield f"On the test fewer converted than promised: {_groups(fewer)}."
    if len(more):
        yield f"On the test more converted than promised: {_groups(more)}."
    if len(unsure):
        yield f"Too few conversions to check the promise: {_groups(unsure)}."


def _groups(groups: pd.DataFrame) -> str:
    names = [f"{short(row['group'])} ({row['kind']})" for row in records(groups.head(_NAMED))]
    rest = len(groups) - _NAMED
    return listed([*names, f"{rest} more"] if rest > 0 else names)


def _weak_personas(personas: pd.DataFrame) -> Iterator[str]:
    for row in records(personas):
        auc = float(row["roc_auc"])
        if math.isfinite(auc) and auc < _NEARLY_CHANCE:
            yield (
                f"Within the persona {short(row['persona'])} it ranks hardly better than chance "
                f"(ROC-AUC {figure(auc)}): treat its leads alike."
            )
