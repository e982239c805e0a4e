"""Each change told to people once: what is to be told stands in the ledger before it is sent.

An entry `alert` is written, by the look that found the change, before that look's own entry; an
entry `alerted` follows once a way has taken it. Killed in between, the next command goes on.
Only a kill after a server took a message and before the entry sends it again, under the same key.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mqlml.delivery.alerts import Alert, tell
from mqlml.errors import ConfigError, DataError
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.told import news_among
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.wiring import open_channel
from mqlml.workflows.project import Project, shown_instant

QUEUED, SENT = "alert", "alerted"
ROLLBACK = "rollback"
_LOCK_WAIT_S = 60.0


@dataclass(frozen=True)
class Alerting:
    """How many messages were taken, and which still wait by which way, with the reason."""

    sent: int = 0
    waiting: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {"sent": self.sent, "waiting": list(self.waiting)}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people; nothing where there was nothing to send."""
        if self.sent:
            yield f"told: {self.sent} {'alert was' if self.sent == 1 else 'alerts were'} sent"
        yield from (f"note: {text}" for text in self.remarks)
        for text in self.waiting:
            yield f"note: an alert waits, the next command sends it: {text}"


NOTHING_SENT = Alerting()


@dataclass(frozen=True)
class Told:
    """One alert of the past: of which look (microseconds UTC), what, and by which ways."""

    as_of: int
    kind: str
    sent: tuple[str, ...]
    waiting: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the alert for programs."""
        return {
            "as_of": shown_instant(self.as_of),
            "kind": self.kind,
            "sent": list(self.sent),
            "waiting": list(self.waiting),
        }

    def line(self) -> str:
        """Return the alert in a line."""
        ways = [*(f"sent by {n}" for n in self.sent), *(f"waits for {n}" for n in self.waiting)]
        return f"{shown_instant(self.as_of)} {self.kind}: {', '.join(ways)}"


def queue_alerts(
    project: Project, changes: Sequence[Change], *, version: str, as_of: int, comeback: str = ""
) -> None:
    """Write down which changes are to be told, unless they were; sends nothing.

    `changes` are news of the champion `version`, `comeback` the proposal to go back or "". Call
    it while holding the workspace's lock, before the look's own entry is written.
    """
    channels = project.settings.monitoring.alerts.channels
    if not channels:
        return
    entries = read_entries(project.workspace.ledger, kind=QUEUED)
    told = [e.payload for e in entries if e.payload["version"] == version]
    news = news_among(changes, (one for one in told if one["kind"] != ROLLBACK))
    wanted = [_facts(change) for change in news]
    if comeback and not any(one["kind"] == ROLLBACK for one in told):
        wanted.append({"kind": ROLLBACK, "since": None, "columns": [], "act": comeback})
    for one in wanted:
        payload = {**one, "version": version, "channels": list(channels)}
        write_entry(project.workspace.ledger, Entry(QUEUED, as_of, payload))


def _facts(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "since": change.since,
        "columns": list(change.columns),
        "act": change.act,
        "proposal": change.proposal,
        "cost": None if change.cost is None else asdict(change.cost),
    }


def send_alerts(project: Project) -> Alerting:
    """Send what still waits, by every way that it was written down for.

    A way that fails is tried a few times, then left to the next command; nothing is raised.
    """
    if not _waiting(project):
        return NOTHING_SENT
    try:
        # Under the lock, so that no two jobs send the same.
        with project.workspace.lock("alerts", wait_s=_LOCK_WAIT_S):
            return _send(project)
    except DataError as error:
        return Alerting(waiting=(error.faults[0].what,))


def send_test(project: Project, *, as_of: int) -> dict[str, str]:
    """Return by way "" if it took a message that says it is a test, or why not.

    Raises ConfigError if no way is set up, or a variable is missing.
    """
    settings = project.settings.monitoring.alerts
    names = settings.channels or ("webhook",)
    ways = {name: open_channel(settings, name, project.secrets) for name in names}
    alert = Alert("test", project.settings.name, "none", as_of, "test", "nothing: it works")
    told = {name: tell(way, alert, tries=1, wait=time.sleep) for name, way in ways.items()}
    return {name: "" if taken.ok else taken.why for name, taken in told.items()}


def alerts_told(project: Project) -> tuple[Told, ...]:
    """Return every alert that was ever to be sent, oldest first."""
    open_ways: dict[str, list[str]] = {}
    for entry, name in _waiting(project):
        open_ways.setdefault(entry.digest, []).append(name)
    told = []
    for entry in read_entries(project.workspace.ledger, kind=QUEUED):
        waiting = open_ways.get(entry.digest, [])
        sent = tuple(name for name in entry.payload["channels"] if name not in waiting)
        told.append(Told(entry.as_of, str(entry.payload["kind"]), sent, tuple(waiting)))
    return tuple(told)


def _waiting(project: Project) -> list[tuple[Entry, str]]:
    """Return alert and way of what was not taken yet, oldest first."""
    ledger = project.workspace.ledger
    if not ledger.is_dir():
        return []
    sent = {
        (str(e.payload["alert"]), str(e.payload["channel"]))
        for e in read_entries(ledger, kind=SENT)
    }
    return [
        (entry, str(name))
        for entry in read_entries(ledger, kind=QUEUED)
        for name in entry.payload["channels"]
        if (entry.digest, str(name)) not in sent
    ]


def _send(project: Project) -> Alerting:
    done, failed = NOTHING_SENT, dict[str, str]()
    for entry, name in _waiting(project):
        # A way that failed once is not waited for again and again in one command.
        why, remark = (failed[name], "") if name in failed else _told(project, entry, name)
        if why:
            failed[name] = why
            kind = str(entry.payload["kind"])
            done = replace(done, waiting=(*done.waiting, f"{kind} by {name}: {why}"))
            continue
        payload = {"alert": entry.digest, "channel": name}
        write_entry(project.workspace.ledger, Entry(SENT, entry.as_of, payload))
        remarks = (*done.remarks, f"{name}: {remark}") if remark else done.remarks
        done = replace(done, sent=done.sent + 1, remarks=remarks)
    return done


def _told(project: Project, entry: Entry, name: str) -> tuple[str, str]:
    """Return why the alert was not taken ("" if it was), and what else is to be said."""
    settings = project.settings.monitoring.alerts
    try:
        channel = open_channel(settings, name, project.secrets)
    except ConfigError as error:
        fault = error.faults[0]
        return f"{fault.what}: {fault.found or fault.where}", ""
    taken = tell(channel, _alert(project, entry), tries=settings.tries, wait=time.sleep)
    return ("", taken.why) if taken.ok else (taken.why, "")


def _alert(project: Project, entry: Entry) -> Alert:
    told = entry.payload
    return Alert(
        key=entry.digest,
        model=project.settings.name,
        version=str(told["version"]),
        as_of=entry.as_of,
        kind=str(told["kind"]),
        act=str(told["act"]),
        since=told["since"],
        columns=told["columns"],
        proposal=str(told.get("proposal", "nothing")),
        cost=told.get("cost") or {},
    )
