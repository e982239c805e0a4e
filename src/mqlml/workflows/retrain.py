"""`mqlml retrain`: a challenger for a named reason, promoted only if it is better."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mqlml import timeline
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.retraining import Decision, Reason, Request, challenger_gate, retrain_request
from mqlml.reports.facts import Named
from mqlml.reports.training import TrainingFacts, training_page
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.snapshot import snapshot_facts
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine, open_store
from mqlml.workflows.agreement import project_at
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.history import past_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.learning import Learnt, learn
from mqlml.workflows.learning_page import training_facts
from mqlml.workflows.model_card import changes_since
from mqlml.workflows.monitor import ERASED, find_changes
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import tell_promotion
from mqlml.workflows.recording import record_training
from mqlml.workflows.train import keep_page, training_lines

if TYPE_CHECKING:
    from mqlml.tracking.records import LoggedModel
    from mqlml.tracking.store import MlflowStore

Say = Callable[[str], None]


@dataclass(frozen=True)
class RetrainResult:
    """Whether there was a reason, what was learnt, and what was decided."""

    request: Request
    decision: Decision
    run_id: str
    champion: str
    challenger: str
    as_of: str
    learnt: Learnt | None = None
    report: Path | None = None

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "retrained": self.learnt is not None,
            "reason": self.request.reason,
            "why": self.request.why,
            "promoted": self.decision.promote,
            "decision": self.decision.why,
            "figures": dict(self.decision.figures),
            "champion": {"version": self.champion},
            "challenger": {"version": self.challenger or None},
            "run_id": self.run_id,
            "as_of": self.as_of,
            "report": str(self.report) if self.report else None,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield f"reason: {self.request.reason}: {self.request.why}"
        if self.learnt is not None:
            yield from training_lines(self.learnt)
        yield self.decision.why
        yield f"champion: version {self.champion}"
        if self.report:
            yield f"report: {self.report}"


def retrain(
    project: Project, *, as_of: int | None, seed: int, reason: Reason, say: Say
) -> RetrainResult:
    """Train a challenger if `reason` holds, and let it take over if it is better.

    "auto" looks for a reason by monitoring. Every answer is recorded, "nothing
    to do" included. Raises BundleError without a champion to compare with.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    store = open_store(project.settings, project.workspace, project.secrets)
    loaded = fetch(store, project)
    request = _request(project, tables, loaded, reason, moment, say)
    if not request.is_needed and reason in {"auto", "erasure"} and store.is_marked(loaded.ref):
        request = Request(True, "erasure", ERASED)
    if not request.is_needed:
        return _nothing_to_do(project, store, loaded, request, moment)
    # A model of long ago ties with one of today on old leads: judge them on the latest.
    weeks = project.settings.monitoring.judged_weeks
    learnt = learn(project.settings, tables, seed=seed, say=say, test_weeks=weeks)
    decision = _decide(project, learnt, loaded)
    challenge = _Challenge(project, loaded, request, learnt, decision, moment, seed)
    return _record(store, challenge)


def _request(
    project: Project, tables: Tables, loaded: Loaded, reason: Reason, moment: int, say: Say
) -> Request:
    changes: tuple[Change, ...] = ()
    if reason not in {"manual", "data"}:
        say("looking for a reason")
        past = past_of(project.settings, tables, loaded)
        changes = find_changes(project, tables, loaded, past).changes
    return retrain_request(
        reason,
        changes,
        trained_at=int(loaded.bundle.facts["data_end"]),
        as_of=moment,
        settings=project.settings.monitoring,
    )


def _decide(project: Project, learnt: Learnt, loaded: Loaded) -> Decision:
    """Compare on test points that neither the challenger's test model nor the champion learnt."""
    if not learnt.published:
        failed = ", ".join(gate.name for gate in learnt.gates if not gate.passed)
        return Decision(False, f"kept the champion: the challenger did not pass {failed}")
    if loaded.bundle.facts["target"] != project.settings.target.model_dump(mode="json"):
        why = (
            "promoted the challenger: the target changed, so the champion answers another question"
        )
        return Decision(True, why)
    points = learnt.dataset.points.iloc[learnt.split.test]
    as_of = points["as_of"].to_numpy(np.int64)
    learnt_until = int(loaded.bundle.facts["last_labelled_as_of"]) + 1
    rows = np.flatnonzero(timeline.is_from(as_of, learnt_until))
    points = points.iloc[rows].reset_index(drop=True)
    # By the champion's own plan: a column of the same name may mean something else by now.
    matrix = make_engine(project.settings.engine).compute(learnt.tables, points, loaded.bundle.plan)
    return challenger_gate(
        points["lead_id"].to_numpy(),
        learnt.result.test_labels[rows],
        champion=loaded.bundle.model.probability(matrix),
        challenger=learnt.result.test_probabilities[rows],
        settings=project.settings.monitoring,
    )


@dataclass(frozen=True)
class _Challenge:
    """A challenger that was learnt for a reason, and what was decided about it."""

    project: Project
    champion: Loaded
    request: Request
    learnt: Learnt
    decision: Decision
    moment: int
    seed: int

    def facts(self) -> TrainingFacts:
        """Return what the challenger's page shows."""
        counts = snapshot_facts(self.project.workspace.root).counts
        facts = training_facts(
            self.project.settings,
            self.learnt,
            as_of=self.moment,
            version="",
            seed=self.seed,
            sources=counts,
        )
        occasion = (
            Named("Why it was trained", f"{self.request.reason}: {self.request.why}"),
            Named("What was decided", self.decision.why),
        )
        return replace(facts, occasion=occasion, is_promoted=self.decision.promote)

    def outcome(self) -> dict[str, str]:
        """Return what the record says beside the training's own."""
        return {
            "why": self.request.why,
            "from_version": self.champion.version,
            "decided": self.decision.why,
        }


def _record(store: "MlflowStore", challenge: _Challenge) -> RetrainResult:
    """Keep the challenger, promote it if that was decided, and write page and ledger entry."""
    project, request, decision = challenge.project, challenge.request, challenge.decision
    facts = challenge.facts()
    page = training_page(facts)
    with project.workspace.lock("retrain"):
        tell_promotion(project, store)
        logged = record_training(
            store,
            project,
            challenge.learnt,
            as_of=challenge.moment,
            seed=challenge.seed,
            reason=request.reason,
            facts=facts,
            kind="retrain",
            extra=challenge.outcome(),
            since=changes_since(challenge.champion, challenge.learnt, project.settings),
        )
        promoted = decision.promote and bool(logged.version)
        if promoted:
            store.promote(
                logged.name, logged.version, as_of=challenge.moment, reason=request.reason
            )
        report = keep_page(project, f"retraining-{logged.run_id[:8]}.html", page)
        _write_entry(challenge, logged, promoted=promoted)
    return RetrainResult(
        request=request,
        decision=decision,
        run_id=logged.run_id,
        champion=logged.version if promoted else challenge.champion.version,
        challenger=logged.version,
        as_of=shown_instant(challenge.moment),
        learnt=challenge.learnt,
        report=report,
    )


def _write_entry(challenge: _Challenge, logged: "LoggedModel", *, promoted: bool) -> None:
    payload = {
        "run_id": logged.run_id,
        "version": logged.version,
        "reason": challenge.request.reason,
        "promoted": promoted,
        "decision": challenge.decision.why,
    }
    entry = Entry("retrain", challenge.moment, payload)
    write_entry(challenge.project.workspace.ledger, entry)


def _nothing_to_do(
    project: Project, store: "MlflowStore", loaded: Loaded, request: Request, moment: int
) -> RetrainResult:
    from mqlml.tracking.records import RunRecord

    decision = Decision(False, request.why)
    record = RunRecord(
        name=project.settings.name,
        kind="retrain",
        as_of=moment,
        reason=request.reason,
        decision=request.why,
        model_version=loaded.version,
    )
    with project.workspace.lock("retrain"):
        run_id = store.log_run(record)
        payload = {"run_id": run_id, "promoted": False, "decision": request.why}
        write_entry(project.workspace.ledger, Entry("retrain", moment, payload))
    return RetrainResult(request, decision, run_id, loaded.version, "", shown_instant(moment))
