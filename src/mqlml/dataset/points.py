"""Points: which lead is looked at when, and what became of it within the horizon.

Everything is done on whole columns. One million leads with twenty weekly points
each are a frame of twenty million rows and 1.0 GB; making it takes 2.1 GB.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.dataset.labels import (
    FLAT_OUTCOME,
    Lifecycles,
    Times,
    days_to_micros,
    label_points,
    lifecycles,
)
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.errors import ConfigError, Fault, nearest
from mqlml.tables.contracts import STAGE_ORDER, Tables

POINT_COLUMNS = ("lead_id", "as_of", "cohort", "label", "converted_at")


def training_points(tables: Tables, target: TargetSettings, rule: PointSettings) -> pd.DataFrame:
    """Return all points of open leads up to the data's end, sorted by as_of and lead_id.

    Columns: lead_id, as_of, cohort (as_of of the lead's first point), label (1,
    0, or NaN while not final or not known), converted_at (NEVER if not). Times
    are microseconds UTC. An empty leads table gives no rows. Raises ConfigError
    when target and rule do not fit the tables.
    """
    _refuse_impossible(tables, target, rule)
    cycles = lifecycles(tables, target)
    leads, as_of = _grid(cycles, rule, tables)
    keep = cycles.are_open(leads, as_of)
    leads, as_of = leads[keep], as_of[keep]
    order = np.argsort(as_of, kind="stable")
    leads, as_of = leads[order], as_of[order]
    labels = label_points(cycles, leads, as_of, target=target, data_end=tables.data_end)
    return pd.DataFrame(
        {
            "lead_id": cycles.lead_ids.take(leads).reset_index(drop=True),
            "as_of": as_of,
            "cohort": _cohorts(leads, as_of, len(cycles.created_at)),
            "label": labels,
            "converted_at": cycles.passed_at[leads],
        }
    )


def open_points(
    tables: Tables, target: TargetSettings, rule: PointSettings, *, as_of: int
) -> pd.DataFrame:
    """Return one point (lead_id, as_of, cohort) per lead known and open at `as_of`.

    Sorted by as_of and lead_id. `cohort` is when the rule first looks at the
    lead, which for a young lead lies after `as_of`: a lead is scored from its
    first moment on, and until the rule no longer looks at it: what the model never
    learnt from it does not score. With a flat outcome every lead stands at its own point time,
    and where times are real, only those that have come by `as_of`.
    """
    _refuse_impossible(tables, target, rule)
    cycles = lifecycles(tables, target)
    first = cycles.created_at + days_to_micros(rule.after_days)
    leads = np.arange(len(first))
    if target.stage == FLAT_OUTCOME:
        at = first
        keep = np.asarray(timeline.is_known(at, np.full_like(at, as_of))) | tables.is_order_time
    else:
        at = np.full_like(first, as_of)
        keep = np.asarray(timeline.is_known(cycles.created_at, at)) & cycles.are_open(leads, at)
        if rule.until_days is not None:
            last = cycles.created_at + days_to_micros(rule.until_days)
            keep &= np.asarray(timeline.is_known(at, last))
    points = pd.DataFrame({"lead_id": cycles.lead_ids, "as_of": at, "cohort": first})[keep]
    return points.sort_values("as_of", kind="stable", ignore_index=True)


def _grid(
    cycles: Lifecycles, rule: PointSettings, tables: Tables
) -> tuple[npt.NDArray[np.intp], Times]:
    """Return (lead position, as_of) of every look at a lead, open or not, by lead and time."""
    first = cycles.created_at + days_to_micros(rule.after_days)
    leads = np.arange(len(first))
    last = np.full_like(first, tables.data_end)
    if rule.rule == "once":
        keep = np.asarray(timeline.is_known(first, last)) | tables.is_order_time
        return leads[keep], first[keep]
    if rule.until_days is not None:
        last = np.minimum(last, cycles.created_at + days_to_micros(rule.until_days))
    # Stopping at the target before the rows are made keeps converted leads from costing memory.
    last = np.minimum(last, cycles.passed_at)
    looks = timeline.steps_until(first, last, timeline.MICROS_PER_WEEK)
    leads = np.repeat(leads, looks)
    ordinal = np.arange(len(leads)) - np.repeat(np.cumsum(looks) - looks, looks)
    return leads, first[leads] + ordinal * timeline.MICROS_PER_WEEK


def _cohorts(leads: npt.NDArray[np.intp], as_of: Times, lead_count: int) -> Times:
    """Return the as_of of each lead's first point, row by row; rows are in order of time."""
    first = np.zeros(lead_count, dtype=np.int64)
    first[leads[::-1]] = as_of[::-1]
    return first[leads]


def _refuse_impossible(tables: Tables, target: TargetSettings, rule: PointSettings) -> None:
    faults = point_faults(target, rule, is_order_time=tables.is_order_time)
    if faults:
        raise ConfigError(*faults)


def point_faults(
    target: TargetSettings, rule: PointSettings, *, is_order_time: bool
) -> list[Fault]:
    """Return what is wrong with the target and the points, before any table is read."""
    faults = [*_target_faults(target, rule)]
    if is_order_time:
        faults += _order_time_faults(target, rule)
    elif target.stage != FLAT_OUTCOME and target.stage in STAGE_ORDER and not target.horizon_days:
        mend = "say within how many days the stage must be entered, such as 'horizon_days: 90'"
        faults.append(
            Fault("a dated stage needs a horizon", "target.horizon_days", "none given", mend)
        )
    return faults


def _target_faults(target: TargetSettings, rule: PointSettings) -> list[Fault]:
    faults = []
    # 'lead' is where everybody starts: it can be entered but not aimed at.
    valid = (*STAGE_ORDER[1:], FLAT_OUTCOME)
    if target.stage not in valid:
        hint = nearest(target.stage, valid)
        faults.append(Fault("not a stage to aim at", "target.stage", repr(target.stage), hint))
    if target.stage == FLAT_OUTCOME and rule.rule == "weekly":
        mend = "use 'rule: once', or a target stage with dates"
        found = "an outcome without a date, so nobody knows which weeks came before it"
        faults.append(Fault("weekly points need dated stages", "points.rule", found, mend))
    if rule.until_days is not None and rule.until_days < rule.after_days:
        found = f"after_days {rule.after_days:g}, until_days {rule.until_days:g}"
        mend = "let until_days be at least after_days"
        faults.append(Fault("points end before they begin", "points.until_days", found, mend))
    return faults


def _order_time_faults(target: TargetSettings, rule: PointSettings) -> list[Fault]:
    """Return what asks for days where times are made from an order column."""
    found = "times made from an order column, which know before and after but no days"
    asked = {
        "target.horizon_days": target.horizon_days is not None,
        "target.reporting_lag_days": target.reporting_lag_days > 0,
        "points.rule": rule.rule == "weekly",
        "points.after_days": rule.after_days > 0,
        "target.stage": target.stage in STAGE_ORDER[1:],
    }
    what = "days cannot be counted on an order column"
    mend = "leave it out (a flat table takes 'stage: outcome'), or map columns.created_at to a date"
    return [Fault(what, where, found, mend) for where, is_asked in asked.items() if is_asked]
