"""Where MQL begins: a fixed probability, or the lowest that sales can work through."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.criteria.settings import Criteria
from mqlml.errors import DataError, Fault
from mqlml.timeline import MICROS_PER_WEEK

_Floats = npt.NDArray[np.float64]
WEEKS_LOOKED_AT = 8


def mql_threshold(criteria: Criteria, history: pd.DataFrame) -> float:
    """Return the probability from which a lead is an MQL under `criteria`.

    With a weekly capacity: the lowest probability at which no recent week would
    have brought more *new* MQLs than the capacity (a lead is new in the week it
    first reaches the threshold). Equal probabilities are taken or left
    together, so ties never exceed the capacity. A fixed probability given
    beside a capacity is a floor: it only makes the list shorter.

    Args:
        criteria: their thresholds decide.
        history: lead_id, as_of (microseconds), probability of leads that may
            become MQL, see `threshold_history`. Only the latest eight weeks are
            looked at; earlier rows only tell who was above before.

    Raises:
        DataError: a capacity is asked for and the history is empty.
    """
    fixed = criteria.thresholds.mql_probability
    capacity = criteria.thresholds.capacity_per_week
    if capacity is None:
        return float(fixed) if fixed is not None else 1.0
    if history.empty:
        mend = "give mql_probability until there are scored weeks"
        raise DataError(Fault("no week to measure capacity on", "criteria.thresholds", mend=mend))
    return max(threshold_for_capacity(history, capacity), fixed or 0.0)


def threshold_history(
    points: pd.DataFrame, probability: _Floats, ruled: pd.DataFrame
) -> pd.DataFrame:
    """Return the history that a capacity is measured on.

    Args:
        points: lead_id, as_of (microseconds).
        probability: one per point.
        ruled: `outcome` per point by `decide` with mql_probability 0, so that
            only the rules speak. Disqualified and gated leads leave the list;
            hand raisers use capacity before any other lead, as probability 1.
    """
    outcome = ruled["outcome"].to_numpy()
    frame = pd.DataFrame(
        {
            "lead_id": points["lead_id"].to_numpy(),
            "as_of": points["as_of"].to_numpy(dtype=np.int64),
            "probability": np.where(outcome == Outcome.HAND_RAISER, 1.0, probability),
        }
    )
    return frame[np.isin(outcome, [Outcome.MQL, Outcome.HAND_RAISER])].reset_index(drop=True)


def threshold_for_capacity(history: pd.DataFrame, capacity: float) -> float:
    """Return the lowest seen probability that keeps every recent week within `capacity`."""
    rows = history.sort_values(["lead_id", "as_of"], kind="stable")
    before = rows.groupby("lead_id", sort=False)["probability"].cummax()
    before = before.groupby(rows["lead_id"], sort=False).shift(fill_value=-1.0)
    rows = rows.assign(before=before)
    rows = rows[rows["probability"] > rows["before"]]
    week = (history["as_of"].max() - rows["as_of"]) // MICROS_PER_WEEK
    candidates = np.unique(rows.loc[week < WEEKS_LOOKED_AT, "probability"].to_numpy(float))
    fits = np.ones(len(candidates), dtype=bool)
    for _, recent in rows[week < WEEKS_LOOKED_AT].groupby(week, sort=True):
        fits &= _new_at(recent, candidates) <= capacity
    # A lower threshold may bring fewer new leads in one week (they came earlier), so
    # the cut is where the first too full week is met on the way down.
    too_low = np.flatnonzero(~fits)
    first = int(too_low[-1]) + 1 if len(too_low) else 0
    return float(candidates[first]) if first < len(candidates) else 1.0


def _new_at(week: pd.DataFrame, candidates: _Floats) -> npt.NDArray[np.int64]:
    """Return, per candidate threshold, how many leads reach it in the week for the first time."""
    reach = len(week) - np.searchsorted(np.sort(week["probability"]), candidates, side="left")
    reached = len(week) - np.searchsorted(np.sort(week["before"]), candidates, side="left")
    return np.asarray(reach - reached, dtype=np.int64)
