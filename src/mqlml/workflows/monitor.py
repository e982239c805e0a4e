"""`mqlml monitor`: what changed since the champion was trained, recorded in MLflow."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml import timeline
from mqlml.criteria.file import criteria_from_dict
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.monitoring.monitor import monitor as look
from mqlml.monitoring.monitor import target_words
from mqlml.monitoring.told import news_among
from mqlml.reports.facts import Named
from mqlml.reports.monitor import (
    MonitorFacts,
    monitor_page,
    monitor_pictures,
    monitor_verdict,
)
from mqlml.reports.timeline_picture import Champion
from mqlml.reports.words import day, duration
from mqlml.storage.ledger import Entry, read_entries, write_entry
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
    news: tuple[Change, ...] = ()
    comeback: str = ""

    @property
    def alarm(self) -> bool:
        """Return whether something needs an act."""
        return self.found.alarm

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "alarm": self.found.alarm,
            "alerts": [change_document(change) for change in self.news],
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
            known = "" if change in self.news or not change.is_alarm else " (told before)"
            yield f"{change.kind}{known}: {change.evidence}"
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
    kept = ("kind", "segment", "evidence", "act", "proposal", "strength", "is_alarm", "cost")
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
    with project.workspace.lock("monitor"):
        news = news_among(found.changes, _told(project, loaded.version, before=moment))
        run_id = store.log_run(_run_record(facts, moment, page=page))
        report = keep_page(project, f"monitor-{run_id[:8]}.html", page)
        payload = _payload(found, run_id=run_id, version=loaded.version)
        payload["rollback"] = proposed
        write_entry(project.workspace.ledger, Entry("monitor", moment, payload))
    return MonitorResult(
        found=found,
        run_id=run_id,
        version=loaded.version,
        report=report,
        as_of=shown_instant(moment),
        is_marked=store.is_marked(loaded.ref),
        news=news,
        comeback=proposed,
    )


def _payload(found: Monitoring, *, run_id: str, version: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "alarm": found.alarm,
        "changes": [change_document(change) for change in found.changes],
        "version": version,
        "told": [_told_facts(change) for change in found.changes if change.is_alarm],
    }


def _told(project: Project, version: str, *, before: int) -> Iterator[dict[str, Any]]:
    """Yield the alarms that looks at this champion before a moment raised.

    A second look at the same moment is the same look: it tells the same news again.
    """
    for entry in read_entries(project.workspace.ledger, kind="monitor"):
        is_earlier = bool(timeline.is_seen(entry.as_of, before))
        if is_earlier and entry.payload.get("version") == version:
            yield from entry.payload.get("told", ())


def _told_facts(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "since": change.since, "columns": list(change.columns)}


def _run_record(facts: MonitorFacts, as_of: int, *, page: str) -> "RunRecord":
    from mqlml.tracking.records import RunRecord

    found = facts.found
    changes = [change_document(change) for change in found.changes]
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
        retargeted=_retargeted(project, loaded),
    )


def _retargeted(project: Project, loaded: Loaded) -> str:
    """Return in words how the target differs from the one the champion learnt, or nothing."""
    then, now = loaded.bundle.facts["target"], project.settings.target.model_dump(mode="json")
    return target_words(then, now)


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
        Named("Criteria version now", str(settings.criteria.version)),
        Named("Data", tables.digest),
    ]


def _champions(project: Project, loaded: Loaded) -> list[Champion]:
    """Return since when each version was champion, by the ledger of this workspace."""
    known = [Champion(c.as_of, c.version) for c in champion_changes(project)]
    return known or [Champion(int(loaded.bundle.facts["data_end"]), loaded.version)]
