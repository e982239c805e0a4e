"""The features made of tables in plain Python: the reference beside that of events."""

import math
from typing import Any

import pandas as pd

from mqlml.features.table_features import (
    FLAT_OUTCOME,
    AccountLeads,
    Outcome,
    RateFeature,
    StageFeature,
)
from mqlml.tables.contracts import STAGE_ORDER, Tables
from mqlml.timeline import (
    EVER,
    MICROS_PER_DAY,
    NEVER,
    is_in_horizon,
    is_in_lookback,
    is_known,
    is_mature,
    is_open,
    is_seen,
)


def micros(time: pd.Timestamp) -> int:
    """Return a time as whole microseconds."""
    return time.value // 1000


def given(value: Any) -> Any:
    """Return the value, None when it is missing."""
    return None if pd.isna(value) else value


def known_lead(tables: Tables, lead: str, as_of: int) -> "pd.Series[Any] | None":
    """Return the lead's row, None while nobody knew the lead."""
    for _, row in tables.leads[tables.leads["lead_id"] == lead].iterrows():
        if is_known(micros(row["created_at"]), as_of):
            return row
    return None


def colleagues(tables: Tables, lead: str, as_of: int) -> dict[str, int] | None:
    """Return the other leads of the lead's account with their creation; None without account."""
    row = known_lead(tables, lead, as_of)
    account = None if row is None else given(row["account_id"])
    if account is None:
        return None
    return {
        other["lead_id"]: micros(other["created_at"])
        for _, other in tables.leads.iterrows()
        if given(other["account_id"]) == account and other["lead_id"] != lead
    }


def days_since_stage(tables: Tables, lead: str, as_of: int, feature: StageFeature) -> float:
    """Return days since the latest entry before as_of, NaN without one."""
    entered = [
        micros(row["entered_at"])
        for _, row in tables.stages.iterrows()
        if row["lead_id"] == lead
        and feature.stage in {None, row["stage"]}
        and is_seen(micros(row["entered_at"]), as_of)
    ]
    return (as_of - max(entered)) / MICROS_PER_DAY if entered else math.nan


def account_leads(tables: Tables, lead: str, as_of: int, feature: AccountLeads) -> float:
    """Return how many other leads of the account were created in the window."""
    others = colleagues(tables, lead, as_of)
    if others is None:
        return math.nan
    return float(sum(is_in_lookback(at, as_of, feature.window) for at in others.values()))


def group_rate(tables: Tables, lead: str, as_of: int, feature: RateFeature) -> float:
    """Return the smoothed rate of the other leads of the lead's group."""
    row = known_lead(tables, lead, as_of)
    if row is None:
        return math.nan
    everybody, alike = [], []
    for _, other in tables.leads.iterrows():
        reached = _reached(tables, other, feature.outcome)
        is_new = _is_told(other, feature.outcome, as_of) and not (
            feature.window != EVER and _is_told(other, feature.outcome, as_of - feature.window)
        )
        if reached is not None and is_new and other["lead_id"] != lead:
            everybody.append(reached)
            if given(other[feature.source]) == given(row[feature.source]):
                alike.append(reached)
    if not everybody:
        return math.nan
    overall = feature.strength * (sum(everybody) / len(everybody))
    return (sum(alike) + overall) / (len(alike) + feature.strength)


def _is_told(lead: "pd.Series[Any]", outcome: Outcome, as_of: int) -> bool:
    return is_mature(micros(lead["created_at"]), outcome.horizon or 0, outcome.lag, as_of)


def _reached(tables: Tables, lead: "pd.Series[Any]", outcome: Outcome) -> bool | None:
    """Return whether a lead reached the outcome; None if it does not count."""
    if outcome.stage == FLAT_OUTCOME:
        value = given(lead["outcome"])
        return None if value is None else bool(value)
    passing = STAGE_ORDER[STAGE_ORDER.index(outcome.stage) :]
    passed = [
        micros(row["entered_at"])
        for _, row in tables.stages.iterrows()
        if row["lead_id"] == lead["lead_id"] and row["stage"] in passing
    ]
    first, created_at = min(passed, default=NEVER), micros(lead["created_at"])
    if not is_open(first, created_at):
        return None
    return bool(is_in_horizon(first, created_at, outcome.horizon or 0))


def ratio(of: Any, to: Any) -> float:
    """Return of / to, NaN where one is missing or the quotient is no number."""
    if math.isnan(of) or math.isnan(to) or to == 0:
        return math.nan
    quotient = float(of) / float(to)
    return quotient if math.isfinite(quotient) else math.nan
