"""The columns that come from tables beside the events: attributes, stages, accounts, rates."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mqlml.features.arrays import Floats, Ints
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.features.directory import make_directory
from mqlml.features.group_rates import rate_column
from mqlml.features.places import Flags, first_place_without, ranges_of
from mqlml.features.plan import Plan
from mqlml.features.table_features import StageFeature
from mqlml.tables.contracts import Tables
from mqlml.timeline import MICROS_PER_DAY, is_in_lookback, is_seen


def table_columns(tables: Tables, points: pd.DataFrame, plan: Plan) -> dict[str, pd.Series]:
    """Return the plan's columns that need no events, by name, in the points' order."""
    return {**attribute_columns(tables, points, plan), **context_columns(tables, points, plan)}


def context_columns(tables: Tables, points: pd.DataFrame, plan: Plan) -> dict[str, pd.Series]:
    """Return the columns of stages, account leads and rates, by name, in the points' order.

    They read all leads and stages, so a part of the leads is not enough to make them from.
    """
    return {
        **{f.column: _days_since_stage(tables, points, f) for f in plan.stages},
        **{f.column: _account_leads(tables, points, f.window) for f in plan.account_leads},
        **{f.column: rate_column(tables, points, f) for f in plan.rates},
    }


def whole_matrix(events: pd.DataFrame, others: Mapping[str, pd.Series], plan: Plan) -> pd.DataFrame:
    """Return the plan's matrix: the columns of events, the others by name, and the ratios."""
    measured = plan.columns[len(events.columns) : len(plan.columns) - len(plan.ratios)]
    beside = pd.DataFrame({name: others[name] for name in measured}, index=events.index)
    matrix = pd.concat([events, beside], axis=1)
    ratios = {
        r.column: ratio_of(matrix[r.of].to_numpy(np.float64), matrix[r.to].to_numpy(np.float64))
        for r in plan.ratios
    }
    return pd.concat([matrix, pd.DataFrame(ratios, index=events.index)], axis=1)


def ratio_of(of: Floats, to: Floats) -> Floats:
    """Return `of` / `to`; missing where either is, and where the quotient is no number."""
    with np.errstate(all="ignore"):
        ratio = np.divide(of, to)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _days_since_stage(tables: Tables, points: pd.DataFrame, feature: StageFeature) -> pd.Series:
    """Return days since the latest entry strictly before as_of; missing without one."""
    rows = tables.stages
    if feature.stage is not None:
        rows = rows[rows["stage"] == feature.stage]
    leads = pd.Index(rows["lead_id"].unique())
    lead = leads.get_indexer(pd.Index(rows["lead_id"])).astype(np.int64)
    entered = rows["entered_at"].astype("int64").to_numpy(np.int64)
    order = np.lexsort((entered, lead))
    first, end = ranges_of(lead[order], leads.get_indexer(pd.Index(points["lead_id"])))
    as_of, times = points["as_of"].to_numpy(np.int64), np.append(entered[order], 0)
    unseen = first_place_without(first, end, lambda places: _seen(times[places], as_of))
    days = (as_of - times[np.maximum(unseen - 1, 0)]) / MICROS_PER_DAY
    return pd.Series(np.where(unseen > first, days, np.nan))


def _account_leads(tables: Tables, points: pd.DataFrame, window: int) -> pd.Series:
    """Return how many other leads of the account were created in the window."""
    directory = make_directory(tables.leads)
    rows, account = directory.of_points(points)
    as_of = points["as_of"].to_numpy(np.int64)
    order = np.lexsort((directory.created_at, directory.account))
    times = np.append(directory.created_at[order], 0)
    first, end = ranges_of(directory.account[order], account)
    unseen = first_place_without(first, end, lambda places: _seen(times[places], as_of))

    def is_too_old(places: Ints) -> Flags:
        created = times[places]
        return _seen(created, as_of) & ~_flags(is_in_lookback(created, as_of, window))

    begin = first_place_without(first, unseen, is_too_old)
    created = np.append(directory.created_at, 0)[rows]
    is_itself = (account >= 0) & _flags(is_in_lookback(created, as_of, window))
    others = (unseen - begin - is_itself).astype(np.float64)
    return pd.Series(np.where(directory.has_account(rows), others, np.nan))


def _seen(at: Ints, as_of: Ints) -> Flags:
    return _flags(is_seen(at, as_of))


def _flags(holds: object) -> Flags:
    return np.asarray(holds, dtype=np.bool_)
