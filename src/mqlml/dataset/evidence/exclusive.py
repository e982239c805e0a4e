"""Values that occur (almost) with one outcome only."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.evidence.figures import Odds, bucket_odds
from mqlml.dataset.evidence.leaks import Column
from mqlml.dataset.evidence.sample import Numbers
from mqlml.dataset.evidence.views import converted_by_value
from mqlml.dataset.findings import Action, Finding

ONLY_RATE = 0.95
ONLY_FACTOR = 20.0
BEYOND_DOUBT_FACTOR = 100.0
PURE_RATE = 0.98
PURE_FACTOR = 10.0
ONLY_SHARE = 0.05
ONLY_LEADS = 5
NEVER_SHARE = 0.20
# A group may stand for one outcome only for a while: an artefact of filling in later.
PERIODS = {
    "": slice(None),
    " in the first third of the time": slice(0, 2),
    " in the first half of the time": slice(0, 3),
    " in the first two thirds of the time": slice(0, 4),
    " in the second half of the time": slice(3, None),
}


def only_for_one_outcome(column: Column) -> Iterator[Finding]:
    """Yield one finding, the gravest, for a value that occurs (almost) with one outcome only.

    Looked at over all development rows and over parts of their time, value by
    value, and for being filled at all.
    """
    found = []
    for when, blocks in PERIODS.items():
        counts = column.counts.of_blocks(blocks)
        for view in (counts, counts.by_fill()):
            found += [*_only_converted(column, view, when), *_never_converted(column, view, when)]
    yield from sorted(found, key=lambda f: f.action)[:1]


def _only_converted(column: Column, counts: Counts, when: str) -> Iterator[Finding]:
    odds = bucket_odds(counts)
    share = odds.converted / max(odds.converted.sum(), 1e-9)
    rate = odds.converted / np.maximum(odds.leads, 1e-9)
    is_only = (rate >= ONLY_RATE) & (odds.ratio_low >= ONLY_FACTOR)
    is_only |= odds.ratio_low >= BEYOND_DOUBT_FACTOR
    # Where half of all convert, or few are seen, no group can be surely twenty times the usual.
    is_only |= (rate >= PURE_RATE) & (odds.ratio_low >= PURE_FACTOR)
    # Where hardly anybody converts, one lead is a share of all, and a value of its own an event.
    is_enough = (share >= ONLY_SHARE) & (odds.converted >= ONLY_LEADS)
    for bucket in _largest_first(is_only & is_enough, share):
        evidence = f"{_group(counts, odds, bucket, when)}{share[bucket]:.1%} of the converted"
        figures = {"rate": _rate(odds, bucket), "share": float(share[bucket])}
        seen = converted_by_value(counts)
        seen = replace(seen, says=f"{seen.says}{when}")
        yield column.finding("appears only for converted leads", evidence, "stop", figures, seen)


def _never_converted(column: Column, counts: Counts, when: str) -> Iterator[Finding]:
    """Yield groups that never convert; small ones are only shown.

    Some leads honestly never buy (a country not served, no e-mail address); but a
    column that has a value for the lost alone is a reason for loss.
    """
    odds = bucket_odds(counts)
    others = odds.leads - odds.converted
    share = others / max(others.sum(), 1e-9)
    is_never = (odds.ratio_high <= 1 / ONLY_FACTOR) & (share >= ONLY_SHARE)
    for bucket in _largest_first(is_never, share):
        is_leak = share[bucket] >= NEVER_SHARE or counts.names[bucket] == "any value"
        action: Action = "stop" if is_leak else "warn"
        evidence = f"{_group(counts, odds, bucket, when)}{share[bucket]:.1%} of the others"
        figures = {"rate": _rate(odds, bucket), "share": float(share[bucket])}
        what = "appears only for leads that did not convert"
        seen = converted_by_value(counts)
        seen = replace(seen, says=f"{seen.says}{when}")
        yield column.finding(what, evidence, action, figures, seen)


def _largest_first(chosen: npt.NDArray[np.bool_], share: Numbers) -> list[int]:
    places = np.flatnonzero(chosen)
    return [int(place) for place in places[np.argsort(-share[places], kind="stable")]]


def _group(counts: Counts, odds: Odds, bucket: int, when: str) -> str:
    return (
        f"of {odds.leads[bucket]:,.0f} leads with {counts.names[bucket]}{when}, "
        f"{_rate(odds, bucket):.1%} converted; they are "
    )


def _rate(odds: Odds, bucket: int) -> float:
    return float(odds.converted[bucket] / max(odds.leads[bucket], 1e-9))
