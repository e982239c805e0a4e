"""Hints for leads: events changed, features worked out anew, the outcome asked again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow as pa

from mqlml.engines.settings import EngineSettings
from mqlml.features.plan import Plan
from mqlml.features.signals import ANY, Signal
from mqlml.modeling.bundle import Bundle
from mqlml.scoring.hints import Case, Change, Hint, changed_matrix, hints_of
from mqlml.scoring.score import Policy
from mqlml.scoring.why import changed_cells
from mqlml.storage.changed_events import examples_of, read_lead_events, write_versions
from mqlml.tables.contracts import EventLog, Tables
from mqlml.wiring import make_engine

_MOST_EVENTS = 3


@dataclass(frozen=True)
class Scene:
    """Where leads' events lie: `tables` holds them and few others, `everybody` all there are.

    `folder` is an empty one for the changed events.
    """

    tables: Tables
    everybody: EventLog
    folder: Path


@dataclass(frozen=True)
class Asked:
    """One lead: its point (one row), the lead as it is, and by which policy it is judged."""

    point: pd.DataFrame
    case: Case
    policy: Policy


@dataclass(frozen=True)
class _Changed:
    """A lead's changes, and what it would have done after each; the first is as it is."""

    changes: list[Change]
    versions: list[pa.Table]
    as_of: int


def hints_for(bundle: Bundle, asked: Sequence[Asked], scene: Scene) -> list[tuple[Hint, ...]]:
    """Return, per lead, which few events more or fewer would have led to another outcome.

    Nothing is offered if the lead's own events do not give its features, as for a lead whose
    events counted only for a time (a merge that ended).
    """
    plan = bundle.plan
    signals = tuple(signal for signal in plan.signals if signal.name != ANY.name)
    if not asked or not signals or not plan.features:
        return [() for _ in asked]
    examples = examples_of(scene.everybody, signals)
    changed = [
        _changed(number, one, (scene.tables.events, examples), signals)
        for number, one in enumerate(asked)
    ]
    found = _features(plan, changed, scene)
    return [
        _hints(bundle, one, some.changes, frame)
        for one, some, frame in zip(asked, changed, found, strict=True)
    ]


def _hints(
    bundle: Bundle, asked: Asked, changes: Sequence[Change], found: pd.DataFrame
) -> tuple[Hint, ...]:
    plan, case = bundle.plan, asked.case
    as_is = case.matrix[[f.column for f in plan.features]].reset_index(drop=True)
    if changed_cells(as_is, found.head(1)):
        return ()
    matrix = changed_matrix(plan, case.matrix, found.iloc[1:].reset_index(drop=True))
    return hints_of(bundle, asked.policy, case, changes, matrix)


def _changed(
    number: int,
    asked: Asked,
    known: tuple[EventLog, Mapping[str, pa.Table]],
    signals: tuple[Signal, ...],
) -> _Changed:
    """Return the changes that are possible, each as the events of a lead of its own.

    `known` are the leads' events, and an example of each signal's.
    """
    as_of, lead_id = int(asked.point["as_of"].iloc[0]), str(asked.point["lead_id"].iloc[0])
    events = read_lead_events(*known, lead_id, as_of, signals)
    counts = [n for i in range(1, _MOST_EVENTS + 1) for n in (i, -i)]
    found = _Changed([], [events.as_is(_name(number, 0))], as_of)
    for signal, count in product(signals, counts):
        version = events.version(_name(number, len(found.versions)), signal.name, count)
        if version is not None:
            found.versions.append(version)
            found.changes.append(Change(signal.name, count))
    return found


def _features(plan: Plan, changed: Sequence[_Changed], scene: Scene) -> Iterator[pd.DataFrame]:
    """Yield the event features per lead: as is, then of each change."""
    versions = [version for one in changed for version in one.versions]
    log = write_versions(scene.tables.events, versions, scene.folder)
    named = [
        (_name(number, place), one.as_of)
        for number, one in enumerate(changed)
        for place in range(len(one.versions))
    ]
    ids = pd.Series([name for name, _ in named], dtype="str")
    points = pd.DataFrame({"lead_id": ids, "as_of": [as_of for _, as_of in named]})
    tables = replace(scene.tables, events=log)
    of_events = Plan(plan.signals, plan.features)
    whole = make_engine(EngineSettings()).compute(tables, points, of_events)
    start = 0
    for one in changed:
        yield whole.iloc[start : start + len(one.versions)].reset_index(drop=True)
        start += len(one.versions)


def _name(number: int, place: int) -> str:
    return f"{number:04d}-{place:04d}"
