"""One lead's page, the verdict on it, and undo."""

from functools import partial
from itertools import chain

from mqlml.reports.facts import outcome_words
from mqlml.reports.lead_story import story_picture
from mqlml.reports.pictures import Picture
from mqlml.reports.words import day, short
from mqlml.serving.cases import Case, Named
from mqlml.serving.database import Cursor
from mqlml.serving.history import (
    ACCEPTED,
    MOST_NOTE,
    REJECTED,
    Given,
    Judgement,
    RefusedError,
    checked,
    give,
    row_of_form,
    undo,
)
from mqlml.serving.just_said import last_said, names_of
from mqlml.serving.listing import is_due, is_unjudged, trend_words
from mqlml.serving.phrases import REASON_KEYS, REASONS, age, line_of, said
from mqlml.serving.sessions import AuditEntry, audit
from mqlml.serving.site import Answer, Asked, Site, may_see, message, page, to
from mqlml.timeline import is_from

_STEPS = 300


def lead_page(site: Site, asked: Asked) -> Answer:
    """Return the page of one lead, with what was said just before on top."""
    named = site.desk.worklist()
    case = _case(site, asked, named)
    if case is None:
        return _no_such_lead(site, asked)
    return _shown(site, asked, named, case)


def judge(site: Site, asked: Asked) -> Answer:
    """Save a verdict and go on to the next lead; a form that is sent again changes nothing."""
    named = site.desk.worklist()
    case = _case(site, asked, named)
    if case is None:
        return _no_such_lead(site, asked)
    try:
        judgement = _judgement(asked, case)
        given = site.store.writer.do(partial(_save, asked, judgement))
    except RefusedError as error:
        return _shown(site, asked, named, case, refusal=error)
    token = _next(site, asked, named, case)
    address = f"/lead/{token}" if token else "/"
    return to(address, said=given.number, seen=asked.number("seen"))


def _judgement(asked: Asked, case: Case) -> Judgement:
    """Return what the form says; RefusedError if it cannot be taken."""
    if not is_due(case, asked.now):
        what = "the lead is not handed over yet"
        raise RefusedError(what, "judge it once it is on your list", status=409)
    choice = asked.form.get("choice", "")
    return checked(
        Judgement(
            lead_id=case.lead_id,
            handed_over_at=case.handed_over_at,
            verdict=ACCEPTED if choice == ACCEPTED else REJECTED,
            reason=choice,
            note=asked.form.get("note", ""),
            form=asked.form.get("form", ""),
        )
    )


def _save(asked: Asked, judgement: Judgement, cursor: Cursor) -> Given:
    who, now = asked.signed_in.id, asked.now
    is_again = row_of_form(cursor, who, judgement.form) is not None
    given = give(cursor, judgement, who=who, now=now)
    if not is_again:
        audit(cursor, AuditEntry(now, who, "verdict", f"verdict {given.number}"))
    return given


def take_back(site: Site, asked: Asked) -> Answer:
    """Undo a verdict of one's own and show its lead again."""
    person, now, number = asked.signed_in, asked.now, asked.number("number")

    def save(cursor: Cursor) -> Given:
        given = undo(cursor, number, who=person.id, now=now)
        audit(cursor, AuditEntry(now, person.id, "undo", f"verdict {number}"))
        return given

    try:
        given = site.store.writer.do(save)
    except RefusedError as error:
        return message(site, asked, error.status, "Nothing was undone", error.faults[0].mend)
    token = site.desk.worklist().token_of.get(given.lead_id)
    return to(f"/lead/{token}" if token else "/", undone=number)


def _case(site: Site, asked: Asked, named: Named) -> Case | None:
    case = named.by_token.get(asked.parts.get("token", ""))
    return case if case is not None and may_see(site, asked.signed_in, case) else None


def _no_such_lead(site: Site, asked: Asked) -> Answer:
    words = (
        "It is unknown, was not handed over, is somebody else's, or was erased.",
        "No verdict was saved.",
    )
    return message(site, asked, 404, "No such lead", *words)


def _next(site: Site, asked: Asked, named: Named, case: Case) -> str | None:
    """Return the token of the next lead to judge after this one, from the start at the end."""
    board, own = site.store.caught_up(), named.token_of[case.lead_id]
    for token, one in chain(named.walk(own, 1), named.listed):
        is_open = token != own and is_due(one, asked.now) and is_unjudged(board, one)
        if is_open and may_see(site, asked.signed_in, one):
            return token
    return None


def _neighbour(site: Site, asked: Asked, named: Named, case: Case, step: int) -> str:
    """Return the token of the lead before (step -1) or after this one in the list, or ""."""
    found = named.walk(named.token_of[case.lead_id], step)
    return next((token for token, one in found if may_see(site, asked.signed_in, one)), "")


def _shown(
    site: Site, asked: Asked, named: Named, case: Case, refusal: RefusedError | None = None
) -> Answer:
    board = site.store.caught_up()
    history = board.history(case.lead_id)
    names = names_of(site) if history else {}
    is_order_time = named.worklist.is_order_time
    own = board.standing(case.lead_id, case.handed_over_at)
    return page(
        site,
        asked,
        "lead.html",
        status=200 if refusal is None else refusal.status,
        case=case,
        lead_id=short(case.lead_id, 80),
        token=named.token_of[case.lead_id],
        outcome=outcome_words(case.outcome),
        trend=trend_words(case),
        age="" if is_order_time else age(case.handed_over_at, asked.now),
        since="" if is_order_time else day(case.handed_over_at),
        reasons=[(key, name, REASONS[name]) for key, name in REASON_KEYS],
        own=[given for given in own if given.who == asked.signed_in.id],
        said=said,
        lines=[line_of(g, names, is_undone=board.is_undone(g.number)) for g in reversed(history)],
        seen=history[-1].number if history else 0,
        form=site.outside.token(),
        note=asked.form.get("note", "")[:MOST_NOTE] if refusal else "",
        most_note=MOST_NOTE,
        refusal=refusal.faults[0] if refusal else None,
        just=None if refusal else last_said(site, asked, board),
        was_undone=not refusal and board.is_undone(asked.number("undone")),
        picture=None if is_order_time else _picture(asked, named, case),
        before=_neighbour(site, asked, named, case, -1),
        after=_neighbour(site, asked, named, case, 1),
    )


def _picture(asked: Asked, named: Named, case: Case) -> Picture | None:
    """Return what the lead did until now, its latest steps; None if nothing is known."""
    steps = named.worklist.steps(case.lead_id)[-_STEPS:]
    since = case.handed_over_at
    end = asked.now if is_from(asked.now, since) else since
    return story_picture(steps, handed_over_at=since, end=end) if steps else None
