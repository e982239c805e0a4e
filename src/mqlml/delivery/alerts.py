"""The news of one change, told to people by webhook or e-mail.

A message names the kind of change, its date, columns, cost and act. No lead stands in it, nor any
value of a lead: evidence and segments, which quote values, stay on the page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mqlml.reports.facts import kind_words
from mqlml.reports.words import day, sentence, short

_COLUMNS = 6


@dataclass(frozen=True)
class Alert:
    """One change as it is told: `key` is the same however often it is sent.

    `as_of` and `since` are microseconds UTC; `cost` maps conversions_a_week and hours_a_week.
    """

    key: str
    model: str
    version: str
    as_of: int
    kind: str
    act: str
    since: int | None = None
    columns: Sequence[str] = ()
    proposal: str = "nothing"
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """Whether a message was taken; if not, why, and whether another try may help."""

    ok: bool
    why: str = ""
    again: bool = True


class Channel(Protocol):
    """One way to people."""

    def send(self, alert: Alert) -> Taken:
        """Send the alert once; nothing is raised for a server that fails."""
        ...


def tell(channel: Channel, alert: Alert, *, tries: int, wait: Callable[[float], None]) -> Taken:
    """Return what the last of at most `tries` tries came to; pauses double from a second."""
    taken = channel.send(alert)
    for attempt in range(1, tries):
        if taken.ok or not taken.again:
            return taken
        wait(2.0 ** (attempt - 1))
        taken = channel.send(alert)
    return taken


def headline(alert: Alert) -> str:
    """Return the alert in one line.

    >>> headline(Alert("k", "demo", "3", 0, "concept", "retrain", since=1_772_409_600_000_000))
    'demo: What makes leads convert changed since 2026-03-02'
    """
    since = "" if alert.since is None else f" since {day(alert.since).split(' ', 1)[0]}"
    return f"{short(' '.join(alert.model.split()))}: {kind_words(alert.kind)}{since}"


def message(alert: Alert) -> str:
    """Return the alert as a few lines of plain text."""
    columns = [*alert.columns[:_COLUMNS]]
    more = len(alert.columns) - len(columns)
    shown = ", ".join(columns) + (f" and {more} more" if more else "")
    lost = alert.cost.get("conversions_a_week", 0.0)
    hours = alert.cost.get("hours_a_week", 0.0)
    parts = (
        f"{headline(alert)}.",
        f"Columns: {shown}." if shown else "",
        f"What it costs: about {lost:.1f} conversions and {hours:.0f} hours of sales a week."
        if lost >= 0.05
        else "",
        f"What to do: {sentence(alert.act)}",
        f"Model version {alert.version}, as of {day(alert.as_of)}.",
        "The page of monitoring shows the evidence.",
    )
    return "\n".join(part for part in parts if part)


def facts(alert: Alert, *, shown: Callable[[int], str]) -> dict[str, Any]:
    """Return the alert for programs; `shown` writes a time as ISO 8601 text."""
    return {
        "id": alert.key,
        "text": message(alert),
        "model": {"name": alert.model, "version": alert.version},
        "as_of": shown(alert.as_of),
        "change": {
            "kind": alert.kind,
            "since": None if alert.since is None else shown(alert.since),
            "columns": list(alert.columns),
            "proposal": alert.proposal,
            "act": alert.act,
            "cost": dict(alert.cost) or None,
        },
    }
