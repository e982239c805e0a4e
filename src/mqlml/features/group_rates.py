"""How often other leads of the lead's group reached the target, as far as that was known.

A lead counts once, as it stood at its creation: did it reach the target within
the horizon? That is known when horizon and reporting lag are over, and then it
counts for every later point but its own. A rate is drawn toward that of all leads:

    (reached in group + strength × reached in all / all) / (group + strength)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.arrays import Floats, Ints
from mqlml.features.places import first_place_without, ranges_of
from mqlml.features.table_features import FLAT_OUTCOME, Outcome, RateFeature
from mqlml.tables.contracts import STAGE_ORDER, Tables
from mqlml.timeline import EVER, NEVER, is_in_horizon, is_known, is_mature, is_open

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Counted:
    """What became of every lead: `counts` where it is known one day, and reached the target."""

    created_at: Ints
    counts: Flags
    reached: Flags


@dataclass(frozen=True)
class _Moment:
    """When a rate is asked, and what is known then."""

    feature: RateFeature
    as_of: Ints

    def is_told(self, created_at: Ints) -> Flags:
        """Return whether the outcomes of leads created then are known at as_of."""
        return _is_told(created_at, self.feature.outcome, self.as_of)

    def is_old(self, created_at: Ints) -> Flags:
        """Return whether they were known before the window already."""
        if self.feature.window == EVER:
            return np.zeros(len(self.as_of), np.bool_)
        return _is_told(created_at, self.feature.outcome, self.as_of - self.feature.window)


def rate_column(tables: Tables, points: pd.DataFrame, feature: RateFeature) -> pd.Series:
    """Return the rate at each point, in the points' order.

    Missing while the lead is unknown, and while no outcome at all was known.
    """
    leads, outcome = tables.leads, feature.outcome
    counted = _flat(leads) if outcome.stage == FLAT_OUTCOME else _staged(tables, outcome)
    groups, _ = pd.factorize(leads[feature.source], use_na_sentinel=False)
    moment = _Moment(feature, points["as_of"].to_numpy(np.int64))
    rows = pd.Index(leads["lead_id"]).get_indexer(pd.Index(points["lead_id"])).astype(np.int64)
    created = np.append(counted.created_at, 0)[rows]
    known = (rows >= 0) & np.asarray(is_known(created, moment.as_of))
    itself = known & np.append(counted.counts, False)[rows]
    itself &= moment.is_told(created) & ~moment.is_old(created)
    reached_itself = itself & np.append(counted.reached, False)[rows]
    group = np.where(known, np.append(groups, -1)[rows], -1).astype(np.int64)
    in_group = _sums(counted, groups.astype(np.int64), group, moment)
    in_all = _sums(counted, np.zeros(len(leads), np.int64), np.minimum(group, 0), moment)
    (leads_of, reached_of), (leads_all, reached_all) = (
        (number - itself, reached - reached_itself) for number, reached in (in_group, in_all)
    )
    with np.errstate(invalid="ignore"):
        overall = feature.strength * (reached_all / leads_all)
    return pd.Series((reached_of + overall) / (leads_of + feature.strength))


def _sums(counted: _Counted, groups: Ints, wanted: Ints, moment: _Moment) -> tuple[Ints, Floats]:
    """Return how many leads of each point's group count at the point, and how many reached."""
    rows = np.flatnonzero(counted.counts)
    rows = rows[np.lexsort((counted.created_at[rows], groups[rows]))]
    created = np.append(counted.created_at[rows], 0)
    reached = np.concatenate(([0], np.cumsum(counted.reached[rows]))).astype(np.float64)
    first, end = ranges_of(groups[rows], wanted)
    stop = first_place_without(first, end, lambda places: moment.is_told(created[places]))
    start = first_place_without(first, stop, lambda places: moment.is_old(created[places]))
    return stop - start, reached[stop] - reached[start]


def _is_told(created_at: Ints, outcome: Outcome, as_of: Ints) -> Flags:
    horizon = outcome.horizon or 0
    return np.asarray(is_mature(created_at, horizon, outcome.lag, as_of))  # type: ignore[arg-type]


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


def _created(leads: pd.DataFrame) -> Ints:
    return leads["created_at"].astype("int64").to_numpy().astype(np.int64)
