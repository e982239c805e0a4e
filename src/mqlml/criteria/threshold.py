"""Where MQL begins: fixed, worth its cost, precise enough, or all that sales can work through."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.criteria.settings import Criteria, Thresholds
from mqlml.errors import DataError, Fault
from mqlml.modeling.assurance import Assurance, precision_bounds
from mqlml.timeline import MICROS_PER_WEEK

_Floats = npt.NDArray[np.float64]
WEEKS_LOOKED_AT = 8
# With fewer, the bound itself cannot be relied on.
FEWEST_CONVERSIONS = 30
_WHERE = "criteria.thresholds"
_PRECISION = f"{_WHERE}.precision_floor"


def mql_threshold(
    criteria: Criteria, history: pd.DataFrame, assurance: Assurance | None = None
) -> float:
    """Return the probability from which a lead is an MQL under `criteria`.

    Each condition that the thresholds name asks for a least probability; the
    highest of them decides, so that all are kept:

    - `mql_probability` itself;
    - the cost of working a lead over the value of a conversion;
    - with a weekly capacity the lowest probability at which no recent week would
      have brought more *new* MQLs than that (a lead is new in the week it first
      reaches the threshold). Equal probabilities are taken or left together, so
      ties never exceed the capacity; with a ranked list the same for its places, as
      an estimate of where its cut will lie (see `mqlml.criteria.ranking`);
    - with a precision floor the lowest probability at which, of the leads that
      first reached it in recent weeks, the 90 % lower bound of the expected
      precision keeps the floor. Hand raisers go to sales anyway and are not counted.

    Args:
        criteria: their thresholds decide.
        history: lead_id, as_of (microseconds), probability, is_hand_raiser of leads
            that may become MQL, see `threshold_history`. Only the latest eight weeks
            are looked at; earlier rows only tell who was above before.
        assurance: what unseen labels said of the model; a precision floor needs it.

    Raises:
        DataError: a capacity or a floor is asked for and the history is empty; a
            floor that no threshold keeps, or with too few conversions to promise it.
    """
    thresholds = criteria.thresholds
    least = [thresholds.mql_probability] if thresholds.mql_probability is not None else []
    if thresholds.cost_per_lead is not None and thresholds.value_per_conversion is not None:
        least.append(thresholds.cost_per_lead / thresholds.value_per_conversion)
    if thresholds.is_measured and history.empty:
        mend = "give mql_probability until there are scored weeks"
        raise DataError(Fault("no week to measure capacity or precision on", _WHERE, mend=mend))
    places = thresholds.ranked.per_week if thresholds.ranked else thresholds.capacity_per_week
    if places is not None:
        least.append(threshold_for_capacity(_in_places(history, thresholds), places))
    if thresholds.precision_floor is not None:
        people = history[~history["is_hand_raiser"].to_numpy(bool)]
        least.append(threshold_for_precision(people, thresholds.precision_floor, assurance))
    return float(max(least, default=1.0))


def floor_criteria(criteria: Criteria) -> Criteria | None:
    """Return the criteria without their ranked list, None if nothing else asks for a probability.

    Their threshold is the least probability with which a lead may be on the list.
    """
    bare = criteria.thresholds.model_copy(update={"ranked": None})
    if not bare.is_measured and bare.mql_probability is None and bare.cost_per_lead is None:
        return None
    return criteria.model_copy(update={"thresholds": bare})


def _in_places(history: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return the rows of leads that take a place."""
    if thresholds.ranked is None or thresholds.ranked.hand_raisers_count:
        return history
    return history[~history["is_hand_raiser"].to_numpy(bool)]


def threshold_history(
    points: pd.DataFrame, probability: _Floats, ruled: pd.DataFrame
) -> pd.DataFrame:
    """Return the history that a capacity or a precision floor is measured on.

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
            "is_hand_raiser": outcome == Outcome.HAND_RAISER,
        }
    )
    return frame[np.isin(outcome, [Outcome.MQL, Outcome.HAND_RAISER])].reset_index(drop=True)


def threshold_for_capacity(history: pd.DataFrame, capacity: float) -> float:
    """Return the lowest seen probability that keeps every recent week within `capacity`."""
    rows, week = _reaches(history)
    candidates = np.unique(rows["probability"].to_numpy(float))
    fits = np.ones(len(candidates), dtype=bool)
    for _, recent in rows.groupby(week, sort=True):
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


def _reaches(history: pd.DataFrame) -> "tuple[pd.DataFrame, pd.Series[int]]":
    """Return the recent rows in which a lead was higher than ever before, and weeks ago.

    At a threshold t the row is the lead's first if `before` < t ≤ `probability`.
    """
    rows = history.sort_values(["lead_id", "as_of"], kind="stable")
    before = rows.groupby("lead_id", sort=False)["probability"].cummax()
    before = before.groupby(rows["lead_id"], sort=False).shift(fill_value=-1.0)
    rows = rows.assign(before=before)
    week = (history["as_of"].max() - rows["as_of"]) // MICROS_PER_WEEK
    is_recent = (rows["probability"] > rows["before"]) & (week < WEEKS_LOOKED_AT)
    return rows[is_recent], week[is_recent]


def threshold_for_precision(
    history: pd.DataFrame, floor: float, assurance: Assurance | None
) -> float:
    """Return the lowest seen probability at which the bound of the precision keeps `floor`.

    Raises DataError with the best bound there is, if none does.
    """
    checked = _relied_on(assurance)
    rows, _ = _reaches(history)
    candidates = np.unique(rows["probability"].to_numpy(float))
    first = np.searchsorted(candidates, rows["before"].to_numpy(float), side="right")
    last = np.searchsorted(candidates, rows["probability"].to_numpy(float), side="right")
    probability = rows["probability"].to_numpy(np.float64)
    bounds = precision_bounds(checked, probability, first, last)
    good = np.flatnonzero(bounds >= floor)
    if len(good) == 0:
        best = f"{np.nanmax(bounds):.1%}" if len(bounds) else "no lead that may become MQL"
        found = f"asked for {floor:.1%}, the best that can be promised is {best}"
        mend = "lower the floor, or wait for more outcomes: the bound rises with them"
        raise DataError(Fault("no threshold keeps the precision floor", _PRECISION, found, mend))
    return float(candidates[good[0]])


def _relied_on(assurance: Assurance | None) -> Assurance:
    if assurance is None:
        mend = "train again: the model in use is from before precision floors"
        raise DataError(Fault("nothing is known of the model's precision", _PRECISION, "", mend))
    refuse_few_conversions(assurance.conversions)
    return assurance


def refuse_few_conversions(converted: int) -> None:
    """Raise DataError if that many converted leads in the test are too few for a floor."""
    if converted < FEWEST_CONVERSIONS:
        found = f"{converted} leads converted in the test, {FEWEST_CONVERSIONS} needed"
        mend = "give mql_probability or capacity_per_week until there are more"
        raise DataError(
            Fault("too few conversions to promise a precision", _PRECISION, found, mend)
        )
