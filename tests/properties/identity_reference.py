"""What an id means at one moment, in plain Python: slow and obvious."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    alias: str
    target: str
    known: int
    ended: int | None = None

    def is_alive(self, as_of: int) -> bool:
        """A link counts once it was known before as_of, until its end was known before as_of."""
        return self.known < as_of and (self.ended is None or as_of <= self.ended)


def accepted(links: Sequence[Link]) -> list[Link]:
    """In the order in which links became known, leave out each that closes a living cycle."""
    kept: list[Link] = []
    sound = [x for x in links if x.alias != x.target and (x.ended is None or x.known < x.ended)]
    for link in sorted(sound, key=lambda x: (x.known, x.alias, x.target, x.ended or 10**18)):
        # Between two marks nothing changes, so it is enough to look just after each.
        moments = [link.known + 1, *(x.known + 1 for x in kept if x.known > link.known)]
        moments = [t for t in moments if link.is_alive(t)]
        if not any(reaches(link.target, link.alias, kept, t) for t in moments):
            kept.append(link)
    return kept


def reaches(start: str, goal: str, links: Sequence[Link], as_of: int) -> bool:
    if start == goal:
        return True
    alive = [x for x in links if x.alias == start and x.is_alive(as_of)]
    return any(reaches(x.target, goal, links, as_of) for x in alive)


def lead_at(
    name: str, as_of: int, links: Sequence[Link], leads: frozenset[str], max_leads: int = 1
) -> str | None:
    """Return the lead that `name` means at `as_of`, None for nobody; `links` are accepted ones."""
    meant = leads_of_links(name, as_of, links, leads, max_leads)
    if 0 < len(meant) <= max_leads:

        def meant_since(lead: str) -> int:
            moment = as_of
            while moment > 0 and lead in leads_of_links(name, moment, links, leads, max_leads):
                moment -= 1
            return moment

        return min(meant, key=lambda lead: (meant_since(lead), lead))
    return name if name in leads else None


def leads_of_links(
    name: str, as_of: int, links: Sequence[Link], leads: frozenset[str], max_leads: int
) -> set[str]:
    alive = [x for x in links if x.alias == name and x.is_alive(as_of)]
    found = {lead_at(x.target, as_of, links, leads, max_leads) for x in alive}
    return {lead for lead in found if lead is not None}
