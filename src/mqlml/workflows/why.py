"""`mqlml why`: why a lead's score moved between two days."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.criteria.decide import decide
from mqlml.dataset.points import open_points
from mqlml.engines.settings import EngineSettings
from mqlml.errors import DataError, Fault, UsageError
from mqlml.features.plan import Plan
from mqlml.scoring.hints import Case, Hint
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import score_points
from mqlml.scoring.why import Views, counting_plan, parts_of_moves
from mqlml.storage.lead_events import tables_of_leads
from mqlml.storage.score_runs import ScoreRun, run_at, score_runs
from mqlml.storage.scores import read_score_file
from mqlml.tables.contracts import EventLog, Tables
from mqlml.wiring import make_engine, open_store
from mqlml.workflows.agreement import project_at
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.consent import refusing_leads
from mqlml.workflows.hints import Asked, Scene, hints_for
from mqlml.workflows.ingest import as_known_at, current_tables
from mqlml.workflows.moved import Move, Side, move_of
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.score import terms_now
from mqlml.workflows.terms import Terms, terms_from_json

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Day:
    """One of the two days: the model and the terms in force, and what was known."""

    as_of: int
    run: ScoreRun | None
    loaded: Loaded
    terms: Terms
    tables: Tables
    points: pd.DataFrame

    @property
    def plan(self) -> Plan:
        return self.loaded.bundle.plan

    def matrix(self) -> pd.DataFrame:
        """Return the leads on this day as this day's model sees them."""
        return make_engine(EngineSettings()).compute(self.tables, self.points, self.plan)


@dataclass(frozen=True)
class Moves:
    """Why the scores of several leads moved: `parts` as of `parts_of_moves`, `total` per lead."""

    lead_ids: tuple[str, ...]
    parts: pd.DataFrame
    total: npt.NDArray[np.float64]
    views: Views
    plan: Plan


def why(project: Project, lead_id: str, *, start: int, end: int, say: Say) -> Move:
    """Return why the score of a lead moved between two moments.

    Each day is judged by the model and the terms of the last run up to it, or, before
    the first run, by the champion and the config's criteria. The data are those of
    today's snapshot, as far as they were known on each day; where that does not give
    the score of then, the answer says so.

    Raises:
        UsageError: the moments are not in order, or times mean no days.
        DataError: the lead is unknown, or not scored on one of the days.
    """
    _check_moments(start, end)
    tables = _tables(project, [lead_id], say)
    days = _days(project, tables, [lead_id], (start, end))
    with _scratch(project) as folder:
        first, second = _narrowed(days, folder)
        say("following the score")
        moves = _moves(first, second, folder)
        sides = [_side(project, day) for day in (first, second)]
        is_one_list = first.terms.listed is not None and first.terms.digest == second.terms.digest
        then = sides[1].outcome if is_one_list else _by_earlier_terms(first, second)
        move = move_of(lead_id, sides[0], sides[1], moves.parts, moves.views, moves.plan, then)
        return replace(move, hints=_hints(second, everybody=days[1].tables.events, folder=folder))


def why_many(project: Project, lead_ids: Sequence[str], *, start: int, end: int, say: Say) -> Moves:
    """Return why the scores of leads moved, in parts only; raises what `why` raises."""
    _check_moments(start, end)
    tables = _tables(project, lead_ids, say)
    days = _days(project, tables, lead_ids, (start, end))
    with _scratch(project) as folder:
        first, second = _narrowed(days, folder)
        return _moves(first, second, folder)


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """Yield a folder for the leads' events; a killed run leaves it to be swept away."""
    root = project.workspace.root
    with (
        project.workspace.lock("why"),
        tempfile.TemporaryDirectory(prefix=".why.", suffix=".new", dir=root) as folder,
    ):
        yield Path(folder)


def _check_moments(start: int, end: int) -> None:
    if timeline.is_known(end, start):
        found = f"--from {shown_instant(start)}, --to {shown_instant(end)}"
        raise UsageError(Fault("the moments are not in order", "--to", found, "let --to be later"))


def _tables(project: Project, lead_ids: Sequence[str], say: Say) -> Tables:
    tables = current_tables(project, say=say)
    if tables.is_order_time:
        found = "times made from an order column, which know before and after but no days"
        mend = "map columns.created_at to a date"
        raise UsageError(Fault("there are no days to compare", "--from", found, mend))
    unknown = set(lead_ids) - set(tables.leads["lead_id"])
    if unknown:
        mend = "give the lead_id as it stands in the leads table"
        found = f"{len(unknown)} of {len(lead_ids)} ids"
        raise DataError(Fault("no such lead", "LEAD", found, mend))
    refused = refusing_leads(tables, project.settings.sources.consent) & set(lead_ids)
    if refused:
        found = f"{len(refused)} of {len(lead_ids)} leads"
        mend = "nobody's score is explained who refused to be profiled"
        raise DataError(Fault("the lead refused to be profiled", "LEAD", found, mend))
    return tables


def _days(
    project: Project, tables: Tables, lead_ids: Sequence[str], moments: tuple[int, int]
) -> tuple[_Day, _Day]:
    """Return both days; called without the workspace's lock, under which models are fetched."""
    runs = score_runs(project.workspace.ledger, project.settings.name)
    store = open_store(project.settings, project.workspace, project.secrets)
    first, second = (_day(project, store, runs, tables, at, lead_ids) for at in moments)
    return first, second


def _narrowed(days: tuple[_Day, _Day], folder: Path) -> tuple[_Day, _Day]:
    """Return the days with the events of their leads only, as far as they were known."""
    widest = days[1].tables
    own = tables_of_leads(widest, days[1].points["lead_id"], folder / "own").events
    first, second = (replace(day, tables=replace(day.tables, events=own)) for day in days)
    return first, second


def _day(
    project: Project,
    store: "MlflowStore",
    runs: tuple[ScoreRun, ...],
    tables: Tables,
    as_of: int,
    lead_ids: Sequence[str],
) -> _Day:
    run = run_at(runs, as_of, is_exact=False)
    loaded = fetch(store, project, run.version if run else None)
    known = as_known_at(tables, as_of)
    if run:
        terms = terms_from_json(run.terms)
    else:
        terms = terms_now(project_at(project, known, as_of), known, loaded)
    points = open_points(known, terms.target, terms.points, as_of=as_of)
    place = points.reset_index().set_index("lead_id")["index"].reindex(list(lead_ids))
    if place.isna().any():
        found = f"{int(place.isna().sum())} of {len(lead_ids)} leads at {shown_instant(as_of)}"
        mend = "choose days on which the lead was known, open, and young enough to be looked at"
        raise DataError(Fault("the lead was not scored", "LEAD", found, mend))
    asked = points.iloc[place.to_numpy(np.int64)].reset_index(drop=True)
    return _Day(as_of, run, loaded, terms, known, asked)


def _moves(first: _Day, second: _Day, folder: Path) -> Moves:
    views, later = _views(first, second, folder)
    before, after = first.loaded.bundle.model, second.loaded.bundle.model
    parts = parts_of_moves(before, after, first.plan, views, later)
    total = after.log_odds(later) - before.log_odds(views.before)
    return Moves(tuple(first.points["lead_id"]), parts, total, views, first.plan)


def _views(first: _Day, second: _Day, folder: Path) -> tuple[Views, pd.DataFrame]:
    """Return the leads as the earlier model sees them, and as the later one does."""
    engine, plan, counts = make_engine(EngineSettings()), first.plan, counting_plan(first.plan)
    unheard = _unheard(first, folder / "unheard")
    seen = ((first.tables, first.points), (unheard, second.points), (second.tables, second.points))
    matrices = [engine.compute(tables, points, plan) for tables, points in seen]
    counted = [engine.compute(tables, points, counts) for tables, points in seen]
    is_one_plan = plan.fingerprint == second.plan.fingerprint
    later = matrices[2] if is_one_plan else second.matrix()
    return Views(*matrices, *counted), later


def _unheard(first: _Day, folder: Path) -> Tables:
    """Return what was known on the first day, for a later day on which nothing was heard."""
    tables = first.tables
    known_at = tables.attributes["known_at"].dt.as_unit("us").astype("int64").to_numpy()
    kept = tables.attributes[timeline.is_seen(known_at, first.as_of)].reset_index(drop=True)
    events = tables_of_leads(tables, first.points["lead_id"], folder, before=first.as_of).events
    return Tables(**{**vars(tables), "attributes": kept, "events": events})


def _side(project: Project, day: _Day) -> Side:
    matrix = day.matrix()
    rows = rule_rows(day.tables, day.points, matrix)
    bundle, policy = day.loaded.bundle, day.terms.policy(day.loaded.version)
    row = score_points(bundle, day.points, matrix, rows=rows, policy=policy).iloc[0]
    is_exact = day.run is not None and day.run.as_of == day.as_of
    given = _given(project, day, str(row["lead_id"])) if is_exact else None
    # One lead alone says nothing of its rank: what the list of then made of it is read.
    of_list = given is not None and day.terms.listed is not None
    said = given if given is not None and of_list else row
    return Side(
        as_of=day.as_of,
        version=day.loaded.version,
        criteria_version=str(day.terms.criteria.version),
        criteria_digest=day.terms.digest,
        mql_probability=day.terms.mql_probability,
        log_odds=float(bundle.model.log_odds(matrix)[0]),
        probability=float(row["probability"]),
        score=float(row["score"]),
        outcome=str(said["outcome"]),
        because=str(said["because"]),
        run=day.run.number if day.run is not None and is_exact else None,
        given=None if given is None else float(given["probability"]),
        score_low=float(row["score_low"]),
        score_high=float(row["score_high"]),
    )


def _hints(day: _Day, *, everybody: EventLog, folder: Path) -> tuple[Hint, ...]:
    """Return what would have led to another outcome on this day."""
    if day.terms.listed is not None:
        return ()  # a place on a list hangs on all others, too
    matrix = day.matrix()
    case = Case(matrix, rule_rows(day.tables, day.points, matrix))
    policy = day.terms.policy(day.loaded.version)
    scene = Scene(day.tables, everybody, folder / "hints")
    (hints,) = hints_for(day.loaded.bundle, [Asked(day.points, case, policy)], scene)
    return hints


def _given(project: Project, day: _Day, lead_id: str) -> "pd.Series[Any] | None":
    """Return what the run of this very moment gave; None if it has no such lead."""
    if day.run is None:
        return None
    path = day.run.file(project.workspace.scores)
    frame = read_score_file(path, ("lead_id", "probability", "outcome", "because"))
    found = frame[frame["lead_id"] == lead_id]
    return found.iloc[0] if len(found) else None


def _by_earlier_terms(first: _Day, second: _Day) -> str:
    """Return what the second day's score would be by the criteria of the first."""
    matrix = second.matrix()
    rows = rule_rows(second.tables, second.points, matrix)
    probability = second.loaded.bundle.model.probability(matrix)
    terms = first.terms
    return str(decide(probability, rows, terms.criteria, terms.mql_probability)["outcome"].iloc[0])
