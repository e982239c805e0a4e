"""The features in plain Python: slow and obvious. Every engine must equal it.

Each point looks at all events of its lead, keeps those that the time rule lets
it see, and asks the kind of each feature for its number.
"""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.features.attribute_matrix import match_share, transformed
from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.event_files import event_files, read_events
from mqlml.features.icp import stated_parts
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS, KINDS
from mqlml.features.kinds.kind import Question, SeenEvent
from mqlml.features.plan import Plan
from mqlml.features.reference_tables import (
    PlainTables,
    account_leads,
    colleagues,
    days_since_stage,
    given,
    group_rate,
    micros,
    plain,
    ratio,
    value_at,
)
from mqlml.tables.contracts import SPELL_COLUMNS, EventLog, Tables
from mqlml.tables.expressions import evaluate
from mqlml.timeline import EVER, NEVER, counts_from, is_in_lookback, is_seen


@dataclass(frozen=True)
class _Event:
    at: int
    after: int
    until: int
    event_id: str
    signals: frozenset[str]
    row: dict[Hashable, Any]


def reference_features(tables: Tables, points: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the feature matrix: one row per point in the points' order, columns of the plan."""
    events = _events_by_lead(tables.events, plan)
    rows_of = plain(tables)
    rows = [
        _row(rows_of, events, lead, as_of, plan)
        for lead, as_of in zip(points["lead_id"], points["as_of"].tolist(), strict=True)
    ]
    matrix = pd.DataFrame(rows, columns=list(plan.columns), index=range(len(points)))
    dtypes = {i.column: "str" if i.dtype == "category" else "float64" for i in plan.infos}
    return matrix.astype(dtypes)


def _row(
    tables: PlainTables, events: dict[str, list[_Event]], lead: str, as_of: int, plan: Plan
) -> dict[str, float | str | None]:
    row = {
        **{f.column: _event_feature(f, events[lead], as_of) for f in plan.features},
        **{a.column: _attribute_feature(a, tables, lead, as_of, plan) for a in plan.attributes},
        **{s.column: days_since_stage(tables, lead, as_of, s) for s in plan.stages},
        **{a.column: account_leads(tables, lead, as_of, a) for a in plan.account_leads},
        **{f.column: _account_feature(f, tables, events, lead, as_of) for f in plan.accounts},
        **{r.column: group_rate(tables, lead, as_of, r) for r in plan.rates},
    }
    return row | {r.column: ratio(row[r.of], row[r.to]) for r in plan.ratios}


def _events_by_lead(log: EventLog, plan: Plan) -> dict[str, list[_Event]]:
    by_lead: dict[str, list[_Event]] = defaultdict(list)
    files = [read_events(file) for file in event_files(log)]
    if not files:
        return by_lead
    frame = pd.concat(files, ignore_index=True)
    holds = evaluate(frame, {s.name: s.where for s in plan.signals})
    for row, held in zip(frame.to_dict("records"), holds.to_dict("records"), strict=True):
        if not given(row["is_bot"]):
            at = counts_from(micros(row["occurred_at"]), micros(row["arrived_at"]))
            signals = frozenset(str(name) for name, is_held in held.items() if is_held)
            event = _Event(int(at), *_bounds(row), row["event_id"], signals, row)
            by_lead[row["lead_id"]].append(event)
    for events in by_lead.values():
        events.sort(key=lambda event: (event.at, event.event_id))
    return by_lead


def _bounds(row: dict[Hashable, Any]) -> tuple[int, int]:
    """Return the as_of after which, and until which, an event counts for its lead."""
    after, until = (given(row.get(column.name)) for column in SPELL_COLUMNS)
    return -EVER if after is None else micros(after), NEVER if until is None else micros(until)


def _counts(event: _Event, as_of: int) -> bool:
    return is_seen(event.after, as_of) and not is_seen(event.until, as_of)


def _event_feature(feature: Feature, events: list[_Event], as_of: int) -> float:
    whole = feature.among or feature.signal
    seen = [
        SeenEvent(event.at, _value(feature, event))
        for event in events
        if whole.name in event.signals
        and is_in_lookback(event.at, as_of, feature.window)
        and _counts(event, as_of)
    ]
    return KINDS[feature.kind].measure(seen, _question(feature, as_of))


def _value(feature: Feature, event: _Event) -> Any:
    if feature.among is not None:
        return 1.0 if feature.signal.name in event.signals else 0.0
    return given(event.row[feature.of]) if feature.of else None


def _question(feature: Feature, as_of: int) -> Question:
    return Question(as_of, feature.window, feature.half_life, feature.cap)


def _account_feature(
    feature: Feature, tables: PlainTables, events: dict[str, list[_Event]], lead: str, as_of: int
) -> float:
    others = colleagues(tables, lead, as_of)
    if others is None:
        return float("nan")
    dated = [
        SeenEvent(int(counts_from(event.at, created_at)), other)
        for other, created_at in others.items()
        for event in events.get(other, ())
        if feature.signal.name in event.signals and _counts(event, as_of)
    ]
    seen = [event for event in dated if is_in_lookback(event.at, as_of, feature.window)]
    return ACCOUNT_KINDS[feature.kind].measure(seen, _question(feature, as_of))


def _attribute_feature(
    feature: AttributeFeature, tables: PlainTables, lead: str, as_of: int, plan: Plan
) -> float | str | None:
    if feature.transform != "icp_match_share":
        return transformed(feature, plan.icp, value_at(tables, lead, as_of, feature.source))
    fits = [
        transformed(
            AttributeFeature("", source, f"icp_{part}", ""),  # type: ignore[arg-type]
            plan.icp,
            value_at(tables, lead, as_of, source),
        )
        for part, source in stated_parts(plan.icp).items()
    ]
    return float(match_share(np.array([fits], dtype=np.float64))[0])
