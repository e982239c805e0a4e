"""Hints for one lead: its events changed, its features worked out anew, its outcome asked again."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from mqlml.engines.settings import EngineSettings
from mqlml.features.plan import Plan
from mqlml.features.signals import ANY
from mqlml.modeling.bundle import Bundle
from mqlml.scoring.hints import Case, Change, Hint, changed_matrix, hints_of
from mqlml.scoring.score import Policy
from mqlml.scoring.why import changed_cells
from mqlml.storage.changed_events import read_lead_events, write_versions
from mqlml.tables.contracts import EventLog, Tables
from mqlml.wiring import make_engine

_MOST_EVENTS = 3
_AS_IS = "0000"


def hints_for(
    bundle: Bundle,
    policy: Policy,
    case: Case,
    tables: Tables,
    point: pd.DataFrame,
    *,
    everybody: EventLog,
    folder: Path,
) -> tuple[Hint, ...]:
    """Return which few events more or fewer would have led to another outcome.

    Nothing is offered if the lead's own events do not give its features, as for a lead whose
    events counted only for a time (a merge that ended).

    Args:
        bundle: the model and its plan.
        policy: criteria and where MQL begins.
        case: the lead as it is.
        tables: whose events hold the lead's, and few others.
        point: the lead's point, one row.
        everybody: all events; examples of what the lead never did are taken from there.
        folder: an empty folder for the changed events.
    """
    plan = bundle.plan
    signals = tuple(signal for signal in plan.signals if signal.name != ANY.name)
    if not signals or not plan.features:
        return ()
    as_of, lead_id = int(point["as_of"].iloc[0]), str(point["lead_id"].iloc[0])
    events = read_lead_events(tables.events, everybody, lead_id, as_of, signals)
    counts = [n for i in range(1, _MOST_EVENTS + 1) for n in (i, -i)]
    asked = [Change(signal.name, n) for signal in signals for n in counts]
    versions = {"": events.version(_AS_IS, signals[0].name, 0)}
    changes: list[Change] = []
    for change in asked:
        name = f"{len(changes) + 1:04d}"
        version = events.version(name, change.signal, change.count)
        if version is not None:
            versions[name] = version
            changes.append(change)
    kept = [version for version in versions.values() if version is not None]
    log = write_versions(tables.events, kept, folder)
    ids = [_AS_IS, *(f"{i + 1:04d}" for i in range(len(changes)))]
    points = pd.DataFrame({"lead_id": pd.Series(ids, dtype="str"), "as_of": as_of})
    own = Plan(plan.signals, plan.features)
    found = make_engine(EngineSettings()).compute(replace(tables, events=log), points, own)
    if changed_cells(case.matrix[list(own.columns)].reset_index(drop=True), found.head(1)):
        return ()
    changed = changed_matrix(plan, case.matrix, found.iloc[1:].reset_index(drop=True))
    return hints_of(bundle, policy, case, changes, changed)
