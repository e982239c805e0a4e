"""Hints for one lead: its events changed, its features worked out anew, its outcome asked again."""

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pandas as pd

from mqlml.engines.settings import EngineSettings
from mqlml.features.plan import Plan
from mqlml.features.signals import ANY, Signal
from mqlml.modeling.bundle import Bundle
from mqlml.scoring.hints import Case, Change, Hint, changed_matrix, hints_of
from mqlml.scoring.score import Policy
from mqlml.scoring.why import changed_cells
from mqlml.storage.changed_events import read_lead_events, write_versions
from mqlml.tables.contracts import EventLog, Tables
from mqlml.wiring import make_engine

_MOST_EVENTS = 3


@dataclass(frozen=True)
class Scene:
    """Where one lead's events lie: `tables` holds them and few others, `everybody` all there are.

    `point` is the lead's point, one row; `folder` an empty one for the changed events.
    """

    tables: Tables
    point: pd.DataFrame
    everybody: EventLog
    folder: Path


def hints_for(bundle: Bundle, policy: Policy, case: Case, scene: Scene) -> tuple[Hint, ...]:
    """Return which few events more or fewer would have led to another outcome.

    Nothing is offered if the lead's own events do not give its features, as for a lead whose
    events counted only for a time (a merge that ended).
    """
    plan = bundle.plan
    signals = tuple(signal for signal in plan.signals if signal.name != ANY.name)
    if not signals or not plan.features:
        return ()
    changes, found = _changed_features(plan, signals, scene)
    as_is = case.matrix[[f.column for f in plan.features]].reset_index(drop=True)
    if changed_cells(as_is, found.head(1)):
        return ()
    changed = changed_matrix(plan, case.matrix, found.iloc[1:].reset_index(drop=True))
    return hints_of(bundle, policy, case, changes, changed)


def _changed_features(
    plan: Plan, signals: tuple[Signal, ...], scene: Scene
) -> tuple[list[Change], pd.DataFrame]:
    """Return the changes that are possible, and the event features: as is, then of each change."""
    as_of, lead_id = int(scene.point["as_of"].iloc[0]), str(scene.point["lead_id"].iloc[0])
    own = scene.tables.events
    events = read_lead_events(own, scene.everybody, lead_id, as_of, signals)
    counts = [n for i in range(1, _MOST_EVENTS + 1) for n in (i, -i)]
    changes: list[Change] = []
    versions = [events.as_is(_name(0))]
    for signal, count in product(signals, counts):
        version = events.version(_name(len(versions)), signal.name, count)
        if version is not None:
            versions.append(version)
            changes.append(Change(signal.name, count))
    log = write_versions(own, versions, scene.folder)
    ids = pd.Series([_name(place) for place in range(len(versions))], dtype="str")
    points = pd.DataFrame({"lead_id": ids, "as_of": as_of})
    tables = replace(scene.tables, events=log)
    of_events = Plan(plan.signals, plan.features)
    return changes, make_engine(EngineSettings()).compute(tables, points, of_events)


def _name(place: int) -> str:
    return f"{place:04d}"
