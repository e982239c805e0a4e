"""Verdicts, ages and names in the words of the page."""

from collections.abc import Mapping
from dataclasses import dataclass

from mqlml.reports.words import MISSING, day, short
from mqlml.serving.history import REJECTED, UNDONE, Given
from mqlml.tables.contracts import REASON_NAMES
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, is_from

REASONS = {
    "not_icp": "not our kind of customer",
    "no_budget": "no budget",
    "no_authority": "no authority",
    "no_need": "no need",
    "not_now": "not now",
    "unreachable": "unreachable",
    "wrong_data": "wrong data",
    "duplicate": "duplicate",
    "competitor": "competitor",
    "other": "other (write a note)",
}
# The keys of the reasons, in their order: 1 to 9, then 0.
REASON_KEYS = tuple(zip("1234567890", REASON_NAMES, strict=True))


@dataclass(frozen=True)
class Line:
    """One line of a lead's history, or of all verdicts."""

    when: str
    who: str
    said: str
    note: str = ""
    is_undone: bool = False
    token: str = ""
    lead_id: str = ""


def reason_words(reason: str | None) -> str:
    """Return a reason in words, without the hint on what to write."""
    return REASONS.get(reason or "", short(reason or "")).partition(" (")[0] if reason else ""


def said(verdict: str, reason: str | None) -> str:
    """Return a verdict in words.

    >>> said("rejected", "no_budget"), said("accepted", None)
    ('rejected: no budget', 'accepted')
    """
    if verdict == UNDONE:
        return "took back a verdict"
    return f"{verdict}: {reason_words(reason)}" if verdict == REJECTED and reason else verdict


def line_of(given: Given, names: Mapping[str, str], *, is_undone: bool, token: str = "") -> Line:
    """Return a row of the history in words."""
    return Line(
        when=day(given.given_at),
        who=short(names.get(given.who, given.who), 40),
        said=said(given.verdict, given.reason),
        note=given.note or "",
        is_undone=is_undone,
        token=token,
        lead_id=short(given.lead_id, 40),
    )


def age(since: int, now: int) -> str:
    """Return how long ago something was.

    >>> age(0, 90_000_000_000), age(0, 3_700_000_000)
    ('1 day ago', '1 hour ago')
    """
    if not is_from(now, since):
        return MISSING
    hours = (now - since) // MICROS_PER_HOUR
    if hours < 24:
        return "just now" if hours == 0 else f"{hours} {'hour' if hours == 1 else 'hours'} ago"
    days = (now - since) // MICROS_PER_DAY
    return f"{days:,} {'day' if days == 1 else 'days'} ago"
