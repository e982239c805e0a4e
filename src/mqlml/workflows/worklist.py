"""The worklist of the page for sales: the latest scores, who was handed over since when."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mqlml.errors import DataError
from mqlml.reports.lead_story import Step
from mqlml.reports.score_changes import FOR_SALES
from mqlml.reports.tables import records
from mqlml.reports.words import short
from mqlml.scoring.reasons import SEPARATOR
from mqlml.serving.cases import Case, Fact, Judged, Worklist
from mqlml.serving.settings import ServeSettings
from mqlml.storage.lead_events import steps_of_leads
from mqlml.storage.score_runs import ScoreRun, score_runs
from mqlml.storage.scores import read_score_file
from mqlml.storage.snapshot import read_tables
from mqlml.storage.tombstones import read_tombstones
from mqlml.tables.contracts import Tables
from mqlml.timeline import is_from
from mqlml.workflows.project import Project
from mqlml.workflows.verdict_store import store_people

_WATCHED = ("ledger", "scores", "tables/CURRENT", "erased.json")


def worklist_stamp(project: Project) -> Hashable:
    """Return what changes whenever the worklist may have changed."""
    root = project.workspace.root
    return tuple(_changed(root / name) for name in _WATCHED)


def _changed(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def load_worklist(project: Project) -> Worklist:
    """Return who is for sales by the latest scores over all leads; empty before the first.

    A lead is handed over at its last row in `handovers`, and without one at the first of
    the latest scorings in which it was for sales without a break. Leads that the scores
    before the latest handed over are not listed, but can still be judged.
    """
    workspace, settings = project.workspace, project.settings
    runs = [run for run in score_runs(workspace.ledger, settings.name) if not run.part]
    gone = read_tombstones(workspace.root)
    if not runs:
        return Worklist(erased=gone)
    latest = {run.as_of: run for run in runs}  # of several at one moment the last
    ordered = [latest[as_of] for as_of in sorted(latest)]
    newest = ordered[-1]
    scores = _for_sales(newest, workspace.scores)
    before = _for_sales(ordered[-2], workspace.scores) if len(ordered) > 1 else scores.head(0)
    left = before[~before["lead_id"].isin(scores["lead_id"])]
    tables = _tables(project)
    is_order_time = newest.is_order_time
    since = _handed_over(ordered, workspace.scores, tables, {*scores["lead_id"], *left["lead_id"]})
    known = _Known(
        since=since,
        first_run_ids=frozenset(before["lead_id"]),
        facts=_facts(tables, settings.serve),
        settings=settings.serve,
        judged=_judged(project, tables),
        is_order_time=is_order_time,
    )
    cases = [_case(row, known, is_listed=True) for row in records(scores)]
    cases += [_case(row, known, is_listed=False) for row in records(left)]
    return Worklist(
        as_of=newest.as_of,
        model_version=newest.version,
        cases=tuple(cases),
        steps=_steps(tables, [case.lead_id for case in cases]),
        erased=gone,
        is_order_time=is_order_time,
    )


@dataclass(frozen=True)
class _Known:
    """What is known of the leads beside their scores, by lead id."""

    since: Mapping[str, int]
    first_run_ids: frozenset[str]
    facts: Mapping[str, Mapping[str, str]]
    judged: Mapping[str, tuple[Judged, ...]]
    settings: ServeSettings
    is_order_time: bool


def _for_sales(run: ScoreRun, folder: Path) -> pd.DataFrame:
    frame = read_score_file(run.file(folder))
    return frame[frame["outcome"].isin(FOR_SALES)].reset_index(drop=True)


def _tables(project: Project) -> Tables | None:
    try:
        return read_tables(project.workspace.root)
    except DataError:
        return None  # no snapshot, or one that the next ingest makes anew: scores stand alone


def _handed_over(
    runs: Sequence[ScoreRun], folder: Path, tables: Tables | None, leads: set[str]
) -> dict[str, int]:
    since: dict[str, int] = {}
    still = set(leads)
    for run in reversed(runs):
        if not still:
            break
        frame = read_score_file(run.file(folder), ("lead_id", "outcome"))
        sales = set(frame.loc[frame["outcome"].isin(FOR_SALES), "lead_id"])
        # Leads that the newest scores let go were handed over by the ones before.
        still = {one for one in still if one in sales or (run is runs[-1] and one not in since)}
        since.update(dict.fromkeys(still & sales, run.as_of))
    return since | _entered(tables, leads)


def _entered(tables: Tables | None, leads: set[str]) -> dict[str, int]:
    """Return when leads were last handed over by what the tables say."""
    if tables is None:
        return {}
    rows = tables.handovers[tables.handovers["lead_id"].isin(leads)]
    times = rows["at"].dt.as_unit("us").astype("int64")
    last = times.groupby(rows["lead_id"].astype("str")).max()
    return {str(lead): int(at) for lead, at in last.items()}


def _judged(project: Project, tables: Tables | None) -> dict[str, tuple[Judged, ...]]:
    """Return the verdicts of the tables that did not come from the store itself."""
    if tables is None or tables.verdicts.empty:
        return {}
    own = store_people(project)
    frame = tables.verdicts[~tables.verdicts["who"].isin(own)]
    times = frame["given_at"].dt.as_unit("us").astype("int64")
    found: dict[str, list[Judged]] = {}
    for row, at in zip(records(frame), times, strict=True):
        one = Judged(int(at), _text(row["who"]), str(row["verdict"]), _text(row["reason"]))
        found.setdefault(str(row["lead_id"]), []).append(one)
    return {lead: tuple(listed) for lead, listed in found.items()}


def _facts(tables: Tables | None, settings: ServeSettings) -> dict[str, dict[str, str]]:
    """Return the attributes that are shown or name the owner, by lead; of dated ones the last."""
    wanted = dict.fromkeys([*settings.show, *([settings.owner] if settings.owner else [])])
    if tables is None or not wanted:
        return {}
    found: dict[str, dict[str, str]] = {}
    for name in wanted:
        if name in tables.leads:
            pairs = zip(tables.leads["lead_id"], tables.leads[name], strict=True)
        else:
            dated = tables.attributes[tables.attributes["name"] == name]
            dated = dated.sort_values("known_at", kind="stable")
            pairs = zip(dated["lead_id"], dated["value"], strict=True)
        for lead, value in pairs:
            if _text(value):
                found.setdefault(str(lead), {})[name] = _text(value)
    return found


def _case(row: dict[str, Any], known: _Known, *, is_listed: bool) -> Case:
    lead = str(row["lead_id"])
    facts = known.facts.get(lead, {})
    since = 0 if known.is_order_time else known.since[lead]
    trend = row.get("trend")
    return Case(
        lead_id=lead,
        handed_over_at=since,
        outcome=str(row["outcome"]),
        score=float(row["score"]),
        grade=_text(row.get("grade")),
        trend=float(trend) if trend is not None and np.isfinite(trend) else None,
        because=_text(row.get("because")),
        persona=_text(row.get("persona")),
        reasons_up=_reasons(row.get("reasons_up")),
        reasons_down=_reasons(row.get("reasons_down")),
        owner=facts.get(known.settings.owner or "", ""),
        facts=tuple(Fact(n.replace("_", " "), facts[n]) for n in known.settings.show if n in facts),
        judged=tuple(j for j in known.judged.get(lead, ()) if is_from(j.given_at, since)),
        is_new=is_listed and lead not in known.first_run_ids,
        is_listed=is_listed,
    )


def _reasons(joined: object) -> tuple[str, ...]:
    return tuple(part for part in _text(joined).split(SEPARATOR) if part)


def _text(value: object) -> str:
    is_missing = value is None or value != value
    return "" if is_missing else str(value)


def _steps(tables: Tables | None, leads: Sequence[str]) -> Callable[[str], Sequence[Step]]:
    if tables is None or not leads:
        return lambda _lead: ()
    found = steps_of_leads(tables, leads)

    def steps(lead: str) -> Sequence[Step]:
        return [Step(at, kind, short(of, 80) if of else "") for at, kind, of in found(lead)]

    return steps
