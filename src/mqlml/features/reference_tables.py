"""The features made of tables in plain Python: the reference beside that of events."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mqlml.features.table_features import (
    ACCEPTED,
    FLAT_OUTCOME,
    AccountLeads,
    Outcome,
    RateFeature,
    StageFeature,
)
from mqlml.tables.contracts import PROCEDURAL_REASONS, STAGE_ORDER, Known, Tables
from mqlml.timeline import (
    EVER,
    MICROS_PER_DAY,
    NEVER,
    counts_from,
    is_in_horizon,
    is_in_lookback,
    is_known,
    is_mature,
    is_open,
    is_seen,
)


@dataclass(frozen=True)
class PlainTables:
    """Tables as plain rows: every time whole microseconds, every missing value None."""

    leads: dict[str, dict[str, Any]]
    stages: list[dict[str, Any]]
    dated: list[dict[str, Any]]
    dated_names: frozenset[str]
    verdicts: list[dict[str, Any]]


def plain(tables: Tables) -> PlainTables:
    """Return the tables as plain rows."""
    return PlainTables(
        {row["lead_id"]: row for row in _rows(tables.leads)},
        _rows(tables.stages),
        _rows(tables.attributes),
        frozenset(tables.attributes_known(Known.DATED)),
        _rows(tables.verdicts),
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain_value(value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _plain_value(value: Any) -> Any:
    return micros(value) if isinstance(value, pd.Timestamp) else given(value)


def micros(time: pd.Timestamp) -> int:
    """Return a time as whole microseconds."""
    return time.value // 1000


def given(value: Any) -> Any:
    """Return the value, None when it is missing."""
    return None if pd.isna(value) else value


def known_lead(tables: PlainTables, lead: str, as_of: int) -> dict[str, Any] | None:
    """Return the lead's row, None while nobody knew the lead."""
    row = tables.leads.get(lead)
    return row if row is not None and is_known(row["created_at"], as_of) else None


def value_at(tables: PlainTables, lead: str, as_of: int, name: str) -> Any:
    """Return the lead's value of attribute `name` as known at `as_of`, None when missing."""
    if name not in tables.dated_names:
        row = known_lead(tables, lead, as_of)
        return None if row is None else row[name]
    seen = [
        (row["known_at"], row["value"] is not None, row["value"] or "")
        for row in tables.dated
        if (row["lead_id"], row["name"]) == (lead, name) and is_seen(row["known_at"], as_of)
    ]
    _, is_given, value = max(seen, default=(0, False, ""))
    return value if is_given else None


def colleagues(tables: PlainTables, lead: str, as_of: int) -> dict[str, int] | None:
    """Return the other leads of the lead's account with their creation; None without account."""
    row = known_lead(tables, lead, as_of)
    if row is None or row["account_id"] is None:
        return None
    return {
        name: other["created_at"]
        for name, other in tables.leads.items()
        if other["account_id"] == row["account_id"] and name != lead
    }


def days_since_stage(tables: PlainTables, lead: str, as_of: int, feature: StageFeature) -> float:
    """Return days since the latest entry before as_of, NaN without one."""
    entered = [
        row["entered_at"]
        for row in tables.stages
        if row["lead_id"] == lead
        and feature.stage in {None, row["stage"]}
        and is_seen(row["entered_at"], as_of)
    ]
    return (as_of - max(entered)) / MICROS_PER_DAY if entered else math.nan


def account_leads(tables: PlainTables, lead: str, as_of: int, feature: AccountLeads) -> float:
    """Return how many other leads of the account were created in the window."""
    others = colleagues(tables, lead, as_of)
    if others is None:
        return math.nan
    return float(sum(is_in_lookback(at, as_of, feature.window) for at in others.values()))


def group_rate(tables: PlainTables, lead: str, as_of: int, feature: RateFeature) -> float:
    """Return the smoothed rate of the other leads of the lead's group."""
    row = known_lead(tables, lead, as_of)
    if row is None:
        return math.nan
    everybody, alike = [], []
    for name, other in tables.leads.items():
        reached, is_told = _told(tables, other, feature.outcome)
        is_new = is_told(as_of) and not (feature.window != EVER and is_told(as_of - feature.window))
        if reached is not None and is_new and name != lead:
            everybody.append(reached)
            if other[feature.source] == row[feature.source]:
                alike.append(reached)
    if not everybody:
        return math.nan
    overall = feature.strength * (sum(everybody) / len(everybody))
    return (sum(alike) + overall) / (len(alike) + feature.strength)


def _told(
    tables: PlainTables, lead: dict[str, Any], outcome: Outcome
) -> tuple[bool | None, Callable[[int], bool]]:
    """Return what became of a lead, None if it does not count, and whether that is told when."""
    if outcome.stage != ACCEPTED:
        horizon, lag = outcome.horizon or 0, outcome.lag
        reached = _reached(tables, lead, outcome)
        return reached, lambda as_of: is_mature(lead["created_at"], horizon, lag, as_of)
    judged = [
        (row["given_at"], row["verdict"] == "accepted")
        for row in tables.verdicts
        if row["lead_id"] == lead["lead_id"] and row["reason"] not in PROCEDURAL_REASONS
    ]
    at, accepted = min(judged, default=(NEVER, None))
    since = int(counts_from(at, lead["created_at"]))
    return accepted, lambda as_of: is_seen(since, as_of)


def _reached(tables: PlainTables, lead: dict[str, Any], outcome: Outcome) -> bool | None:
    """Return whether a lead reached the outcome; None if it does not count."""
    if outcome.stage == FLAT_OUTCOME:
        return None if lead["outcome"] is None else bool(lead["outcome"])
    passing = STAGE_ORDER[STAGE_ORDER.index(outcome.stage) :]
    passed = [
        row["entered_at"]
        for row in tables.stages
        if row["lead_id"] == lead["lead_id"] and row["stage"] in passing
    ]
    first, created_at = min(passed, default=NEVER), lead["created_at"]
    if not is_open(first, created_at):
        return None
    return bool(is_in_horizon(first, created_at, outcome.horizon or 0))


def ratio(of: Any, to: Any) -> float:
    """Return of / to, NaN where one is missing or the quotient is no number."""
    if math.isnan(of) or math.isnan(to) or to == 0:
        return math.nan
    quotient = float(of) / float(to)
    return quotient if math.isfinite(quotient) else math.nan
