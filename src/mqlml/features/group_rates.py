"""How often other leads of the lead's group reached the target, as far as that was known.

A lead counts once, as it stood at its creation: did it reach the target within
the horizon? That is known when horizon and reporting lag are over, and then it
counts for every later point but its own. A rate is drawn toward that of all leads:

    (reached in group + strength × reached in all / all) / (group + strength)

Rates of verdicts ask what sales said first of the lead, procedural reasons apart; that is
known once it was given.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.arrays import Floats, Ints
from mqlml.features.places import first_place_without, ranges_of
from mqlml.features.table_features import ACCEPTED, FLAT_OUTCOME, Outcome, RateFeature
from mqlml.tables.contracts import PROCEDURAL_REASONS, STAGE_ORDER, Tables
from mqlml.timeline import (
    EVER,
    NEVER,
    counts_from,
    is_in_horizon,
    is_known,
    is_mature,
    is_open,
    is_seen,
)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Counted:
    """What became of every lead: `counts` where it is known one day, and reached the target.

    `at` is when the outcome began to be awaited: the creation, or the verdict itself.
    """

    at: Ints
    counts: Flags
    reached: Flags


@dataclass(frozen=True)
class _Sorted:
    """Leads sorted by (group, at), and how many up to each of them reached the target."""

    groups: Ints
    at: Ints
    reached: Floats

    def sums(self, wanted: Ints, moment: "_Moment") -> tuple[Ints, Floats]:
        """Return how many leads of each point's group count at the point, and reached."""
        first, end = ranges_of(self.groups, wanted)
        at, reached = self.at, self.reached
        stop = first_place_without(first, end, lambda places: moment.is_told(at[places]))
        start = first_place_without(first, stop, lambda places: moment.is_old(at[places]))
        return stop - start, reached[stop] - reached[start]


@dataclass(frozen=True)
class RateHistory:
    """The leads that count one day, by group and all together; `codes` numbers the groups."""

    codes: dict[object, int]
    by_group: _Sorted
    overall: _Sorted


@dataclass(frozen=True)
class _Moment:
    """When a rate is asked, and what is known then."""

    feature: RateFeature
    as_of: Ints

    def is_told(self, at: Ints) -> Flags:
        """Return whether outcomes awaited from then on, or verdicts of then, are known at as_of."""
        return _is_told(at, self.feature.outcome, self.as_of)

    def is_old(self, at: Ints) -> Flags:
        """Return whether they were known before the window already."""
        if self.feature.window == EVER:
            return np.zeros(len(self.as_of), np.bool_)
        return _is_told(at, self.feature.outcome, self.as_of - self.feature.window)


def counted_leads(tables: Tables, feature: RateFeature) -> pd.DataFrame:
    """Return group, at (microseconds) and reached of the leads that count one day."""
    counted = _counted(tables, feature)
    leads = pd.DataFrame(
        {
            "group": tables.leads[feature.source].reset_index(drop=True),
            "at": counted.at,
            "reached": counted.reached,
        }
    )
    return leads[counted.counts]


def rate_history(leads: pd.DataFrame) -> RateHistory:
    """Return the history of all leads that count, of which `counted_leads` gives some or all."""
    groups, distinct = pd.factorize(leads["group"], use_na_sentinel=False)
    codes = {_plain(value): code for code, value in enumerate(distinct)}
    at, reached = (leads[name].to_numpy() for name in ("at", "reached"))
    everyone = np.zeros(len(leads), np.int64)
    return RateHistory(
        codes,
        _sorted(groups.astype(np.int64), at, reached),
        _sorted(everyone, at, reached),
    )


def _plain(value: object) -> object:
    return None if pd.isna(value) else value  # type: ignore[call-overload]


def _sorted(groups: Ints, at: Ints, reached: Flags) -> _Sorted:
    order = np.lexsort((at, groups))
    sums = np.concatenate(([0], np.cumsum(reached[order]))).astype(np.float64)
    return _Sorted(groups[order], np.append(at[order], 0), sums)


def rate_column(
    tables: Tables,
    points: pd.DataFrame,
    feature: RateFeature,
    history: RateHistory | None = None,
) -> pd.Series:
    """Return the rate at each point, in the points' order.

    Missing while the lead is unknown, and while no outcome at all was known. With the
    `history` of all leads, `tables` may hold the leads of the points only.
    """
    told = history or rate_history(counted_leads(tables, feature))
    counted = _counted(tables, feature)
    moment = _Moment(feature, points["as_of"].to_numpy(np.int64))
    leads = pd.Index(tables.leads["lead_id"])
    rows = leads.get_indexer(pd.Index(points["lead_id"])).astype(np.int64)
    known = (rows >= 0) & np.asarray(is_known(_of(_created(tables.leads), rows), moment.as_of))
    itself = known & np.append(counted.counts, False)[rows]
    at = _of(counted.at, rows)
    itself &= moment.is_told(at) & ~moment.is_old(at)
    reached_itself = itself & np.append(counted.reached, False)[rows]
    groups = _codes_of(tables.leads[feature.source], told)
    group = np.where(known, np.append(groups, -1)[rows], -1).astype(np.int64)
    in_group = told.by_group.sums(group, moment)
    in_all = told.overall.sums(np.minimum(group, 0), moment)
    (leads_of, reached_of), (leads_all, reached_all) = (
        (number - itself, reached - reached_itself) for number, reached in (in_group, in_all)
    )
    with np.errstate(invalid="ignore"):
        overall = feature.strength * (reached_all / leads_all)
    return pd.Series((reached_of + overall) / (leads_of + feature.strength))


def _of(times: Ints, rows: Ints) -> Ints:
    """Return the time of each row's lead; of unknown leads, row -1, any."""
    return np.append(times, 0)[rows]


def _codes_of(values: "pd.Series[Any]", history: RateHistory) -> Ints:
    """Return the number of each lead's group; one beyond all groups if nobody in it counts."""
    groups, distinct = pd.factorize(values, use_na_sentinel=False)
    nobody = len(history.codes)
    known = np.array([history.codes.get(_plain(v), nobody) for v in distinct], np.int64)
    return np.append(known, nobody)[groups]


def _counted(tables: Tables, feature: RateFeature) -> _Counted:
    if feature.is_of_verdicts:
        return _judged(tables)
    outcome = feature.outcome
    return _flat(tables.leads) if outcome.stage == FLAT_OUTCOME else _staged(tables, outcome)


def _is_told(at: Ints, outcome: Outcome, as_of: Ints) -> Flags:
    if outcome.stage == ACCEPTED:
        return np.asarray(is_seen(at, as_of))
    horizon = outcome.horizon or 0
    return np.asarray(is_mature(at, horizon, outcome.lag, as_of))  # type: ignore[arg-type]


def _flat(leads: pd.DataFrame) -> _Counted:
    outcomes = leads["outcome"].astype("boolean")
    reached = outcomes.fillna(value=False).to_numpy(np.bool_)
    return _Counted(_created(leads), outcomes.notna().to_numpy(np.bool_), reached)


def _staged(tables: Tables, outcome: Outcome) -> _Counted:
    """Count leads that were not past the target at their creation already."""
    created = _created(tables.leads)
    passing = STAGE_ORDER[STAGE_ORDER.index(outcome.stage) :]
    rows = tables.stages[tables.stages["stage"].isin(passing)]
    first = rows["entered_at"].astype("int64").groupby(rows["lead_id"]).min()
    passed = first.reindex(tables.leads["lead_id"], fill_value=NEVER).to_numpy().astype(np.int64)
    return _Counted(
        created,
        np.asarray(is_open(passed, created)),
        np.asarray(is_in_horizon(passed, created, outcome.horizon or 0)),
    )


def _judged(tables: Tables) -> _Counted:
    """Count leads with a verdict that is not procedural: the first; of several then, a rejection.

    Who said it is not looked at. A verdict before its lead counts from the lead's creation.
    """
    said = tables.verdicts[~tables.verdicts["reason"].isin(PROCEDURAL_REASONS)]
    given = pd.DataFrame(
        {
            "lead_id": said["lead_id"],
            "at": said["given_at"].astype("int64"),
            "accepted": said["verdict"] == "accepted",
        }
    )
    first = given.sort_values(["lead_id", "at", "accepted"]).drop_duplicates("lead_id")
    row = pd.Index(first["lead_id"]).get_indexer(pd.Index(tables.leads["lead_id"])).astype(np.int64)
    at = counts_from(_of(first["at"].to_numpy(np.int64), row), _created(tables.leads))
    accepted = np.append(first["accepted"].to_numpy(np.bool_), False)[row]
    return _Counted(np.asarray(at), row >= 0, accepted)


def _created(leads: pd.DataFrame) -> Ints:
    return leads["created_at"].astype("int64").to_numpy().astype(np.int64)
