"""What became of a retraining, kept: run, version, page, ledger entry, and who is champion."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqlml.criteria.file import criteria_digest
from mqlml.errors import MqlmlError
from mqlml.modeling.bundle import save_bundle
from mqlml.monitoring.promotion import Decision
from mqlml.monitoring.retraining import Request
from mqlml.reports.facts import Named
from mqlml.reports.retraining import RetrainingFacts, retraining_page
from mqlml.reports.training import training_page
from mqlml.reports.training_facts import TrainingFacts
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.storage.snapshot import snapshot_facts
from mqlml.tables.contracts import Tables
from mqlml.workflows.adjusting import Adjusted
from mqlml.workflows.campaigns import campaign_of, campaign_payload
from mqlml.workflows.challenge import Occasion
from mqlml.workflows.champion import Loaded
from mqlml.workflows.history import Past
from mqlml.workflows.kept_back import Recorder, Recording, Then, unless_away
from mqlml.workflows.learning import Learnt
from mqlml.workflows.learning_page import training_facts
from mqlml.workflows.model_card import changes_since
from mqlml.workflows.moves import moved_by_tournament, moved_leads
from mqlml.workflows.project import Project
from mqlml.workflows.promotions import appoint, settle_champion
from mqlml.workflows.recording import Circumstances, json_artifact, record_training, usual_row
from mqlml.workflows.train import keep_page

if TYPE_CHECKING:
    from mqlml.tracking.records import LoggedModel
    from mqlml.tracking.store import MlflowStore


@dataclass(frozen=True)
class Kept:
    """The run of a retraining, its version ("" if none), and whether that is champion now."""

    run_id: str
    version: str
    decision: Decision
    report: Path | None = None

    @property
    def is_promoted(self) -> bool:
        """Return whether the version became champion."""
        return self.decision.promote and bool(self.version)


def keep_learnt(
    store: "MlflowStore", occasion: Occasion, learnt: Learnt, decision: Decision, past: Past
) -> Kept:
    """Keep the winner of a tournament, and promote it if that was decided."""

    def log(recorder: Recorder, decision: Decision) -> "tuple[LoggedModel, str]":
        facts = _training_facts(occasion, learnt, decision, past)
        circumstances = Circumstances(
            occasion.moment,
            occasion.seed,
            occasion.request.reason,
            kind="retrain",
            since=changes_since(occasion.champion, learnt, occasion.project.settings),
            extra=occasion.tags(decision),
            campaign=occasion.campaign,
        )
        logged = record_training(
            recorder, occasion.project, learnt, facts=facts, circumstances=circumstances
        )
        return logged, training_page(facts)

    return _keep(store, occasion, decision, log)


def keep_adjusted(
    store: "MlflowStore",
    occasion: Occasion,
    adjusted: Adjusted,
    past: Past,
    tables: Tables,
) -> Kept:
    """Keep a champion that was adjusted, and promote it if that was decided."""

    def log(recorder: Recorder, decision: Decision) -> "tuple[LoggedModel, str]":
        page = retraining_page(_retraining_facts(occasion, adjusted, past, tables, decision))
        return _log_adjusted(recorder, occasion, adjusted, past, decision, page), page

    return _keep(store, occasion, adjusted.decision, log)


def _keep(
    store: "MlflowStore",
    occasion: Occasion,
    decision: Decision,
    log: "Callable[[Recorder, Decision], tuple[LoggedModel, str]]",
) -> Kept:
    """Record under the lock, where nobody else promotes; the ledger's entry comes last."""
    project = occasion.project
    with project.workspace.lock("retrain"):
        decision = _still(store, occasion, decision)
        recording = Recording(project, store, _then(occasion, decision))
        logged, page = log(recording, decision)
        kept = _settled(recording, occasion, decision, logged)
        report = keep_page(project, f"retraining-{logged.run_id[:8]}.html", page)
        _write_entry(occasion, kept)
    return replace(kept, report=report)


def _still(store: "MlflowStore", occasion: Occasion, decision: Decision) -> Decision:
    """Return the decision as it stands now; while MLflow is away it is asked again later."""
    try:
        settle_champion(occasion.project, store, as_of=occasion.moment)
        return _unless_overtaken(store, occasion, decision)
    except MqlmlError as error:
        unless_away(error)
        return decision


def _then(occasion: Occasion, decision: Decision) -> Then:
    return Then(
        "retrain",
        promote=decision.promote,
        compared=occasion.champion.version,
        reason=occasion.request.reason,
        why=occasion.request.why,
        payload={
            "approach": occasion.treatment.approach,
            "waits": decision.asks,
            "decision": decision.why,
            "figures": decision.figures,
            **campaign_payload(occasion.campaign),
        },
    )


def _settled(
    recording: Recording, occasion: Occasion, decision: Decision, logged: "LoggedModel"
) -> Kept:
    """Let the version become champion or challenger as decided; later, while MLflow is away."""
    project, store = recording.project, recording.store
    kept = Kept(logged.run_id, logged.version, decision)
    later = replace(decision, promote=False, why=f"{decision.why}, once MLflow is back")
    if decision.promote and not logged.version:
        return replace(kept, decision=later)
    try:
        if kept.is_promoted:
            _promote(store, occasion, logged.version)
        elif logged.version and not _would_push_aside(project, store, decision):
            store.propose(project.settings.name, logged.version)
    except MqlmlError as error:
        recording.keep_promotion(error, logged, as_of=occasion.moment)
        return Kept(logged.run_id, logged.version, later if decision.promote else decision)
    return kept


def _unless_overtaken(store: "MlflowStore", occasion: Occasion, decision: Decision) -> Decision:
    """Return the decision, no promotion if another champion came while this one learnt."""
    champion = store.champion(occasion.project.settings.name)
    compared = occasion.champion.version
    if champion is None or champion.version == compared:
        return decision
    found = (
        f"version {champion.version} became champion while this one was compared with {compared}"
    )
    why = f"kept the champion: {found}; run 'mqlml retrain' again"
    return replace(decision, promote=False, asks=False, why=why)


def _would_push_aside(project: Project, store: "MlflowStore", decision: Decision) -> bool:
    """Return whether a challenger that lost would take the place of one that awaits a yes."""
    waiting = store.challenger(project.settings.name)
    if decision.asks or waiting is None:
        return False
    entries = read_entries(project.workspace.ledger, kind="retrain")
    return waiting.version in {e.payload["version"] for e in entries if e.payload.get("waits")}


def _promote(store: "MlflowStore", occasion: Occasion, version: str) -> None:
    from mqlml.tracking.records import ChampionChange

    change = ChampionChange(
        number=0,
        kind="retrain",
        as_of=occasion.moment,
        version=version,
        previous=occasion.champion.version,
        reason=occasion.request.reason,
        why=occasion.request.why,
    )
    appoint(occasion.project, store, change)


def _write_entry(occasion: Occasion, kept: Kept) -> None:
    payload = {
        "run_id": kept.run_id,
        "version": kept.version,
        "reason": occasion.request.reason,
        "approach": occasion.treatment.approach,
        "promoted": kept.is_promoted,
        "waits": kept.decision.asks and bool(kept.version),
        "decision": kept.decision.why,
        "figures": kept.decision.figures,
        **campaign_payload(occasion.campaign),
    }
    entry = Entry("retrain", occasion.moment, payload)
    write_entry(occasion.project.workspace.ledger, entry)


def _training_facts(
    occasion: Occasion, learnt: Learnt, decision: Decision, past: Past
) -> TrainingFacts:
    project = occasion.project
    facts = training_facts(
        project.settings,
        learnt,
        as_of=occasion.moment,
        version="",
        seed=occasion.seed,
        sources=snapshot_facts(project.workspace.root).counts,
    )
    named = _occasion_words(occasion, decision)
    moved = moved_by_tournament(occasion, learnt, past)
    return replace(facts, occasion=named, is_promoted=decision.promote, moved=moved)


def _occasion_words(occasion: Occasion, decision: Decision) -> tuple[Named, ...]:
    return (
        Named("Why it was trained", f"{occasion.request.reason}: {occasion.request.why}"),
        Named("How", occasion.treatment.why),
        Named("What was decided", decision.why),
    )


def _retraining_facts(
    occasion: Occasion, adjusted: Adjusted, past: Past, tables: Tables, decision: Decision
) -> RetrainingFacts:
    sentences = {info.column: info.sentence for info in adjusted.bundle.plan.infos}
    return RetrainingFacts(
        name=occasion.project.settings.name,
        as_of=occasion.moment,
        is_promoted=decision.promote,
        verdict=decision.why,
        occasion=_occasion_words(occasion, decision),
        losses=adjusted.losses,
        figures=decision.figures,
        columns=tuple(sentences.get(name, name) for name in adjusted.columns),
        moved=moved_leads(occasion, adjusted.bundle, past, tables),
    )


def _log_adjusted(
    recorder: Recorder,
    occasion: Occasion,
    adjusted: Adjusted,
    past: Past,
    decision: Decision,
    page: str,
) -> "LoggedModel":
    from mqlml.tracking.records import DatasetFacts, RunRecord, TrainingRecord

    settings, bundle = occasion.project.settings, adjusted.bundle
    run = RunRecord(
        name=settings.name,
        kind="retrain",
        as_of=occasion.moment,
        reason=occasion.request.reason,
        decision="registered",
        params={"approach": occasion.treatment.approach, "seed": occasion.seed},
        metrics=decision.figures,
        tags=occasion.tags(decision),
        campaign=occasion.campaign,
        artifacts={
            "report.html": page.encode(),
            "adjusted.json": json_artifact(bundle.facts.get("adjusted", {})),
            "decision.json": json_artifact(asdict(decision)),
            "plan.json": bundle.plan.to_json().encode(),
            "criteria.json": json_artifact(bundle.criteria),
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        save_bundle(bundle, path)
        record = TrainingRecord(
            run=run,
            bundle=path,
            dataset=DatasetFacts(settings.name, bundle.facts["data_digest"], len(past.points)),
            contestants={name: {"log_loss": loss} for name, loss in adjusted.losses.items()},
            columns=bundle.plan.columns,
            categories=bundle.plan.categories,
            example=usual_row(past.matrix),
            plan_fingerprint=bundle.plan.fingerprint,
            criteria_version=str(settings.criteria.version),
            criteria_digest=criteria_digest(settings.criteria),
            seed=occasion.seed,
        )
        return recorder.log_training(record)


def keep_nothing(
    project: Project, store: "MlflowStore", loaded: Loaded, request: Request, moment: int
) -> str:
    """Return the run that says why nothing was learnt; the ledger says so too."""
    from mqlml.tracking.records import RunRecord

    campaign = campaign_of(project, request.change, version=loaded.version, as_of=moment)
    record = RunRecord(
        name=project.settings.name,
        kind="retrain",
        as_of=moment,
        reason=request.reason,
        decision=request.why,
        model_version=loaded.version,
        tags={"from_version": loaded.version, "decided_by": "mqlml"},
        campaign=campaign,
    )
    with project.workspace.lock("retrain"):
        run_id = Recording(project, store).log_run(record)
        payload = {
            "run_id": run_id,
            "reason": request.reason,
            "promoted": False,
            "decision": request.why,
            **campaign_payload(campaign),
        }
        write_entry(project.workspace.ledger, Entry("retrain", moment, payload))
    return run_id
