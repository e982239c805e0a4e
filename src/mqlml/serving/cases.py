"""The leads that wait for a verdict, in the order in which they are best looked at."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mqlml.reports.lead_story import Step
from mqlml.tables.tombstones import NO_TOMBSTONES, Tombstones

HAND_RAISER = "hand_raiser"
_TOKEN_LENGTH = 32


@dataclass(frozen=True)
class Fact:
    """An attribute that the lead's page shows."""

    name: str
    value: str


@dataclass(frozen=True)
class Judged:
    """A verdict that came from elsewhere, such as the CRM."""

    given_at: int
    who: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Case:
    """A lead that was handed over: its score in words, who owns it, since when it waits.

    `is_new` says that the latest scores handed it over, `is_listed` that they still do.
    Times are microseconds UTC.
    """

    lead_id: str
    handed_over_at: int
    outcome: str
    score: float
    grade: str = ""
    trend: float | None = None
    because: str = ""
    persona: str = ""
    reasons_up: tuple[str, ...] = ()
    reasons_down: tuple[str, ...] = ()
    owner: str = ""
    facts: tuple[Fact, ...] = ()
    judged: tuple[Judged, ...] = ()
    is_new: bool = False
    is_listed: bool = True

    @property
    def order(self) -> tuple[bool, bool, float, int, str]:
        """Return what cases are sorted by.

        What is new comes first, hand raisers before MQLs, then the score, then who waits longest.
        """
        is_raiser = self.outcome == HAND_RAISER
        return not self.is_new, not is_raiser, -self.score, self.handed_over_at, self.lead_id


@dataclass(frozen=True)
class Worklist:
    """All cases of one scoring run, and what their leads did.

    `steps` gives a lead's events, oldest first. Where times come from an order column
    (`is_order_time`) they mean no days, and none are shown.
    """

    as_of: int = 0
    model_version: str = ""
    cases: tuple[Case, ...] = ()
    steps: Callable[[str], Sequence[Step]] = field(default=lambda _lead: ())
    erased: Tombstones = NO_TOMBSTONES
    is_order_time: bool = False


@dataclass(frozen=True)
class Named:
    """A worklist whose leads have names for addresses, from which nobody gets the ids back."""

    worklist: Worklist
    listed: tuple[tuple[str, Case], ...]
    by_token: dict[str, Case]
    token_of: dict[str, str]
    place_of: dict[str, int]

    def walk(self, token: str, step: int) -> Iterator[tuple[str, Case]]:
        """Yield the listed cases after a lead (step 1) or before it (step -1), in that order."""
        place = self.place_of.get(token)
        if place is None:
            return
        end = len(self.listed) if step > 0 else -1
        yield from (self.listed[n] for n in range(place + step, end, step))


def named(worklist: Worklist, key: bytes) -> Named:
    """Return the worklist in its order, without the erased, with a token for every lead."""
    gone = worklist.erased
    kept = [c for c in worklist.cases if not gone.hashes or gone.of(c.lead_id) not in gone.hashes]
    pairs = [(lead_token(key, c.lead_id), c) for c in sorted(kept, key=lambda c: c.order)]
    listed = tuple((token, case) for token, case in pairs if case.is_listed)
    return Named(
        worklist,
        listed,
        by_token=dict(pairs),
        token_of={case.lead_id: token for token, case in pairs},
        place_of={token: place for place, (token, _) in enumerate(listed)},
    )


def lead_token(key: bytes, lead_id: str) -> str:
    """Return the name of a lead in addresses: a keyed digest of its id."""
    return hmac.new(key, lead_id.encode(), hashlib.sha256).hexdigest()[:_TOKEN_LENGTH]
