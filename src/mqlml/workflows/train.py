"""`mqlml train`: from the sources to a published champion, recorded in MLflow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml.dataset.findings import Finding
from mqlml.errors import Fault, LeakageError, MqlmlError
from mqlml.modeling.settings import MOST_CANDIDATES
from mqlml.modeling.tournament import ContestantResult, TournamentResult
from mqlml.reports.audit import AuditFacts, audit_page
from mqlml.reports.facts import Named
from mqlml.reports.training import training_page, training_verdict
from mqlml.reports.training_facts import TrainingFacts
from mqlml.storage.atomic import replace_file
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.snapshot import snapshot_facts
from mqlml.tables.contracts import Tables
from mqlml.wiring import open_store
from mqlml.workflows.agreement import project_at
from mqlml.workflows.catching_up import catch_up
from mqlml.workflows.champion import known_version
from mqlml.workflows.fallback import fallback_mark, promotion_words, with_fallback
from mqlml.workflows.features import USUAL_MEANS, Means
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.kept_back import Recording, Then
from mqlml.workflows.learning import Learnt, learn
from mqlml.workflows.learning_page import training_facts
from mqlml.workflows.model_card import changes_since, known_champion
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import promote_trained
from mqlml.workflows.recording import Circumstances, record_training
from mqlml.workflows.sensitive import sensitive_lines

if TYPE_CHECKING:
    from mqlml.tracking.records import LoggedModel

Say = Callable[[str], None]

_WARNINGS = 6
_SEGMENTS = 8


@dataclass(frozen=True)
class TrainResult:
    """One training: what won, how good it is, and where everything lies."""

    learnt: Learnt
    run_id: str
    name: str
    version: str
    report: Path
    as_of: str
    quarantined: int
    verdict: str
    waits: bool = False

    @property
    def published(self) -> bool:
        """Return whether a model version was published."""
        return bool(self.version)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        result = self.learnt.result
        return {
            "run_id": self.run_id,
            "model": {"name": self.name, "version": self.version or None},
            "as_of": self.as_of,
            "winner": result.winner,
            "candidates": result.candidates,
            "segments": [asdict(segment) for segment in result.segments],
            "contestants": [
                {
                    "name": c.name,
                    "log_loss": c.log_loss,
                    "roc_auc": c.roc_auc,
                    "pr_auc": c.pr_auc,
                }
                for c in result.contestants
            ],
            "test": asdict(result.test),
            "test_by_contestant": {n: asdict(t) for n, t in result.test_by_contestant.items()},
            "constant": {"log_loss": result.constant_log_loss},
            "axis_cost": asdict(result.axis_cost) if result.axis_cost else None,
            "audit": [
                {
                    "column": f.column,
                    "finding": f.finding,
                    "action": f.action,
                    "evidence": f.evidence,
                }
                for f in self.learnt.findings
            ],
            "sensitive": [found.to_json() for found in self.learnt.sensitive],
            "gates": [asdict(gate) for gate in self.learnt.gates],
            "published": self.published,
            "fallback": self.learnt.fallback or None,
            "waits_for_mlflow": self.waits,
            "quarantined": self.quarantined,
            "mql_probability": self.learnt.mql_probability,
            "report": str(self.report),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: warnings first, then the figures, then the places."""
        yield from training_lines(self.learnt)
        yield self.verdict
        state = f"published as {self.name} version {self.version}, champion"
        if self.waits:
            yield "kept until MLflow is back: the next command records it and makes it champion"
        else:
            yield f"{state}{fallback_mark(self.learnt)}" if self.published else "not published"
        yield f"report: {self.report}"


def training_lines(learnt: Learnt) -> Iterator[str]:
    """Yield what a training found, a line each."""
    for finding in learnt.findings[:_WARNINGS]:
        yield f"{finding.action}: {finding.column}: {finding.finding} ({finding.evidence})"
    if len(learnt.findings) > _WARNINGS:
        yield f"… and {len(learnt.findings) - _WARNINGS} more warnings in the report"
    yield from sensitive_lines(learnt.sensitive)
    for gate in learnt.gates:
        if not gate.passed:
            found = f"found {gate.found:g}, needed {gate.needed:g}"
            yield f"gate not passed: {gate.name}: {found}; {gate.mend}"
    result = learnt.result
    yield from segment_lines(result)
    if result.candidates:
        tried = result.candidates
        yield f"searched {tried} candidates beyond the usual: --candidates {tried} repeats it"
    width = max(14, *(len(contestant.name) + 1 for contestant in result.contestants))
    yield f"{'':{width}}{'forward':>10}{'test':>10}{'test':>10}"
    yield f"{'':{width}}{'log loss':>10}{'log loss':>10}{'ROC-AUC':>10}"
    for contestant in result.contestants:
        test = result.test_by_contestant[contestant.name]
        yield (
            f"{contestant.name:<{width}}{contestant.log_loss:>10.4f}{test.log_loss:>10.4f}"
            f"{test.roc_auc:>10.3f}{_mark(contestant, learnt)}"
        )


def segment_lines(result: TournamentResult) -> Iterator[str]:
    """Yield what each segment is scored by, the largest first, and why it has no better."""
    for segment in result.segments[:_SEGMENTS]:
        yield f"segment {segment.segment}: {segment.words()}"
    if len(result.segments) > _SEGMENTS:
        yield f"… and {len(result.segments) - _SEGMENTS} smaller segments"


def _mark(contestant: ContestantResult, learnt: Learnt) -> str:
    """Return what stands behind a contestant's figures: whether it won, and why if not the best."""
    result = learnt.result
    if contestant.name != result.winner:
        return ""
    if learnt.fallback:
        return "  ← stands in: the fallback"
    is_best = contestant.log_loss <= min(other.log_loss for other in result.contestants)
    return "  ← winner" if is_best else "  ← winner: the simpler of equals"


def searching(project: Project, candidates: int | None, *, is_timed: bool) -> Project:
    """Return the project with so many candidates; if only a clock ends the search, the most."""
    if candidates is None and is_timed:
        candidates = MOST_CANDIDATES
    if candidates is None:
        return project
    model = project.settings.model.model_copy(update={"candidates": candidates})
    return replace(project, settings=project.settings.model_copy(update={"model": model}))


def _learnt(
    project: Project, tables: Tables, moment: int, *, seed: int, say: Say, means: Means
) -> Learnt:
    """Return what was learnt; a training that the audit stops leaves a page of its findings."""
    pages: list[Path] = []
    show = partial(_keep_stops, project, tables, moment, pages)
    try:
        return learn(project.settings, tables, seed=seed, say=say, means=means, show=show)
    except LeakageError as error:
        shown = (Fault("every finding is drawn on a page", str(page)) for page in pages)
        raise LeakageError(*error.faults, *shown) from None


def train(
    project: Project, *, as_of: int | None, seed: int, say: Say, means: Means = USUAL_MEANS
) -> TrainResult:
    """Train as of a moment (default: the data's end), record it, publish it if gates allow.

    A training that is published becomes champion. Raises LeakageError when a
    column knows the outcome (a page about it is kept then), and DataError when
    there is too little to learn from.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    learnt = _learnt(project, tables, moment, seed=seed, say=say, means=means)
    # Before the lock, under which a model is fetched.
    champion = known_champion(project)
    learnt = with_fallback(project.settings, learnt, champion, seed=seed)
    counts = snapshot_facts(project.workspace.root).counts
    facts = training_facts(
        project.settings, learnt, as_of=moment, version="", seed=seed, sources=counts
    )
    page = training_page(facts)
    told = Circumstances(
        moment, seed, "manual", since=changes_since(champion, learnt, project.settings)
    )
    say("recording the run")
    with project.workspace.lock("train"):
        logged, is_champion = _recorded(project, learnt, facts, told)
        report = keep_page(project, f"training-{logged.run_id[:8]}.html", page)
        if logged.version or not learnt.published:
            write_entry(project.workspace.ledger, _entry(logged, moment, is_champion=is_champion))
    return TrainResult(
        learnt=learnt,
        run_id=logged.run_id,
        name=logged.name,
        version=logged.version,
        report=report,
        as_of=shown_instant(moment),
        quarantined=sum(count.quarantined for count in counts),
        verdict=training_verdict(facts),
        waits=learnt.published and not is_champion,
    )


def _recorded(
    project: Project, learnt: Learnt, facts: TrainingFacts, told: Circumstances
) -> tuple["LoggedModel", bool]:
    """Return the run and its version, and whether that is champion. Hold the workspace's lock."""
    store = open_store(project.settings, project.workspace, project.secrets)
    catch_up(project, store, as_of=told.as_of)
    then = Then(
        "train",
        promote=learnt.published,
        compared=known_version(project, store),
        reason=told.reason,
        why=promotion_words(learnt),
    )
    recording = Recording(project, store, then)
    logged = record_training(recording, project, learnt, facts=facts, circumstances=told)
    return logged, bool(logged.version) and _promoted(recording, then, logged, told.as_of)


def _promoted(recording: Recording, then: Then, logged: "LoggedModel", moment: int) -> bool:
    """Return whether the version is champion now; while MLflow is away it becomes it later."""
    try:
        store = recording.store
        promote_trained(recording.project, store, logged, as_of=moment, why=then.why)
    except MqlmlError as error:
        recording.keep_promotion(error, logged, as_of=moment)
        return False
    return True


def _entry(logged: "LoggedModel", moment: int, *, is_champion: bool) -> Entry:
    payload = {
        "run_id": logged.run_id,
        "version": logged.version,
        "reason": "manual",
        "promoted": is_champion,
    }
    return Entry("train", moment, payload)


def _keep_stops(
    project: Project,
    tables: Tables,
    moment: int,
    pages: list[Path],
    findings: Sequence[Finding],
) -> None:
    """Keep the page of an audit that stops the run; without a stop the training's page tells."""
    if not any(finding.action == "stop" for finding in findings):
        return
    as_of = None if tables.is_order_time else moment
    details = [Named("Data", tables.digest)]
    page = audit_page(AuditFacts(project.settings.name, as_of, findings, details))
    stamp = shown_instant(moment).replace(":", "").replace("-", "")
    with project.workspace.lock("train"):
        pages.append(keep_page(project, f"audit-{stamp}.html", page))


def keep_page(project: Project, name: str, page: str) -> Path:
    """Return the path of a page now kept in the workspace's reports."""
    path = project.workspace.reports / name
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, page.encode())
    return path
