"""`mqlml monitor`: what changed since the champion was trained, recorded in MLflow."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from mqlml import timeline
from mqlml.criteria.file import criteria_from_dict
from mqlml.errors import MqlmlError
from mqlml.monitoring.arrival import arrival_warnings
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.monitoring.monitor import monitor as look
from mqlml.monitoring.monitor import target_words
from mqlml.monitoring.told import news_among
from mqlml.reports.facts import Named
from mqlml.reports.monitor import (
    NO_FLOW,
    Flow,
    MonitorFacts,
    monitor_page,
    monitor_verdict,
)
from mqlml.reports.timeline_picture import Champion
from mqlml.reports.words import day, duration
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.tables.contracts import Tables
from mqlml.wiring import open_store
from mqlml.workflows.agreement import project_at
from mqlml.workflows.alerting import NOTHING_SENT, Alerting, queue_alerts, send_alerts
from mqlml.workflows.campaigns import campaign_of, campaign_payload
from mqlml.workflows.catching_up import catch_up
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.comeback import comeback, comeback_words
from mqlml.workflows.history import NO_GROUPS, Past, history_of, past_of, reference_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.kept_back import Recording, unless_away
from mqlml.workflows.monitor_record import change_document, monitor_record
from mqlml.workflows.monitored import earlier_estimates, flow_of, groups_of
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import champion_changes
from mqlml.workflows.recording import plain_records
from mqlml.workflows.train import keep_page

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore

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
    alerting: Alerting = NOTHING_SENT
    flow: Flow = NO_FLOW

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
            "warnings": [*self.found.warnings, *arrival_warnings(self.flow.arrival)],
            "model": {"version": self.version},
            "retrain": "erasure" if self.is_marked else None,
            "rollback": self.comeback or None,
            "alerting": self.alerting.document(),
            **self._tables(),
            "as_of": self.as_of,
            "run_id": self.run_id,
            "report": str(self.report),
        }

    def _tables(self) -> dict[str, Any]:
        """Return what the page shows in tables, row by row."""
        found = self.found
        checked = found.checked.assign(as_of=[shown_instant(int(at)) for at in found.checked.as_of])
        frames = {
            "questions": found.questions,
            "quality": found.quality,
            "quality_checked": checked,
            "segments": found.segments,
            "arrival": self.flow.arrival,
            "stage_times": self.flow.stage_times,
        }
        return {name: plain_records(frame) for name, frame in frames.items()}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: the verdict first."""
        yield monitor_verdict(self.found)
        for change in self.found.changes:
            known = "" if change in self.news or not change.is_alarm else " (told before)"
            yield f"{change.kind}{known}: {change.evidence}"
            yield f"    act: {change.act}"
        yield from (f"note: {text}" for text in self.found.warnings)
        yield from (f"note: {text}" for text in arrival_warnings(self.flow.arrival))
        if self.comeback:
            yield f"note: {self.comeback}"
        if self.is_marked:
            yield f"note: {ERASED}: run 'mqlml retrain'"
        yield from self.alerting.lines()
        yield f"report: {self.report}"


def monitor(project: Project, *, as_of: int | None, say: Say) -> MonitorResult:
    """Look at the champion as of a moment (default: the data's end) and record what was found.

    Raises BundleError without a champion.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    store = open_store(project.settings, project.workspace, project.secrets)
    loaded = load_champion(project)
    with project.workspace.lock("monitor"):
        is_there = not loaded.is_remembered and catch_up(project, store, as_of=moment)
    say("looking at what became of past points")
    past = past_of(project.settings, tables, loaded)
    groups = groups_of(project, tables, past)
    estimates = tuple(earlier_estimates(project, loaded.version, before=moment))
    found = find_changes(project, tables, loaded, past, Known(groups, estimates))
    recent_days = project.settings.monitoring.current_days
    flow = flow_of(tables, as_of=moment, recent_days=recent_days)
    proposed = _comeback(project, store, tables, loaded, past) if is_there else ""
    facts = MonitorFacts(
        name=project.settings.name,
        as_of=moment,
        model_version=loaded.version,
        found=found,
        champions=_champions(project, loaded, moment),
        sentences={info.column: info.sentence for info in loaded.bundle.plan.infos},
        warnings=(*((proposed,) if proposed else ()), *arrival_warnings(flow.arrival)),
        details=_details(project, tables, loaded),
        flow=flow,
    )
    run_id, report, news = _keep(project, store, facts, data=tables.digest, proposed=proposed)
    return MonitorResult(
        found=found,
        run_id=run_id,
        version=loaded.version,
        report=report,
        as_of=shown_instant(moment),
        is_marked=is_there and _is_marked(store, loaded),
        news=news,
        comeback=proposed,
        alerting=send_alerts(project),
        flow=facts.flow,
    )


def _keep(
    project: Project, store: "MlflowStore", facts: MonitorFacts, *, data: str, proposed: str
) -> tuple[str, Path, tuple[Change, ...]]:
    """Return run, page and news of a look, recorded; alerts are written down before its entry."""
    found, version, moment = facts.found, facts.model_version, facts.as_of or 0
    page = monitor_page(facts)
    with project.workspace.lock("monitor"):
        news = news_among(found.changes, _told(project, version, before=moment))
        worst = next((change for change in found.changes if change.is_alarm), None)
        campaign = campaign_of(project, worst, version=version, as_of=moment)
        record = monitor_record(project, facts, data=data, page=page, campaign=campaign)
        run_id = Recording(project, store).log_run(record)
        report = keep_page(project, f"monitor-{run_id[:8]}.html", page)
        queue_alerts(project, news, version=version, as_of=moment, comeback=proposed)
        payload = _payload(found, run_id=run_id, version=version)
        payload |= {"rollback": proposed, **campaign_payload(campaign)}
        write_entry(project.workspace.ledger, Entry("monitor", moment, payload))
    return run_id, report, news


def _comeback(
    project: Project, store: "MlflowStore", tables: Tables, loaded: Loaded, past: Past
) -> str:
    try:
        return comeback_words(comeback(project, store, tables, loaded, past))
    except MqlmlError as error:
        unless_away(error)
        return ""


def _is_marked(store: "MlflowStore", loaded: Loaded) -> bool:
    try:
        return store.is_marked(loaded.ref)
    except MqlmlError as error:
        unless_away(error)
        return False


def _payload(found: Monitoring, *, run_id: str, version: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "alarm": found.alarm,
        "changes": [change_document(change) for change in found.changes],
        "version": version,
        "quality": plain_records(found.quality),
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


@dataclass(frozen=True)
class Known:
    """What a look knows beside the past: groups of its rows, estimates of earlier looks."""

    groups: Mapping[str, npt.NDArray[Any]]
    estimates: tuple[Mapping[str, Any], ...] = ()


NOTHING_MORE = Known(NO_GROUPS)


def find_changes(
    project: Project, tables: Tables, loaded: Loaded, past: Past, known: Known = NOTHING_MORE
) -> Monitoring:
    """Return what changed since `loaded` was trained."""
    return look(
        history_of(project.settings, tables, loaded, past, known.groups),
        reference_of(loaded),
        project.settings.monitoring,
        criteria_then=criteria_from_dict(loaded.bundle.criteria),
        criteria_now=project.settings.criteria,
        retargeted=_retargeted(project, loaded),
        estimates=known.estimates,
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


def _champions(project: Project, loaded: Loaded, moment: int) -> list[Champion]:
    """Return since when each version was champion up to a moment, by the workspace's ledger."""
    changes = [c for c in champion_changes(project) if timeline.is_known(c.as_of, moment)]
    known = [Champion(c.as_of, c.version) for c in changes]
    return known or [Champion(int(loaded.bundle.facts["data_end"]), loaded.version)]
