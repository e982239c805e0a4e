"""Verdicts as CSV: the whole history or the list to fill in, out and in again.

No spreadsheet takes a cell for a formula: what could be one gets an apostrophe in front,
which is taken away again on the way in.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

from mqlml.errors import DataError, Fault
from mqlml.serving.cases import Case
from mqlml.serving.database import Cursor
from mqlml.serving.history import (
    UNDONE,
    Given,
    Judgement,
    RefusedError,
    checked,
    give,
    row_of_form,
    rows_after,
    undo,
)
from mqlml.serving.people import Person, everyone
from mqlml.timeline import MICROS_PER_SECOND, is_from, is_known

_HISTORY = (
    *("lead_id", "handed_over_at", "given_at", "who", "name"),
    *("verdict", "reason", "note", "form", "undoes"),
)
_LIST = (
    *("lead_id", "outcome", "score", "grade", "speaks_for_it", "speaks_against_it"),
    *("handed_over_at", "verdict", "reason", "note"),
)
_NEEDED = ("lead_id", "verdict")
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Refused:
    """A row that was not taken, as it stood, and why."""

    line: int
    row: Mapping[str, str]
    reason: str


@dataclass(frozen=True)
class Imported:
    """Where the rows of a file went."""

    added: int
    known: int
    empty: int
    refused: tuple[Refused, ...]


@dataclass(frozen=True)
class Import:
    """What rows are held against: the cases, the leads that exist, who gives verdicts, now."""

    cases: Mapping[str, Case]
    has_lead: Callable[[str], bool]
    who: Person | None
    now: int


def inert(text: str) -> str:
    """Return a text that no spreadsheet runs.

    >>> inert("=1+1"), inert("plain"), inert("'quoted")
    ("'=1+1", 'plain', "''quoted")
    """
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) else text


def restored(text: str) -> str:
    """Return the text that `inert` was given.

    >>> restored("'=1+1"), restored("'tis"), restored("''quoted")
    ('=1+1', "'tis", "'quoted")
    """
    is_guarded = text[:1] == "'" and text[1:].lstrip(" ").startswith(_STARTS)
    return text[1:] if is_guarded else text


def history_csv(cursor: Cursor) -> bytes:
    """Return every row of the history, oldest first."""
    given = rows_after(cursor, 0)
    names = {person.id: person.name for person in everyone(cursor)}
    forms = {one.number: one.form for one in given}
    return _written(_HISTORY, (_history_row(one, names, forms) for one in given))


def _history_row(
    given: Given, names: Mapping[str, str], forms: Mapping[int, str]
) -> tuple[str, ...]:
    times = (iso(given.handed_over_at), iso(given.given_at))
    words = (given.verdict, given.reason or "", given.note or "", given.form)
    undoes = forms.get(given.undoes, "") if given.undoes is not None else ""
    return (given.lead_id, *times, given.who, names.get(given.who, ""), *words, undoes)


def list_csv(cases: Iterable[Case]) -> bytes:
    """Return cases in their order, with columns for verdict, reason and note to fill in."""
    return _written(_LIST, (_list_row(case) for case in cases))


def _list_row(case: Case) -> tuple[str, ...]:
    reasons = ("; ".join(case.reasons_up), "; ".join(case.reasons_down))
    words = (case.lead_id, case.outcome, f"{case.score:.1f}", case.grade)
    return (*words, *reasons, iso(case.handed_over_at), "", "", "")


def _written(names: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([inert(cell).replace("\r", "\n") for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def refused_csv(refused: Sequence[Refused]) -> bytes:
    """Return the rows that were not taken, each with its line and why."""
    names = list(dict.fromkeys(name for one in refused for name in one.row))
    rows = ([str(o.line), o.reason, *(o.row.get(n, "") for n in names)] for o in refused)
    return _written(["line", "refused_because", *names], rows)


def read_rows(data: bytes, shown: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV file, each with its line, as they were before `inert`.

    Raises DataError for a file that is not UTF-8, or lacks a column that is needed.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(Fault("not UTF-8", shown, mend="save it as CSV UTF-8")) from None
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(StringIO(text.replace("\x00", "")), delimiter=delimiter, restval="")
    names = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        mend = f"give the columns {', '.join(_NEEDED)}; reason, note, who and given_at may follow"
        raise DataError(Fault("a column is missing", shown, ", ".join(missing), mend))
    reader.fieldnames = names
    return list(_rows(reader))


def _rows(reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    for row in reader:
        cells = {k: restored(v).strip() for k, v in row.items() if isinstance(k, str) and v}
        yield reader.line_num, cells


def import_rows(
    cursor: Cursor, rows: Iterable[tuple[int, dict[str, str]]], asked: Import
) -> Imported:
    """Add the verdicts of rows; those known already change nothing, faulty ones are told."""
    people = {person.id: person for person in everyone(cursor)}
    added = known = empty = 0
    refused = []
    for line, row in rows:
        if not row.get("verdict"):
            empty += 1
            continue
        try:
            if _import(cursor, row, people, asked):
                added += 1
            else:
                known += 1
        except RefusedError as error:
            refused.append(Refused(line, row, f"{error.faults[0].what}: {error.faults[0].mend}"))
    return Imported(added, known, empty, tuple(refused))


def _import(
    cursor: Cursor, row: Mapping[str, str], people: Mapping[str, Person], asked: Import
) -> bool:
    """Return whether the row was new."""
    who = row.get("who") or (asked.who.id if asked.who else "")
    if who not in people:
        raise RefusedError("nobody of this id was invited", "name who gave it, in 'who' or --who")
    if row["verdict"] == UNDONE:
        return _import_undo(cursor, row, who, asked.now)
    handed_over_at, given_at = _times(row, asked)
    said = (row["verdict"], row.get("reason"), row.get("note"))
    form = row.get("form") or _form_of((row["lead_id"], who, str(handed_over_at), *said))
    verdict, reason, note = said
    judgement = checked(Judgement(row["lead_id"], handed_over_at, verdict, reason, note, form))
    if row_of_form(cursor, who, form) is not None:
        return False
    give(cursor, judgement, who=who, now=given_at)
    return True


def _import_undo(cursor: Cursor, row: Mapping[str, str], who: str, now: int) -> bool:
    undone = row_of_form(cursor, who, row.get("undoes", ""))
    if undone is None:
        raise RefusedError("the verdict that it takes back is not there", "import that one too")
    if row_of_form(cursor, who, f"undo-{undone.number}") is not None:
        return False
    undo(cursor, undone.number, who=who, now=_micros(row.get("given_at", "")) or now)
    return True


def _times(row: Mapping[str, str], asked: Import) -> tuple[int, int]:
    """Return when the lead was handed over and when the verdict was given."""
    case = asked.cases.get(row.get("lead_id", ""))
    if case is None and not asked.has_lead(row.get("lead_id", "")):
        raise RefusedError("no such lead", "give lead_id as the tables have it")
    written = _micros(row.get("handed_over_at", ""))
    handed_over_at = written if written is not None else case.handed_over_at if case else None
    if handed_over_at is None:
        raise RefusedError("the lead was not handed over", "judge leads that sales was given")
    given_at = _micros(row.get("given_at", ""))
    given_at = asked.now if given_at is None else given_at
    if not is_from(given_at, handed_over_at):
        raise RefusedError("given before the lead was handed over", "check 'given_at'")
    if not is_known(given_at, asked.now):
        raise RefusedError("given in the future", "check 'given_at'")
    return handed_over_at, given_at


def iso(micros: int) -> str:
    """Return an instant as ISO 8601 text in UTC."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _micros(text: str) -> int | None:
    """Return the instant of an ISO 8601 text, None of an empty one; RefusedError of others."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("not a time", "write it as 2026-03-02T09:00:00Z") from None
    if moment.tzinfo is None:
        raise RefusedError("a time without a zone", "write it as 2026-03-02T09:00:00Z")
    past = moment - _EPOCH
    return (past.days * 86_400 + past.seconds) * MICROS_PER_SECOND + past.microseconds


def _form_of(said: Sequence[str | None]) -> str:
    """Return the same name for the same words of the same person on the same lead."""
    text = "\x1f".join(part or "" for part in said)
    return f"csv-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
