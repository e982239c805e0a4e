"""Which columns hold names, addresses, telephone numbers or free text: told by name and content."""

import re
from collections.abc import Collection, Sequence

import duckdb

from mqlml.sources.leads import in_blocks
from mqlml.tables.contracts import Attribute, ColumnType, Known
from mqlml.tables.ingested import Note
from mqlml.tables.sql import literal, only_row, quoted

_CONTENT = {
    "e-mail addresses": "^\\s*[^@\\s]+@[^@\\s]+\\.[a-zA-Z]{2,}\\s*$",
    "telephone numbers": "^\\s*(\\+|00|\\(?0)[0-9][0-9 ().\\-/]{5,18}[0-9]\\s*$",
}
_WORDS = {
    "e-mail addresses": {"email", "emails", "mail", "emailaddress"},
    "telephone numbers": {"phone", "telephone", "mobile", "fax", "cellphone", "phonenumber"},
    "names of people": {"firstname", "lastname", "fullname", "surname", "forename", "middlename"},
    "free text": {
        "note",
        "notes",
        "comment",
        "comments",
        "message",
        "description",
        "bio",
        "remarks",
    },
}
_PAIRS = {"first", "last", "full", "middle", "given", "family", "contact", "sur"}
_SOME, _LONG_TEXT = 10, 60


def personal_attributes(
    connection: duckdb.DuckDBPyConnection, specs: Sequence[Attribute], allowed: Collection[str]
) -> tuple[list[Attribute], list[Note]]:
    """Return the specs, those that tell who a person is as such, and a note on each of these.

    `allowed` are switched on by name. A column is told by what it is called if it has many
    different values, and by its values if most of them are addresses, numbers or long text.
    """
    looked_at = [s for s in specs if s.known is Known.CREATION and s.name not in allowed]
    kinds: dict[str, str] = {}
    for block in in_blocks([s for s in looked_at if s.type is not ColumnType.FLAG]):
        figures = [sql for spec in block for sql in _figures(spec)]
        row = only_row(connection, f"SELECT {', '.join(figures)} FROM leads_kept")
        for place, spec in enumerate(block):
            kind = _kind(spec, *row[5 * place : 5 * place + 5])
            kinds |= {spec.name: kind} if kind else {}
    marked = [Attribute(s.name, s.type, Known.PERSONAL) if s.name in kinds else s for s in specs]
    what = "never a feature: holds {}; to use it, list it in attributes.allow_personal"
    return marked, [Note("leads", "", name, what.format(kind)) for name, kind in kinds.items()]


def is_personal_name(name: str) -> str:
    """Return what a column of this name usually holds of a person, empty if nothing.

    >>> is_personal_name("Work E-Mail"), is_personal_name("company_name")
    ('e-mail addresses', '')
    """
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower().replace("e-mail", "email")
    words = re.findall(r"[a-z]+", plain)
    for kind, known in _WORDS.items():
        if known & {*words, "".join(words)}:
            return kind
    is_name = words == ["name"] or (words[-1:] == ["name"] and bool(_PAIRS & set(words)))
    return "names of people" if is_name else ""


def _figures(spec: Attribute) -> list[str]:
    text = f"CAST({quoted(spec.name)} AS VARCHAR)"
    matches = [f"count(*) FILTER (regexp_matches({text}, {literal(p)}))" for p in _CONTENT.values()]
    return [
        f"count({text})",
        f"approx_count_distinct({text})",
        f"coalesce(avg(length({text})) FILTER (contains({text}, ' ')), 0)",
        *matches,
    ]


def _kind(
    spec: Attribute, filled: int, distinct: int, length: float, mails: int, phones: int
) -> str:
    if filled == 0:
        return ""
    is_text = spec.type is ColumnType.TEXT
    for kind, count in zip(_CONTENT, (mails, phones), strict=True):
        if is_text and count * 2 > filled:
            return kind
    is_varied = distinct > _SOME or distinct * 2 > filled
    named = is_personal_name(spec.name)
    if named and is_varied and (is_text or named == "telephone numbers"):
        return named
    return "free text" if is_text and length > _LONG_TEXT and distinct > _SOME else ""
