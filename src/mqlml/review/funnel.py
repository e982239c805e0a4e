"""What became of leads that were handed over, by month and by verdict."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.dataset.labels import Lifecycles, micros
from mqlml.modeling.metrics import wilson_interval
from mqlml.tables.contracts import PROCEDURAL_REASONS

FUNNEL_COLUMNS = (
    "month",
    "handed_over",
    "judged",
    "accepted",
    "sql",
    "customers",
    "median_days",
    "is_open",
)
_EXAMPLES = 5
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Waiting:
    """How long an outcome is waited for (microseconds), and where the data end."""

    horizon: int
    reporting_lag: int
    data_end: int


@dataclass(frozen=True)
class Aftermath:
    """What leads did after the last verdict on them.

    `table`: group (accepted, or rejected with its reason), leads, known (whose horizon
    is over), conversions, rate, low, high (95 %). `missed`: ids of the rejected leads that
    became customers all the same, the latest verdicts first.
    """

    table: pd.DataFrame
    missed: tuple[str, ...]


def monthly_funnel(
    handovers: pd.DataFrame,
    verdicts: pd.DataFrame,
    stages: pd.DataFrame,
    cycles: Lifecycles,
    waiting: Waiting,
) -> pd.DataFrame:
    """Return FUNNEL_COLUMNS per month of a lead's first handover, the earliest month first.

    Of the month's leads: how many were judged from then on, accepted by the first such
    verdict that is no procedural one, became sql, and passed the target, all before the
    data's end; and the median days from handover to the first verdict. A month
    `is_open` while the horizon of its last lead is not over: its counts may still grow.
    """
    first = _first(handovers["lead_id"], micros(handovers["at"]))
    if first.empty:
        return pd.DataFrame(columns=list(FUNNEL_COLUMNS))
    given = _after(verdicts, "given_at", first)
    telling = given[~given["reason"].isin(PROCEDURAL_REASONS)].drop_duplicates("lead_id")
    entered = _after(stages, "entered_at", first)
    reached = _passed_at(cycles, first.index)
    ids = first.index
    at: Times = np.asarray(first, dtype=np.int64)
    to_verdict = _first(given["lead_id"], given["__at"].to_numpy(np.int64)).reindex(ids)
    per_lead = pd.DataFrame(
        {
            "month": pd.to_datetime(at, unit="us", utc=True).strftime("%Y-%m"),
            "judged": ids.isin(given["lead_id"]),
            "accepted": ids.isin(telling.loc[telling["verdict"] == "accepted", "lead_id"]),
            "sql": ids.isin(entered.loc[entered["stage"] == "sql", "lead_id"]),
            "customers": _is_later(reached, at, waiting.data_end),
            "days": (to_verdict.to_numpy(np.float64) - at) / timeline.MICROS_PER_DAY,
            "is_open": ~np.asarray(
                timeline.is_mature(at, waiting.horizon, waiting.reporting_lag, waiting.data_end)
            ),
        }
    )
    by = per_lead.groupby("month", sort=True)
    counted = by[["judged", "accepted", "sql", "customers"]].sum().astype(np.int64)
    counted = counted.assign(
        handed_over=by.size(), median_days=by["days"].median(), is_open=by["is_open"].any()
    )
    return counted.reset_index()[list(FUNNEL_COLUMNS)]


def aftermath(
    verdicts: pd.DataFrame,
    cycles: Lifecycles,
    waiting: Waiting,
) -> Aftermath:
    """Return how many leads passed the target within the horizon after their last verdict.

    Only the last verdict on a lead counts: who was rejected and then accepted is accepted.
    Verdicts given when the lead had passed the target already are left out.
    """
    timed = verdicts.assign(__at=micros(verdicts["given_at"]))
    last = timed.sort_values(["__at", "lead_id"], kind="stable").drop_duplicates(
        "lead_id", keep="last"
    )
    last = last[last["lead_id"].isin(cycles.lead_ids)]
    at = last["__at"].to_numpy(np.int64)
    reached = _passed_at(cycles, pd.Index(last["lead_id"]))
    is_asked = np.asarray(timeline.is_from(reached, at))
    last, at, reached = last[is_asked], at[is_asked], reached[is_asked]
    is_known = np.asarray(
        timeline.is_mature(at, waiting.horizon, waiting.reporting_lag, waiting.data_end)
    )
    has_converted = np.asarray(timeline.is_in_horizon(reached, at, waiting.horizon))
    reason = last["reason"].fillna("none given")
    group = np.where(last["verdict"] == "accepted", "accepted", "rejected: " + reason)
    rows = pd.DataFrame(
        {"group": group, "known": is_known, "conversions": is_known & has_converted}
    )
    missed = last["lead_id"][(last["verdict"] == "rejected").to_numpy() & has_converted]
    return Aftermath(_rates(rows), tuple(str(one) for one in missed.iloc[::-1].head(_EXAMPLES)))


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    by = rows.groupby("group", sort=True)
    counted = by.agg(known=("known", "sum"), conversions=("conversions", "sum"))
    counted = counted.assign(leads=by.size()).reset_index()
    known = counted["known"].to_numpy(np.float64)
    rate = np.divide(
        counted["conversions"].to_numpy(np.float64),
        known,
        out=np.full(len(known), np.nan),
        where=known > 0,
    )
    low, high = wilson_interval(np.nan_to_num(rate), np.maximum(known, 1.0))
    table = counted.assign(
        rate=rate,
        low=np.where(known > 0, low, np.nan),
        high=np.where(known > 0, high, np.nan),
    )
    is_rejected = table["group"] != "accepted"
    order = table.assign(__rejected=is_rejected).sort_values(
        ["__rejected", "leads", "group"], ascending=[True, False, True], kind="stable"
    )
    names = ["group", "leads", "known", "conversions", "rate", "low", "high"]
    return order[names].reset_index(drop=True)


def _first(leads: "pd.Series[str]", at: Times) -> "pd.Series[int]":
    """Return the earliest time per lead, by lead."""
    times = pd.DataFrame({"lead_id": leads.astype("str").to_numpy(), "at": at})
    return times.groupby("lead_id", sort=True)["at"].min()


def _after(rows: pd.DataFrame, column: str, first: "pd.Series[int]") -> pd.DataFrame:
    """Return the rows of leads with a first time that happened from then on, by time."""
    timed = rows.assign(__at=micros(rows[column]))
    timed = timed[timed["lead_id"].isin(first.index)]
    since: Times = np.asarray(first.reindex(timed["lead_id"]), dtype=np.int64)
    at: Times = np.asarray(timed["__at"], dtype=np.int64)
    is_later = np.asarray(timeline.is_from(at, since))
    return timed[is_later].sort_values(["__at", "lead_id"], kind="stable")


def _passed_at(cycles: Lifecycles, lead_ids: pd.Index) -> Times:
    """Return when each lead passed the target, NEVER for those that did not or are unknown."""
    at = pd.Series(cycles.passed_at, index=cycles.lead_ids)
    return np.asarray(at.reindex(lead_ids, fill_value=timeline.NEVER), dtype=np.int64)


def _is_later(reached: Times, at: Times, data_end: int) -> npt.NDArray[np.bool_]:
    is_before_end = timeline.is_seen(reached, np.full_like(reached, data_end))
    return np.asarray(timeline.is_from(reached, at) & is_before_end, dtype=np.bool_)
