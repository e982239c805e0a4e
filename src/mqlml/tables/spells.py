"""What an id with several links, links that end, or in a cycle means, worked out id by id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mqlml.timeline import EVER, NEVER

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NameOf = Callable[[int], str]

ALWAYS = -EVER


@dataclass(frozen=True)
class Links:
    """Links by the numbers of their ids; `ended` is NEVER for one that lasts."""

    alias: Ints
    target: Ints
    known: Ints
    ended: Ints

    def where(self, keep: Flags) -> "Links":
        """Return some of the links."""
        return Links(self.alias[keep], self.target[keep], self.known[keep], self.ended[keep])


@dataclass(frozen=True)
class Conflict:
    """Why an id, or one of its links, is not followed; `since` is when that was known."""

    reason: str
    id: int
    since: int = ALWAYS


@dataclass(frozen=True)
class Spell:
    """`lead` is meant for every as_of in `(since, until]`."""

    lead: int
    since: int
    until: int


@dataclass(frozen=True)
class _Link:
    alias: int
    target: int
    known: int
    ended: int


_Graph = Mapping[int, Sequence[_Link]]


def in_cycles(alias: Ints, target: Ints) -> Ints:
    """Return the ids that lie on a cycle of links, an id that links to itself included."""
    ids, codes = np.unique(np.concatenate([alias, target]), return_inverse=True)
    if len(ids) == 0:
        return ids
    ends = codes[: len(alias)], codes[len(alias) :]
    graph = coo_array((np.ones(len(alias), np.int8), ends), shape=(len(ids), len(ids)))
    _, group = connected_components(graph, directed=True, connection="strong")
    is_many = np.bincount(group)[group] > 1
    return np.unique(np.concatenate([ids[is_many], alias[alias == target]]))


def hard_spells(
    links: Links,
    is_lead: Flags,
    *,
    name_of: NameOf,
    max_leads: int,
) -> tuple[dict[int, list[Spell]], list[Conflict]]:
    """Return the spells of every id with links, and what is not followed.

    A link that closes a cycle of living links is refused: of a cycle the one known last.
    """
    columns = (links.alias, links.target, links.known, links.ended)
    rows = [_Link(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    graph, conflicts = _without_cycles(rows, name_of)
    # Cycles are left where links follow one another in time, each ended before the next.
    kept = [link for several in graph.values() for link in several]
    alias, target = (np.array([getattr(x, n) for x in kept], np.int64) for n in ("alias", "target"))
    recurrent = frozenset(in_cycles(alias, target).tolist())
    resolver = _Resolver(graph, is_lead, name_of, max_leads=max_leads, recurrent=recurrent)
    for one in _targets_first(sorted(graph), graph):
        resolver.settle(one)
    return resolver.spells, [*conflicts, *resolver.conflicts]


def _without_cycles(
    rows: Sequence[_Link], name_of: NameOf
) -> tuple[dict[int, list[_Link]], list[Conflict]]:
    alias, target = (np.array([getattr(x, n) for x in rows], np.int64) for n in ("alias", "target"))
    cyclic = set(in_cycles(alias, target).tolist())
    graph: dict[int, list[_Link]] = {row.alias: [] for row in rows}
    conflicts = []
    inner = [row for row in rows if row.alias in cyclic and row.target in cyclic]
    for row in rows:
        if not (row.alias in cyclic and row.target in cyclic):
            graph[row.alias].append(row)
    for row in sorted(inner, key=lambda r: (r.known, name_of(r.alias), name_of(r.target), r.ended)):
        if _leads_back(graph, row, cyclic):
            conflicts.append(Conflict("closes a cycle", row.alias, row.known))
        else:
            graph[row.alias].append(row)
    return graph, conflicts


def _leads_back(graph: _Graph, link: _Link, cyclic: set[int]) -> bool:
    """Return whether links alive at one moment with `link` lead from its target to its alias."""
    stack, seen = [(link.target, link.known, link.ended)], set()
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        seen.add(place)
        one, known, ended = place
        if one == link.alias:
            return True
        for after in graph.get(one, ()):
            begin, end = max(known, after.known), min(ended, after.ended)
            if begin < end and after.target in cyclic:
                stack.append((after.target, begin, end))
    return False


def _targets_first(ids: Sequence[int], graph: _Graph) -> Iterator[int]:
    """Yield every id after the ids that its links reach, cycles apart."""
    seen: set[int] = set()
    for start in ids:
        stack = [(start, False)]
        while stack:
            one, is_done = stack.pop()
            if is_done:
                yield one
            elif one not in seen:
                seen.add(one)
                stack.append((one, True))
                stack += [(link.target, False) for link in graph.get(one, ())]


class _Resolver:
    """Works out spells; `spells` holds those of ids whose links are settled."""

    def __init__(
        self,
        graph: _Graph,
        is_lead: Flags,
        name_of: NameOf,
        *,
        max_leads: int,
        recurrent: frozenset[int],
    ) -> None:
        self.graph, self.is_lead, self.name_of, self.max_leads = graph, is_lead, name_of, max_leads
        self.recurrent = recurrent
        self.spells: dict[int, list[Spell]] = {}
        self.conflicts: list[Conflict] = []

    def settle(self, one: int) -> None:
        """Work out the spells of an id; its targets come first unless they are in a cycle."""
        if one not in self.graph:
            return
        found, shared = self._between(one, ALWAYS, NEVER)
        self.spells[one] = found
        if shared is not None:
            self.conflicts.append(Conflict("means several leads at once", one, shared))

    def _between(self, one: int, since: int, until: int) -> tuple[list[Spell], int | None]:
        """Return the spells of an id within `(since, until]`, and since when it is shared."""
        if one not in self.graph:
            return ([Spell(one, since, until)] if self.is_lead[one] else []), None
        means = list(self._meanings(one, since, until))
        marks = sorted({since, until, *(t for s in means for t in (s.since, s.until))})
        shared, found, meant = None, list[Spell](), dict[int, int]()
        for begin, end in pairwise(marks):
            leads = {s.lead for s in means if s.since <= begin and end <= s.until}
            # Since when each has been meant without a break: who came first stays.
            meant = {lead: meant.get(lead, begin) for lead in leads}
            if len(leads) > self.max_leads:
                shared = begin if shared is None else shared
            elif leads:
                lead = min(leads, key=lambda x: (meant[x], self.name_of(x)))
                _extend(found, Spell(lead, begin, end))
                continue
            if self.is_lead[one]:
                _extend(found, Spell(one, begin, end))
        return found, shared

    def _meanings(self, one: int, since: int, until: int) -> Iterator[Spell]:
        """Yield what each link of an id means when."""
        for link in self.graph[one]:
            begin, end = max(since, link.known), min(until, link.ended)
            if begin < end:
                yield from self._of_target(link.target, begin, end)

    def _of_target(self, target: int, begin: int, end: int) -> list[Spell]:
        if target not in self.spells or target in self.recurrent:
            return self._between(target, begin, end)[0]
        clipped = (
            Spell(s.lead, max(s.since, begin), min(s.until, end)) for s in self.spells[target]
        )
        return [s for s in clipped if s.since < s.until]


def _extend(found: list[Spell], spell: Spell) -> None:
    """Add a spell, as part of the last one if that goes on."""
    if found and (found[-1].lead, found[-1].until) == (spell.lead, spell.since):
        found[-1] = Spell(spell.lead, found[-1].since, spell.until)
    else:
        found.append(spell)
