"""Single leads with their reasons, ids only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from mqlml.reports.facts import outcome_words
from mqlml.reports.tables import records
from mqlml.reports.words import percent, percent_range, short, signed

_REASON_LIMIT = 160
NO_HINTS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True)
class Lead:
    """One lead as a page shows it: words only."""

    id: str
    grade: str
    outcome: str
    probability: str
    trend: str
    persona: str
    reasons_up: tuple[str, ...]
    reasons_down: tuple[str, ...]
    because: str = ""
    came_true: str = ""
    interval: str = ""
    hints: tuple[str, ...] = ()


def leads_of(
    scores: pd.DataFrame, *, limit: int, hints: Mapping[str, Sequence[str]] = NO_HINTS
) -> tuple[Lead, ...]:
    """Return the first `limit` rows of scored leads in words, in their order.

    `scores` has the columns of `score_points`; those that are not there are left
    empty. Reasons are texts joined by "; ", `hints` sentences by lead.
    """
    rows = records(scores.head(limit))
    return tuple(replace(_lead(row), hints=_hints(row["lead_id"], hints)) for row in rows)


def _hints(lead: object, hints: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(short(text, _REASON_LIMIT) for text in hints.get(str(lead), ()))


def _lead(row: dict[str, Any]) -> Lead:
    trend = row.get("trend")
    change = float(trend) if isinstance(trend, int | float) else math.nan
    probability = row.get("probability")
    return Lead(
        id=short(row["lead_id"], 40),
        grade=_text(row.get("grade")),
        outcome=outcome_words(_text(row.get("outcome"))) if _text(row.get("outcome")) else "",
        probability=percent(float(str(probability))) if probability is not None else "",
        trend=signed(change) if math.isfinite(change) else "",
        persona=_text(row.get("persona")),
        reasons_up=_reasons(row.get("reasons_up")),
        reasons_down=_reasons(row.get("reasons_down")),
        because=_rule(_text(row.get("because"), _REASON_LIMIT)),
        came_true=_text(row.get("came_true")),
        interval=_interval(row.get("score_low"), row.get("score_high")),
    )


def _interval(low: object, high: object) -> str:
    ends = [float(end) / 100 for end in (low, high) if isinstance(end, int | float)]
    if len(ends) < 2 or not all(map(math.isfinite, ends)):
        return ""
    return percent_range(ends[0], ends[1])


def _rule(because: str) -> str:
    """Return the rule that decided; where the probability did, the page shows that already."""
    return "" if because.startswith("probability ") else because


def _reasons(joined: object) -> tuple[str, ...]:
    if joined is None or (isinstance(joined, float) and math.isnan(joined)):
        return ()
    parts = (part.strip() for part in str(joined).split("; "))
    return tuple(short(part, _REASON_LIMIT) for part in parts if part)


def _text(value: object, limit: int = 40) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip():
        return ""
    return short(value, limit)
