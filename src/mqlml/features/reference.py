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
from mqlml.features.kinds.catalogue import KINDS
from mqlml.features.kinds.kind import Question, SeenEvent
from mqlml.features.plan import Plan
from mqlml.tables.contracts import EventLog, Known, Tables
from mqlml.tables.expressions import evaluate
from mqlml.timeline import counts_from, is_in_lookback, is_known, is_seen


@dataclass(frozen=True)
class _Event:
    at: int
    event_id: str
    signals: frozenset[str]
    row: dict[Hashable, Any]


def reference_features(tables: Tables, points: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the feature matrix: one row per point in the points' order, columns of the plan."""
    events = _events_by_lead(tables.events, plan)
    rows = [
        (
            *(_event_feature(f, events[lead], as_of) for f in plan.features),
            *(_attribute_feature(a, tables, lead, as_of, plan) for a in plan.attributes),
        )
        for lead, as_of in zip(points["lead_id"], points["as_of"].tolist(), strict=True)
    ]
    matrix = pd.DataFrame(rows, columns=list(plan.columns), index=range(len(points)))
    dtypes = {i.column: "str" if i.dtype == "category" else "float64" for i in plan.infos}
    return matrix.astype(dtypes)


def _events_by_lead(log: EventLog, plan: Plan) -> dict[str, list[_Event]]:
    by_lead: dict[str, list[_Event]] = defaultdict(list)
    files = [read_events(file) for file in event_files(log)]
    if not files:
        return by_lead
    frame = pd.concat(files, ignore_index=True)
    holds = evaluate(frame, {s.name: s.where for s in plan.signals})
    for row, held in zip(frame.to_dict("records"), holds.to_dict("records"), strict=True):
        if not _given(row["is_bot"]):
            at = counts_from(_micros(row["occurred_at"]), _micros(row["arrived_at"]))
            signals = frozenset(str(name) for name, is_held in held.items() if is_held)
            event = _Event(int(at), row["event_id"], signals, row)
            by_lead[row["lead_id"]].append(event)
    for events in by_lead.values():
        events.sort(key=lambda event: (event.at, event.event_id))
    return by_lead


def _micros(time: pd.Timestamp) -> int:
    return time.value // 1000


def _given(value: Any) -> Any:
    """Return the value, None when it is missing."""
    return None if pd.isna(value) else value


def _event_feature(feature: Feature, events: list[_Event], as_of: int) -> float:
    seen = [
        SeenEvent(event.at, _given(event.row[feature.of]) if feature.of else None)
        for event in events
        if feature.signal.name in event.signals and is_in_lookback(event.at, as_of, feature.window)
    ]
    return KINDS[feature.kind].measure(seen, Question(as_of, feature.window, feature.half_life))


def _attribute_feature(
    feature: AttributeFeature, tables: Tables, lead: str, as_of: int, plan: Plan
) -> float | str | None:
    if feature.transform != "icp_match_share":
        return transformed(feature, plan.icp, _value_at(tables, lead, as_of, feature.source))
    fits = [
        transformed(
            AttributeFeature("", source, f"icp_{part}", ""),  # type: ignore[arg-type]
            plan.icp,
            _value_at(tables, lead, as_of, source),
        )
        for part, source in stated_parts(plan.icp).items()
    ]
    return float(match_share(np.array([fits], dtype=np.float64))[0])


def _value_at(tables: Tables, lead: str, as_of: int, name: str) -> Any:
    """Return the lead's value of attribute `name` as known at `as_of`, None when missing."""
    if name in tables.attributes_known(Known.DATED):
        rows = tables.attributes
        rows = rows[(rows["lead_id"] == lead) & (rows["name"] == name)]
        seen = [
            (_micros(known_at), _given(value) is not None, _given(value) or "")
            for known_at, value in zip(rows["known_at"], rows["value"], strict=True)
            if is_seen(_micros(known_at), as_of)
        ]
        _, is_given, value = max(seen, default=(0, False, ""))
        return value if is_given else None
    for _, row in tables.leads[tables.leads["lead_id"] == lead].iterrows():
        if is_known(_micros(row["created_at"]), as_of):
            return _given(row[name])
    return None
