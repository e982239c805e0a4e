"""The ranked list: of each period's new leads the best go to sales, never more than agreed.

A static threshold that kept past weeks within capacity leaves places empty in weak
weeks and breaks its promise in strong ones; a list cut at capacity does neither.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.criteria.decide import Outcome, percent_words
from mqlml.criteria.exploring import drawn_leads, explored_places
from mqlml.criteria.settings import RankedList

_DRAWN = "explored: drawn by chance, so that sales learns of leads the list leaves out"
_Floats = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.int64]
_Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Listing:
    """What a ranked list is cut by at one moment, and who went to sales before.

    `floor` is the least probability on the list, `warm_share` where warm begins as a
    share of the cut. The period began at `start` (microseconds, see `period_start`);
    `zone` says on which day something was. `handed` has one row per lead that went to
    sales before, by lead_id: as_of (microseconds) and is_hand_raiser of its first time.
    """

    rule: RankedList
    floor: float
    warm_share: float
    start: int
    zone: str
    handed: pd.DataFrame


@dataclass(frozen=True)
class Cut:
    """How a list was cut: `probability` is the least with which a new lead was taken.

    Where no place was left it is that of the best lead which was not taken, and where
    all found a place the list's floor. `used` places were taken earlier in the period
    that began at `start`, `raised` by hand raisers of this moment; of `listed` new leads
    `taken` went to sales, `explored` of them by chance; `staying` ones were handed over
    before.
    """

    probability: float
    start: int
    used: int
    raised: int
    listed: int
    taken: int
    staying: int
    explored: int = 0


def period_start(as_of: int, per: Literal["week", "day"], zone: str) -> int:
    """Return when the day or the week (from Monday) of `as_of` began, in microseconds UTC.

    >>> period_start(6 * timeline.MICROS_PER_DAY, "week", "UTC") // timeline.MICROS_PER_DAY
    4
    """
    local = datetime.fromtimestamp(as_of // timeline.MICROS_PER_SECOND, ZoneInfo(zone))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    first = day - timedelta(days=day.weekday()) if per == "week" else day
    return round(first.timestamp()) * timeline.MICROS_PER_SECOND


def nobody_handed() -> pd.DataFrame:
    """Return what `Listing.handed` is before anybody went to sales."""
    none = pd.Index([], dtype="str", name="lead_id")
    return pd.DataFrame({"as_of": np.empty(0, np.int64), "is_hand_raiser": np.empty(0, bool)}, none)


def first_handed(*told: pd.DataFrame) -> pd.DataFrame:
    """Return each lead's first time of all that is told, by lead_id; see `Listing.handed`.

    Of two that tell of the same moment the one given first counts.
    """
    every = pd.concat(told)
    every = every.iloc[np.argsort(every["as_of"].to_numpy(np.int64), kind="stable")]
    return every[~every.index.duplicated(keep="first")]


def cut_list(ruled: pd.DataFrame, listing: Listing) -> tuple[pd.DataFrame, Cut]:
    """Return `outcome` and `because` of each lead by the ranked list, and how it was cut.

    Leads that were handed over keep being MQLs as the rule declares; of the others
    the best take the places left in the period, by falling probability, equal ones by
    the digest of their lead_id. The order of the rows changes nothing.

    Args:
        ruled: lead_id, probability, and outcome and because by `decide` with
            mql_probability 0, so that only the rules have spoken.
        listing: rule, floor, moment and what was handed over before it.
    """
    outcome = ruled["outcome"].to_numpy(dtype=object).copy()
    because = ruled["because"].to_numpy(dtype=object).copy()
    chance = ruled["probability"].to_numpy(np.float64)
    before = listing.handed["as_of"].reindex(ruled["lead_id"]).to_numpy(np.float64)
    is_new, is_allowed = np.isnan(before), outcome == Outcome.MQL
    used, raised = _places(outcome, is_new, listing)
    ranked = _ranked(ruled["lead_id"], chance, is_allowed & is_new & (chance >= listing.floor))
    places = max(listing.rule.most - used - raised, 0)
    taken, drawn = _taken(
        ruled["lead_id"], ranked, np.flatnonzero(is_allowed & is_new), places, listing
    )
    cut = _cut_at(chance[ranked], len(taken), listing.floor)
    stays = is_allowed & ~is_new & (chance >= listing.rule.stays_from * cut)
    is_warm = chance >= cut * listing.warm_share
    decided = (is_allowed & ~stays) | (outcome == Outcome.WARM)
    outcome[decided] = np.where(is_warm, Outcome.WARM.value, Outcome.COLD.value)[decided]
    outcome[np.append(taken, drawn)] = Outcome.MQL.value
    _say_below(because, np.flatnonzero(is_allowed & is_new), chance, listing)
    _say_ranks(because, ranked, listing, first=used + raised)
    because[drawn] = _DRAWN
    kept, left = np.flatnonzero(stays), np.flatnonzero(is_allowed & ~is_new & ~stays)
    _say_handed(because, before, kept, listing, "stays an MQL")
    least = percent_words(listing.rule.stays_from * cut)
    _say_handed(because, before, left, listing, f"no longer an MQL: below {least} now")
    gone = len(taken) + len(drawn)
    found = Cut(cut, listing.start, used, raised, len(ranked), gone, int(stays.sum()), len(drawn))
    return pd.DataFrame({"outcome": outcome, "because": because}, ruled.index, dtype="str"), found


def _taken(
    lead_id: "pd.Series[str]", ranked: _Rows, allowed: _Rows, places: int, listing: Listing
) -> tuple[_Rows, _Rows]:
    """Return the rows that their rank takes, best first, and those that chance takes."""
    rule, start = listing.rule, listing.start
    explored = explored_places(min(places, len(allowed)), rule.explored_share, start=start)
    taken = ranked[: places - explored]
    others = np.setdiff1d(allowed, taken)
    return taken, drawn_leads(lead_id.iloc[others], others, explored, start=start)


def _places(outcome: _Texts, is_new: npt.NDArray[np.bool_], listing: Listing) -> tuple[int, int]:
    """Return how many places were taken earlier in the period, and by new hand raisers."""
    handed = listing.handed
    is_inside = np.asarray(timeline.is_from(handed["as_of"].to_numpy(np.int64), listing.start))
    if listing.rule.hand_raisers_count:
        return int(is_inside.sum()), int((is_new & (outcome == Outcome.HAND_RAISER)).sum())
    return int((is_inside & ~handed["is_hand_raiser"].to_numpy(bool)).sum()), 0


def _ranked(lead_id: "pd.Series[str]", chance: _Floats, is_listed: npt.NDArray[np.bool_]) -> _Rows:
    """Return the listed rows, best first."""
    rows = np.flatnonzero(is_listed)
    keys = pd.DataFrame({"row": rows, "chance": chance[rows], "tie": ""})
    equal = np.flatnonzero(keys["chance"].duplicated(keep=False))
    ids = lead_id.iloc[rows[equal]]
    keys.loc[equal, "tie"] = [sha256(str(one).encode()).hexdigest() for one in ids]
    order = keys.sort_values(["chance", "tie"], ascending=[False, True], kind="stable")
    return np.asarray(order["row"], dtype=np.int64)


def _cut_at(chances: _Floats, taken: int, floor: float) -> float:
    if taken == len(chances):
        return floor
    return float(chances[max(taken - 1, 0)])


def _say_below(because: _Texts, rows: _Rows, chance: _Floats, listing: Listing) -> None:
    least = f"the least for the ranked list, {percent_words(listing.floor)}"
    for row in rows:
        because[row] = f"probability {percent_words(chance[row])} is below {least}"


def _say_ranks(because: _Texts, ranked: _Rows, listing: Listing, *, first: int) -> None:
    when = "this week" if listing.rule.per == "week" else "today"
    total = f"{first + len(ranked):,} {when}; capacity {listing.rule.most:,}"
    for place, row in enumerate(ranked, start=first + 1):
        because[row] = f"ranked {_ordinal(place)} of {total}"


def _say_handed(
    because: _Texts, before: _Floats, rows: _Rows, listing: Listing, words: str
) -> None:
    for row in rows:
        because[row] = f"handed over on {_day(int(before[row]), listing.zone)}, {words}"


def _day(moment: int, zone: str) -> str:
    at = datetime.fromtimestamp(moment // timeline.MICROS_PER_SECOND, ZoneInfo(zone))
    return at.date().isoformat()


def _ordinal(place: int) -> str:
    """Return a place in words.

    >>> _ordinal(1), _ordinal(12), _ordinal(1_022)
    ('1st', '12th', '1,022nd')
    """
    is_teen = place % 100 in {11, 12, 13}
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending}"
