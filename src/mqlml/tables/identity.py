"""Which lead an id means, and when: links between ids become spells of time.

A link says that from `known` until `ended` its alias and its target are one person. An id
means the lead that its links lead to; a lead without a living link means itself. What was
known at a moment depends on links known before it alone: a later link, or the end of one,
changes no earlier moment.

Most ids have one link that never ends. Those are followed all at once, by doubling; what is
left (several links, ends, merged leads, cycles) is worked out id by id in `spells`.
"""

from dataclasses import dataclass

import numpy as np

from mqlml.tables.spells import (
    ALWAYS,
    Conflict,
    Flags,
    Ints,
    Links,
    NameOf,
    Spell,
    hard_spells,
    in_cycles,
)
from mqlml.timeline import NEVER


@dataclass(frozen=True)
class Spells:
    """Row by row: `id` means `lead` for every as_of in `(since, until]`.

    `since` is ALWAYS and `until` NEVER where there is no bound. Only ids that have links
    are listed, a merged lead with the spells in which it is itself too.
    """

    id: Ints
    lead: Ints
    since: Ints
    until: Ints


@dataclass(frozen=True)
class _Climb:
    """For every id, where following simple links ends, and when the last of them was known."""

    stop: Ints
    since: Ints


def resolve(
    links: Links, is_lead: Flags, *, name_of: NameOf, max_leads: int = 1
) -> tuple[Spells, list[Conflict]]:
    """Return what each id with links means when, and the links and ids not followed.

    `is_lead` says of each id whether it is a lead's own, `name_of` what it is called.
    An id that means more than `max_leads` leads at once is shared, and means none of them;
    of several it means the one whose link was known first.
    """
    links, conflicts = _sound(links)
    is_hard = _are_hard(links, is_lead)
    while True:
        climb = _climb(links, is_hard)
        hard = links.where(is_hard[links.alias])
        known = np.maximum(hard.known, climb.since[hard.target])
        contracted = Links(hard.alias, climb.stop[hard.target], known, hard.ended)
        cyclic = in_cycles(contracted.alias, contracted.target)
        # A simple id inside a cycle must be looked at link by link, like the cycle itself.
        inside = ~is_hard & np.isin(climb.stop, cyclic)
        inside &= climb.stop != np.arange(len(is_hard))
        inside |= _unfinished(links, is_hard, climb)
        if not inside.any():
            break
        is_hard = is_hard | inside
    spells, refused = hard_spells(contracted, is_lead, name_of=name_of, max_leads=max_leads)
    return _joined(links, is_hard, is_lead, climb, spells), [*conflicts, *refused]


def _sound(links: Links) -> tuple[Links, list[Conflict]]:
    """Return the links that say something, and the rest as conflicts."""
    is_self, is_void = links.alias == links.target, links.ended <= links.known
    conflicts = [Conflict("links to itself", int(a)) for a in links.alias[is_self]]
    void = links.alias[is_void & ~is_self]
    conflicts += [Conflict("ends before it is known", int(a)) for a in void]
    return links.where(~is_self & ~is_void), conflicts


def _are_hard(links: Links, is_lead: Flags) -> Flags:
    """Return which ids have several links, a link that ends, or are a lead and have a link."""
    count = np.bincount(links.alias, minlength=len(is_lead))
    is_hard = np.asarray((count > 1) | ((count > 0) & is_lead))
    is_hard[links.alias[links.ended != NEVER]] = True
    return is_hard


def _climb(links: Links, is_hard: Flags) -> _Climb:
    simple = ~is_hard[links.alias]
    alias = links.alias[simple]
    stop = np.arange(len(is_hard))
    since = np.full(len(is_hard), ALWAYS)
    stop[alias], since[alias] = links.target[simple], links.known[simple]
    for _ in range(len(is_hard).bit_length() + 1):
        above = stop[stop]
        if np.array_equal(above, stop):
            break
        np.maximum(since, since[stop], out=since)
        stop = above
    return _Climb(stop, since)


def _unfinished(links: Links, is_hard: Flags, climb: _Climb) -> Flags:
    """Return which ids lie on, or lead into, a cycle of simple links."""
    has_link = np.zeros(len(is_hard), np.bool_)
    has_link[links.alias[~is_hard[links.alias]]] = True
    return np.asarray(has_link[climb.stop])


def _joined(
    links: Links, is_hard: Flags, is_lead: Flags, climb: _Climb, spells: dict[int, list[Spell]]
) -> Spells:
    """Return the spells of hard ids and of the simple ones that end at a lead or a hard id."""
    simple = links.alias[~is_hard[links.alias]]
    stop = climb.stop[simple]
    plain = simple[is_lead[stop] & ~is_hard[stop]]
    rows = [(i, s.lead, s.since, s.until) for i, found in spells.items() for s in found]
    for one in simple[is_hard[stop]].tolist():
        since = int(climb.since[one])
        found = spells.get(int(climb.stop[one]), ())
        rows += [(one, s.lead, max(s.since, since), s.until) for s in found if since < s.until]
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Spells(
        np.concatenate([plain, table[:, 0]]),
        np.concatenate([climb.stop[plain], table[:, 1]]),
        np.concatenate([climb.since[plain], table[:, 2]]),
        np.concatenate([np.full(len(plain), NEVER), table[:, 3]]),
    )
