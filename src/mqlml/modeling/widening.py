"""A wider search in rounds: more settings of each learner until enough, no gain, or no time.

What a round draws depends on the seed and its place only. So a search that a clock ended
after forty candidates is repeated, bit for bit, by asking for forty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mqlml.dataset.splits import Split
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import Contestant
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.narrowed import Narrowed
from mqlml.modeling.contestants.space import drawn_lines, drawn_trees
from mqlml.modeling.search import Choice, Material, Searched, search

_ROUND = 4
# A search ends when so many rounds in a row bettered no learner by the least gain.
_PATIENCE = 6
_LEAST_GAIN = 0.0002


@dataclass(frozen=True)
class Effort:
    """How far a search goes: so many candidates beyond the usual settings of each learner.

    `is_over` is asked before each round of four; `tell` hears how many were tried.
    """

    candidates: int = 0
    is_over: Callable[[], bool] | None = None
    tell: Callable[[int], None] | None = None

    def allows(self, tried: int) -> bool:
        """Return whether another round may begin after so many candidates."""
        return tried < self.candidates and not (self.is_over is not None and self.is_over())


def search_wide(
    entrants: Sequence[Contestant],
    material: Material,
    split: Split,
    *,
    jobs: int,
    effort: Effort,
) -> tuple[list[Choice], int]:
    """Return each entrant's best setting, and how many candidates were tried of each learner."""
    found = [search(entrant, material, split, jobs=jobs) for entrant in entrants]
    tried = idle = 0
    while effort.allows(tried) and idle < _PATIENCE:
        count = min(_ROUND, effort.candidates - tried)
        wider = [
            _widened(one, material, split, jobs=jobs, tried=tried, count=count) for one in found
        ]
        gains = [old.lowest - new.lowest for old, new in zip(found, wider, strict=True)]
        found, tried = wider, tried + count
        idle = 0 if max(gains) > _LEAST_GAIN else idle + 1
        if effort.tell is not None:
            effort.tell(tried)
    return [one.best(material) for one in found], tried


def _widened(
    found: Searched, material: Material, split: Split, *, jobs: int, tried: int, count: int
) -> Searched:
    """Return what was found with the next `count` candidates; unchanged if none are drawn."""
    drawn = _drawn(found.contestant, len(split.development), material.seed, tried, count)
    return found if drawn is None else found.joined(search(drawn, material, split, jobs=jobs))


def _drawn(entrant: Contestant, rows: int, seed: int, tried: int, count: int) -> Contestant | None:
    """Return the entrant with only the next `count` drawn settings; None if it draws none."""
    if isinstance(entrant, Narrowed):
        inner = _drawn(entrant.inner, rows, seed, tried, count)
        return None if inner is None else replace(entrant, inner=inner)
    if isinstance(entrant, Boosting):
        settings = drawn_trees(tried + count, rows, seed, is_directed=bool(entrant.monotone))
        return replace(entrant, half_lives=(), drawn=settings[tried:])
    if isinstance(entrant, Logistic):
        settings = drawn_lines(tried + count, rows, seed)
        return replace(entrant, half_lives=(), drawn=settings[tried:])
    return None
