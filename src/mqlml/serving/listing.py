"""The list of leads: what to do next first."""

from dataclasses import dataclass

from mqlml.reports.facts import outcome_words
from mqlml.reports.words import short, signed
from mqlml.serving.board import Board
from mqlml.serving.cases import Case
from mqlml.serving.just_said import last_said
from mqlml.serving.phrases import age, said
from mqlml.serving.site import Answer, Asked, Site, page, visible
from mqlml.timeline import is_known

_SHOWS = {"open": "to judge", "judged": "judged", "all": "all"}


@dataclass(frozen=True)
class Entry:
    """One lead of the list in words."""

    token: str
    lead_id: str
    outcome: str
    grade: str
    score: str
    trend: str
    reason: str
    age: str
    verdict: str
    is_new: bool


@dataclass(frozen=True)
class Tab:
    """One of the list's parts, and how many leads it holds."""

    name: str
    words: str
    leads: int
    is_shown: bool


def list_page(site: Site, asked: Asked) -> Answer:
    """Return one page of the list."""
    named, board = site.desk.worklist(), site.store.caught_up()
    cases = [pair for pair in visible(site, asked.signed_in, named) if is_due(pair[1], asked.now)]
    is_open = [is_unjudged(board, case) for _, case in cases]
    parts = {
        "open": [pair for pair, still in zip(cases, is_open, strict=True) if still],
        "judged": [pair for pair, still in zip(cases, is_open, strict=True) if not still],
        "all": cases,
    }
    show = asked.query.get("show", "open")
    show = show if show in parts else "open"
    shown, size = parts[show], site.settings.rows_per_page
    pages = max(1, -(-len(shown) // size))
    number = min(max(asked.number("page", 1), 1), pages)
    rows = shown[(number - 1) * size : number * size]
    return page(
        site,
        asked,
        "list.html",
        tabs=[Tab(n, _SHOWS[n], len(parts[n]), n == show) for n in _SHOWS],
        show=show,
        entries=[_entry(site, asked, board, token, case) for token, case in rows],
        number=number,
        pages=pages,
        first=(number - 1) * size + 1,
        worklist=named.worklist,
        just=last_said(site, asked, board),
        was_undone=board.is_undone(asked.number("undone")),
    )


def is_due(case: Case, now: int) -> bool:
    """Return whether the lead is handed over by now."""
    return bool(is_known(case.handed_over_at, now))


def is_unjudged(board: Board, case: Case) -> bool:
    """Return whether nobody's verdict stands since the lead was handed over."""
    return not case.judged and not board.is_judged(case.lead_id, case.handed_over_at)


def trend_words(case: Case) -> str:
    """Return the score's change since the last scores, empty for a new lead or no change."""
    return signed(case.trend) if case.trend is not None and round(case.trend) else ""


def _entry(site: Site, asked: Asked, board: Board, token: str, case: Case) -> Entry:
    standing = board.standing(case.lead_id, case.handed_over_at)
    verdicts = [said(given.verdict, given.reason) for given in standing]
    verdicts += [said(one.verdict, one.reason or None) for one in case.judged]
    is_order_time = site.desk.worklist().worklist.is_order_time
    return Entry(
        token=token,
        lead_id=short(case.lead_id, 40),
        outcome=outcome_words(case.outcome),
        grade=case.grade,
        score=f"{case.score:.0f}",
        trend=trend_words(case),
        reason=case.reasons_up[0] if case.reasons_up else case.because,
        age="" if is_order_time else age(case.handed_over_at, asked.now),
        verdict="; ".join(dict.fromkeys(verdicts)),
        is_new=case.is_new,
    )
