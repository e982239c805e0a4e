"""`mqlml review`: the model's importance held against sales' verdicts, recorded in MLflow."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.config import Settings
from mqlml.dataset.labels import FLAT_OUTCOME, days_to_micros, lifecycles
from mqlml.errors import Fault, UsageError
from mqlml.modeling.importance import importance
from mqlml.reports.facts import Named
from mqlml.reports.review import ReviewFacts, review_page, review_pictures, review_verdict
from mqlml.reports.words import day
from mqlml.review.drafts import Draft, drafts_of
from mqlml.review.earlier import earlier_findings
from mqlml.review.followup import FollowUp
from mqlml.review.funnel import Waiting, aftermath, monthly_funnel
from mqlml.review.review import Became, Review, review_verdicts
from mqlml.review.unseen_followup import earlier_reasons
from mqlml.review.verdicts import judged_leads
from mqlml.storage.ledger import Entry, write_entry
from mqlml.tables.contracts import Tables
from mqlml.wiring import open_store
from mqlml.workflows.champion import fetch
from mqlml.workflows.history import past_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.kept_back import Recording
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.recording import json_artifact, picture_artifacts
from mqlml.workflows.review_drafts import spellings, write_drafts
from mqlml.workflows.review_followup import KIND, followed_up, kept_findings
from mqlml.workflows.train import keep_page

if TYPE_CHECKING:
    from mqlml.tracking.records import RunRecord
    from mqlml.tracking.store import MlflowStore

Say = Callable[[str], None]


@dataclass(frozen=True)
class ReviewResult:
    """What sales' verdicts say, in which run it is recorded, where its page lies."""

    found: Review
    facts: ReviewFacts
    run_id: str
    version: str
    report: Path
    as_of: str
    drafts: tuple[Draft, ...] = ()
    written: tuple[Path, ...] = ()

    @property
    def follow(self) -> FollowUp | None:
        """Return what became of the last review's findings; None for a first review."""
        return self.facts.follow

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "accepted": self.found.accepted,
            "rejected": self.found.rejected,
            "findings": finding_documents(self.found),
            "followed": followed_documents(self.follow),
            "followed_reasons": [one.document() for one in self.follow.reasons]
            if self.follow
            else [],
            "by_grade": self.found.by_grade.to_dict("records"),
            "by_reason": self.found.by_reason.to_dict("records"),
            "funnel": _records(self.found.became.funnel),
            "after_verdicts": _records(self.found.became.after.table),
            "strictness": _records(self.found.strictness),
            "unseen_reasons": _records(self.found.unseen),
            "unseen_terms": _records(self.found.terms),
            "drafts": [
                {"kind": one.kind, "feature": one.feature, "says": one.says, "owner": one.owner}
                for one in self.drafts
            ],
            "written": [str(path) for path in self.written],
            "warnings": list(self.found.warnings),
            "model": {"version": self.version},
            "as_of": self.as_of,
            "run_id": self.run_id,
            "report": str(self.report),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: the verdict first."""
        yield review_verdict(self.found)
        yield from self.found.sentences
        if self.follow is not None:
            yield from (f"last time: {one.sentence}" for one in self.follow.followed)
            yield from (f"last time: {one.sentence}" for one in self.follow.reasons)
        yield from (f"to decide ({one.owner}): {one.says}" for one in self.drafts)
        yield from (f"next: mqlml criteria preview {path}" for path in self.written)
        yield from (f"note: {text}" for text in self.found.warnings)
        yield f"report: {self.report}"


def finding_documents(found: Review) -> list[dict[str, Any]]:
    """Return the findings as JSON values, all features that were asked about."""
    columns = ["feature", "direction", "effect", "low", "high", "more_needed", "tier", "class"]
    return _records(found.findings[columns])


def followed_documents(follow: FollowUp | None) -> list[dict[str, Any]]:
    """Return what became of the last review's findings as JSON values."""
    return [one.document() for one in follow.followed] if follow else []


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _finite(value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def review(
    project: Project,
    *,
    start: int | None,
    end: int | None,
    say: Say,
    drafts_folder: Path | None = None,
) -> ReviewResult:
    """Review verdicts given in `[start, end)` (default: all up to the data's end).

    Drafts that change the criteria are written to `drafts_folder`, each as the next
    version of today's criteria with one more rule, signed by nobody.

    Raises UsageError if the period ends before it begins, BundleError without a champion.
    """
    if start is not None and end is not None and timeline.is_from(start, end):
        period = f"from {shown_instant(start)} to {shown_instant(end)}"
        raise UsageError(Fault("the period is empty", "--from", period, "let --to come later"))
    tables = current_tables(project, say=say, as_of=end)
    moment = tables.data_end if end is None else end
    store = open_store(project.settings, project.workspace, project.secrets)
    loaded = fetch(store, project)
    say("holding verdicts against the model")
    past = past_of(project.settings, tables, loaded)
    ranked = importance(loaded.bundle.model, past.matrix, loaded.bundle.plan)
    given = _given_from(_looked_at(project.settings, tables.verdicts), start)
    judged = judged_leads(given, past.scores, past.matrix)
    found = review_verdicts(judged, ranked, _became(project.settings, tables, given))
    facts = ReviewFacts(
        name=project.settings.name,
        as_of=moment,
        found=found,
        drafts=drafts_of(found, spellings(tables, past, found)),
        follow=followed_up(project, loaded, judged, moment),
        details=_details((start, moment), tables.digest, loaded.version),
    )
    told = earlier_findings(found, facts.drafts, judged, moment)
    topics = tuple(loaded.bundle.plan.topics)
    reasons = earlier_reasons(found.unseen, found.rejected, topics, moment)
    kept = kept_findings(told, reasons, facts.follow)
    payload = {"from": start, "version": loaded.version, **kept}
    run_id, report = _keep(project, store, facts, payload, moment)
    written = () if drafts_folder is None else write_drafts(project, facts.drafts, drafts_folder)
    shown = shown_instant(moment)
    return ReviewResult(found, facts, run_id, loaded.version, report, shown, facts.drafts, written)


def _keep(
    project: Project,
    store: "MlflowStore",
    facts: ReviewFacts,
    payload: Mapping[str, Any],
    moment: int,
) -> tuple[str, Path]:
    """Record the review; return its run and its page. The ledger's entry comes last."""
    found, page = facts.found, review_page(facts)
    with project.workspace.lock("review"):
        run_id = Recording(project, store).log_run(_record(facts, page, payload, moment))
        report = keep_page(project, f"review-{run_id[:8]}.html", page)
        counts = {"accepted": found.accepted, "rejected": found.rejected}
        entry = Entry(KIND, moment, {"run_id": run_id, **counts, **payload})
        write_entry(project.workspace.ledger, entry)
    return run_id, report


def _became(settings: Settings, tables: Tables, given: pd.DataFrame) -> Became | None:
    """Return what became of the leads; None where the target has no date to wait for."""
    if settings.target.stage == FLAT_OUTCOME:
        return None
    cycles = lifecycles(tables, settings.target)
    waiting = Waiting(
        days_to_micros(settings.target.horizon_days or 0),
        days_to_micros(settings.target.reporting_lag_days),
        tables.data_end,
    )
    return Became(
        monthly_funnel(tables.handovers, tables.verdicts, tables.stages, cycles, waiting),
        aftermath(given, cycles, waiting),
    )


def _record(facts: ReviewFacts, page: str, payload: Mapping[str, Any], moment: int) -> "RunRecord":
    from mqlml.tracking.records import RunRecord

    found = facts.found
    findings = json.dumps(finding_documents(found), indent=1).encode()
    return RunRecord(
        name=facts.name,
        kind=KIND,
        as_of=moment,
        reason="verdicts",
        decision=f"{len(found.sentences)} findings",
        model_version=str(payload["version"]),
        metrics={"accepted": found.accepted, "rejected": found.rejected},
        artifacts={
            "report.html": page.encode(),
            "findings.json": findings,
            "kept.json": json_artifact(payload),
            "followed.json": json_artifact(followed_documents(facts.follow)),
            **picture_artifacts(review_pictures(facts)),
        },
    )


def _details(period: tuple[int | None, int], data_digest: str, version: str) -> tuple[Named, ...]:
    start, end = period
    return (
        Named("Model version", version),
        Named("Verdicts given from", day(start) if start is not None else "the first"),
        Named("Verdicts given before", day(end)),
        Named("Data", data_digest),
    )


def _looked_at(settings: Settings, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts without what reps wrote, unless the config lets a review read it."""
    return verdicts if settings.review.text_terms else verdicts.drop(columns="note")


def _given_from(verdicts: pd.DataFrame, start: int | None) -> pd.DataFrame:
    if start is None:
        return verdicts
    given = verdicts["given_at"].dt.as_unit("us").astype("int64").to_numpy(np.int64)
    return verdicts.iloc[np.flatnonzero(timeline.is_from(given, start))].reset_index(drop=True)
