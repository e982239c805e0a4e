"""Pages for who looks on: all verdicts, people, the audit log, and the keys."""

from mqlml.reports.words import day, short
from mqlml.serving.csv_files import history_csv
from mqlml.serving.database import Cursor
from mqlml.serving.just_said import names_of
from mqlml.serving.people import everyone, set_active
from mqlml.serving.phrases import REASON_KEYS, line_of, reason_words
from mqlml.serving.sessions import AuditEntry, audit, audit_entries
from mqlml.serving.site import Answer, Asked, Site, message, page, to

_ROWS = 100


def verdicts_page(site: Site, asked: Asked) -> Answer:
    """Return the newest verdicts of everybody."""
    board, names, named = site.store.caught_up(), names_of(site), site.desk.worklist()
    number = max(asked.number("page", 1), 1)
    rows = board.newest(skip=(number - 1) * _ROWS, most=_ROWS + 1)
    lines = [
        line_of(
            given,
            names,
            is_undone=board.is_undone(given.number),
            token=named.token_of.get(given.lead_id, ""),
        )
        for given in rows[:_ROWS]
    ]
    is_more = len(rows) > _ROWS
    return page(site, asked, "verdicts.html", lines=lines, number=number, is_more=is_more)


def verdicts_csv(site: Site, asked: Asked) -> Answer:
    """Return the whole history as a CSV file that no spreadsheet takes for formulas."""
    person, now = asked.signed_in, asked.now
    site.store.writer.do(lambda c: audit(c, AuditEntry(now, person.id, "export", "")))
    with site.store.database.read() as cursor:
        data = history_csv(cursor)
    headers = {"Content-Disposition": 'attachment; filename="verdicts.csv"'}
    return Answer(data, kind="text/csv; charset=utf-8", headers=headers)


def people_page(site: Site, asked: Asked) -> Answer:
    """Return everybody who was invited."""
    with site.store.database.read() as cursor:
        people = everyone(cursor)
    return page(site, asked, "people.html", people=people)


def change_person(site: Site, asked: Asked) -> Answer:
    """Shut somebody out, or let them in again; nobody shuts out themselves."""
    whom, person = asked.form.get("id", ""), asked.signed_in
    is_active = asked.form.get("act") == "in"
    if whom == person.id:
        return message(site, asked, 400, "Nothing was changed", "You cannot shut yourself out.")

    def save(cursor: Cursor) -> bool:
        was_there = set_active(cursor, whom, is_active=is_active)
        if was_there:
            what = "let in" if is_active else "shut out"
            audit(cursor, AuditEntry(asked.now, person.id, what, whom))
        return was_there

    if not site.store.writer.do(save):
        return message(site, asked, 404, "Nothing was changed", "There is nobody of this id.")
    return to("/people")


def audit_page(site: Site, asked: Asked) -> Answer:
    """Return the audit log, newest first."""
    names, number = names_of(site), max(asked.number("page", 1), 1)
    with site.store.database.read() as cursor:
        entries = audit_entries(cursor, skip=(number - 1) * _ROWS, most=_ROWS + 1)
    rows = [
        (day(e.at), short(names.get(e.who, e.who), 40), e.what, names.get(e.about, e.about))
        for e in entries[:_ROWS]
    ]
    is_more = len(entries) > _ROWS
    return page(site, asked, "audit.html", rows=rows, number=number, is_more=is_more)


def keys_page(site: Site, asked: Asked) -> Answer:
    """Return the page that lists the keys."""
    reasons = [(key, reason_words(name)) for key, name in REASON_KEYS]
    return page(site, asked, "keys.html", reasons=reasons)
