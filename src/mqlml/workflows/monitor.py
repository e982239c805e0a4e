"""`mqlml monitor`: what changed since the champion was trained, recorded in MLflow."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml.criteria.file import criteria_from_dict
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.monitoring.monitor import monitor as look
from mqlml.reports.facts import Named
from mqlml.reports.monitor import (
    MonitorFacts,
    monitor_page,
    monitor_pictures,
    monitor_verdict,
)
from mqlml.reports.timeline_picture import Champion
from mqlml.reports.words import day, duration, percent
from mqlml.storage.ledger import Entry, write_entry
from mqlml.tables.contracts import Tables
from mqlml.wiring import open_store
from mqlml.workflows.agreement import project_at
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.comeback import comeback, comeback_words
from mqlml.workflows.history import Past, history_of, past_of, reference_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import champion_changes, settle_champion
from mqlml.workflows.recording import picture_artifacts
from mqlml.workflows.train import keep_page

if TYPE_CHECKING:
    from mqlml.tracking.records import RunRecord

Say = Callable[[str], None]

ERASED = "the champion was trained with rows of people who were erased since"


@dataclass(frozen=True)
class MonitorResult:
    """What monitoring found, in which run it is recorded, where its page lies."""

    found: Monitoring
    run_id: str
    version: str
    report: Path
    as_of: str
    is_marked: bool = False
    comeback: str = ""

    @property
    def alarm(self) -> bool:
        """Return whether something needs an act."""
        return self.found.alarm

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "alarm": self.found.alarm,
            "changes": [change_document(change) for change in self.found.changes],
            "warnings": list(self.found.warnings),
            "model": {"version": self.version},
            "retrain": "erasure" if self.is_marked else None,
            "rollback": self.comeback or None,
            "as_of": self.as_of,
            "run_id": self.run_id,
            "report": str(self.report),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: the verdict first."""
        yield monitor_verdict(self.found)
        for change in self.found.changes:
            yield f"{change.kind}: {change.evidence}"
            yield f"    act: {change.act}"
        yield from (f"note: {text}" for text in self.found.warnings)
        if self.comeback:
            yield f"note: {self.comeback}"
        if self.is_marked:
            yield f"note: {ERASED}: run 'mqlml retrain'"
        yield f"report: {self.report}"


def change_document(change: Change) -> dict[str, Any]:
    """Return a change as JSON values; times as ISO 8601 text."""
    times = {
        name: shown_instant(at) if at is not None else None
        for name, at in (
            ("since", change.since),
            ("from", change.earliest),
            ("to", change.latest),
        )
    }
    values = asdict(change)
    kept = ("kind", "segment", "evidence", "act", "strength", "is_alarm")
    return {**{k: values[k] for k in kept}, **times, "columns": list(change.columns)}


def monitor(project: Project, *, as_of: int | None, say: Say) -> MonitorResult:
    """Look at the champion as of a moment (default: the data's end) and record what was found.

    Raises BundleError without a champion.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    store = open_store(project.settings, project.workspace, project.secrets)
    loaded = fetch(store, project)
    with project.workspace.lock("monitor"):
        settle_champion(project, store, as_of=moment)
    say("looking at what became of past points")
    past = past_of(project.settings, tables, loaded)
    found = find_changes(project, tables, loaded, past)
    proposed = comeback_words(comeback(project, store, tables, loaded, past))
    facts = MonitorFacts(
        name=project.settings.name,
        as_of=moment,
        model_version=loaded.version,
        found=found,
        champions=_champions(project, loaded),
        sentences={info.column: info.sentence for info in loaded.bundle.plan.infos},
        warnings=(proposed,) if proposed else (),
        details=_details(project, tables, loaded),
    )
    page = monitor_page(facts)
    changes = [change_document(change) for change in found.changes]
    with project.workspace.lock("monitor"):
        run_id = store.log_run(_run_record(facts, moment, page=page, changes=changes))
        report = keep_page(project, f"monitor-{run_id[:8]}.html", page)
        payload = {
            "run_id": run_id,
            "alarm": found.alarm,
            "changes": changes,
            "rollback": proposed,
        }
        write_entry(project.workspace.ledger, Entry("monitor", moment, payload))
    is_marked = store.is_marked(loaded.ref)
    return MonitorResult(
        found, run_id, loaded.version, report, shown_instant(moment), is_marked, proposed
    )


def _run_record(
    facts: MonitorFacts, as_of: int, *, page: str, changes: list[dict[str, Any]]
) -> "RunRecord":
    from mqlml.tracking.records import RunRecord

    found = facts.found
    return RunRecord(
        name=facts.name,
        kind="monitor",
        as_of=as_of,
        reason="; ".join(sorted({c.kind for c in found.changes if c.is_alarm})),
        decision="alarm" if found.alarm else "no alarm",
        model_version=facts.model_version,
        metrics={"alarm": float(found.alarm), "changes": float(len(found.changes))},
        artifacts={
            "report.html": page.encode(),
            "changes.json": json.dumps(changes, indent=1).encode(),
            **picture_artifacts(monitor_pictures(facts)),
        },
    )


def find_changes(project: Project, tables: Tables, loaded: Loaded, past: Past) -> Monitoring:
    """Return what changed since `loaded` was trained."""
    return look(
        history_of(project.settings, tables, loaded, past),
        reference_of(loaded),
        project.settings.monitoring,
        criteria_then=criteria_from_dict(loaded.bundle.criteria),
        criteria_now=project.settings.criteria,
    )


def _details(project: Project, tables: Tables, loaded: Loaded) -> list[Named]:
    """Return which versions and periods were compared."""
    settings = project.settings
    learnt_until = int(loaded.bundle.facts["last_labelled_as_of"])
    dates = [
        Named("Learnt from leads up to", day(learnt_until)),
        Named("Data known up to", day(tables.data_end)),
    ]
    return [
        Named("Model version", loaded.version),
        *([] if tables.is_order_time else dates),
        Named("Current period", f"the latest {duration(settings.monitoring.current_days)}"),
        Named("Chance below which an alarm is raised", percent(settings.monitoring.alarm_p_value)),
        Named("Criteria version now", str(settings.criteria.version)),
        Named("Data", tables.digest),
    ]


def _champions(project: Project, loaded: Loaded) -> list[Champion]:
    """Return since when each version was champion, by the ledger of this workspace."""
    known = [Champion(c.as_of, c.version) for c in champion_changes(project)]
    return known or [Champion(int(loaded.bundle.facts["data_end"]), loaded.version)]
