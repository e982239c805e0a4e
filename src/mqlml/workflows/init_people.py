"""What `mqlml init` proposes to know of people: an export's own columns, and the ideal customer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mqlml.sources.found_exports import FoundExport
from mqlml.sources.spelling import lower_names, snake_names

# Words of a column's name by what it tells; the first part with such a column gets it.
_ICP_WORDS = {
    "title": ("jobtitle", "job title", "title"),
    "size": ("company size", "numberofemployees", "number of employees", "numemployees",
             "employees", "employee count", "headcount", "size"),
    "industry": ("industry", "sector", "branche"),
    "country": ("country", "land"),
}  # fmt: skip
_MORE_WORDS = (
    *("seniority", "department", "function", "role", "revenue", "annualrevenue", "region"),
    *("source", "leadsource", "campaign", "utm", "segment", "tier", "technology", "tool"),
)
# Such columns are written again and again, or tell how it ended, or are somebody's name.
_NOT_WORDS = frozenset(
    (
        *("last", "latest", "recent", "next", "updated", "modified", "timestamp"),
        *("date", "time", "day", "days", "count", "num", "id", "ids"),
        *("owner", "name", "email", "mail", "phone", "fax", "url"),
        *("stage", "status", "score", "close", "closed", "deal", "deals", "won", "lost"),
        *("reason", "converted", "conversion", "description", "note", "notes"),
    )
)
_SHOWN = 12


@dataclass(frozen=True)
class PeopleColumns:
    """Columns of an export's people.

    `usual` are attributes that its mapping knows and a file has, `proposed` its own
    that look like who somebody is, `others` the rest.
    """

    usual: tuple[str, ...]
    proposed: tuple[str, ...]
    others: tuple[str, ...]


def people_columns(export: FoundExport) -> PeopleColumns:
    """Return the columns of the files that give an export's leads, each kind in file order."""
    usual: dict[str, None] = {}
    own: dict[str, None] = {}
    for shown, mappings in export.files.items():
        for people in (m for m in mappings if m.table == "leads"):
            columns = export.columns[shown]
            columns = snake_names(columns) if export.system.is_snake else columns
            given = {(people.prefix + name).lower(): name for name in people.attributes}
            usual |= {given[c.lower()]: None for c in columns if c.lower() in given}
            taken = {*given, *lower_names(people.looked_up.values())}
            for one in mappings:
                taken |= lower_names((*one.required, *one.optional, *one.signature))
                taken |= lower_names(one.ids.values())
            own |= {
                c.removeprefix(people.prefix): None
                for c in columns
                if c.startswith(people.prefix) and c.lower() not in taken
            }
    proposed = tuple(name for name in own if _tells_who(name))
    others = tuple(name for name in own if name not in proposed)
    return PeopleColumns(tuple(usual), proposed, others)


def attribute_lines(people: PeopleColumns) -> Iterator[str]:
    """Yield the line of an export's block that names its own attributes, and what is left out."""
    if people.proposed:
        names = ", ".join(people.proposed)
        yield f"attributes: [{names}]  # guessed: known when a lead is made, or in its history"
    if people.others:
        shown = ", ".join(people.others[:_SHOWN])
        more = len(people.others) - _SHOWN
        yield f"# not taken: {shown}" + (f" and {more} more" if more > 0 else "")


def icp_lines(people: PeopleColumns) -> Iterator[str]:
    """Yield the plan's `icp` section, which names attributes; what fits is left to its owners."""
    names = (*people.proposed, *people.usual)
    found = {part: _first(names, words) for part, words in _ICP_WORDS.items()}
    if not any(found.values()):
        return
    yield "  # Who your ideal customer is: say which values fit, for example"
    yield "  # size_min: 50, size_max: 500, industries: [software], countries: [Germany],"
    yield "  # seniorities: [c_level, vp, director, manager], functions: [operations, it]"
    yield "  icp:"
    yield from (f"    {part}: {name}  # guessed" for part, name in found.items() if name)


def _first(names: Sequence[str], words: Sequence[str]) -> str | None:
    spoken = {name: " ".join(_words(name)) for name in names}
    return next((n for word in words for n, said in spoken.items() if said == word), None)


def _tells_who(name: str) -> bool:
    words = _words(name)
    said = " ".join(words)
    wanted = {*_MORE_WORDS, *(word for group in _ICP_WORDS.values() for word in group)}
    is_wanted = said in wanted or bool(wanted.intersection(words))
    return (
        is_wanted and not _NOT_WORDS.intersection(words) and re.fullmatch(r"\w+", name) is not None
    )


def _words(name: str) -> list[str]:
    """Return the words of a column's name: at its signs, and where capitals begin."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower().split()
