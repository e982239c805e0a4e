"""What the data hold before an instant: all that a proposed plan may look at."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.settings import TargetSettings
from mqlml.features.event_files import event_files, read_columns
from mqlml.features.proposal import Seen, is_group_name
from mqlml.tables.contracts import STAGE_ORDER, ColumnType, EventLog, Known, Tables

_DISTINCT_TEXTS = ("page", "asset", "channel", "campaign", "type")
_MOST_GROUPS = 200


def seen_before(tables: Tables, target: TargetSettings, test_from: int) -> Seen:
    """Return what the data hold before the test begins."""
    leads = tables.leads[_before(tables.leads["created_at"], test_from)]
    stages = tables.stages[_before(tables.stages["entered_at"], test_from)]
    accounts = leads["account_id"].dropna()
    days, types, filled = _seen_events(tables.events, test_from)
    return Seen(
        days=days,
        types=types,
        texts=frozenset(name for name in _DISTINCT_TEXTS if name in filled),
        numbers=frozenset({"duration_s", "value"} & filled),
        stages=_stages_before(target.stage, set(stages["stage"])),
        groups=_groups(tables, leads) if target.horizon_days else (),
        has_accounts=bool(accounts.duplicated().any()),
    )


def _before(times: "pd.Series[pd.Timestamp]", instant: int) -> "np.ndarray[Any, Any]":
    micros = times.astype("int64").to_numpy().astype(np.int64)
    return np.asarray(timeline.is_seen(micros, np.full_like(micros, instant)))


def _stages_before(target: str, entered: set[str]) -> tuple[str, ...]:
    """Return the stages on the way to the target, and those beside it, that leads entered."""
    if target not in STAGE_ORDER:
        return ()
    beyond = STAGE_ORDER[STAGE_ORDER.index(target) :]
    # Everybody is a lead, and who is disqualified is not looked at.
    return tuple(sorted(entered - {*beyond, "lead", "disqualified"}))


def _groups(tables: Tables, leads: pd.DataFrame) -> tuple[str, ...]:
    """Return the attributes that tell where leads come from, if many leads share their values."""
    named = [
        spec.name
        for spec in tables.attribute_specs
        if spec.known is Known.CREATION
        and spec.type is ColumnType.TEXT
        and is_group_name(spec.name)
    ]
    return tuple(name for name in named if 2 <= leads[name].nunique() <= _MOST_GROUPS)


def _seen_events(log: EventLog, test_from: int) -> tuple[float, Sequence[str], set[str]]:
    """Return the days that the events span, their types by frequency, and filled columns."""
    types: Counter[str] = Counter()
    filled: set[str] = set()
    first, last = test_from, test_from
    wanted = ("type", "occurred_at", "arrived_at", "is_bot", "value", "duration_s")
    for file in event_files(log):
        frame = read_columns(file, dict.fromkeys((*wanted, *_DISTINCT_TEXTS)))
        late = frame[["occurred_at", "arrived_at"]].max(axis=1)
        known = frame[_before(late, test_from) & ~frame["is_bot"].fillna(value=False).astype(bool)]
        if known.empty:
            continue
        types.update(known["type"].tolist())
        filled |= {str(name) for name in frame.columns if known[name].notna().any()}
        first = min(first, int(known["occurred_at"].astype("int64").min()))
    names = sorted(types, key=lambda name: (-types[name], name))
    return (last - first) / timeline.MICROS_PER_DAY, names, filled
