"""Two public tables replayed week by week: `python -m benchmarks.drift_real FOLDER`.

olist: leads of a marketplace, of which hardly any became sellers before 2018; bank_marketing:
calls in the order of their dates, whose months are read off the order. A model that knows only
what came before the break scores everybody; monitoring looks once a week by the functions that
`mqlml monitor` calls, and every change of outcomes is printed as it was first told.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.columns import AttributeFeature
from mqlml.features.plan import Plan
from mqlml.monitoring.diagnosis import alarms_at, diagnose
from mqlml.monitoring.evidence import Change, Reference, ScoredHistory
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.told import news_among
from mqlml.monitoring.watch import watch
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK, NEVER

Floats = npt.NDArray[np.float64]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OUTCOMES = ("prior", "concept", "sales_cycle")
_NO_VERDICTS = ("lead_id", "given_at", "verdict", "reason", "who")


@dataclass(frozen=True)
class Replay:
    """A table as monitoring sees it, and the first look that raises the alarm."""

    name: str
    looked_from: pd.Timestamp
    alarm_at: pd.Timestamp | None
    changes: tuple[Change, ...]
    told_at: tuple[pd.Timestamp | None, ...] = ()


def main() -> None:
    """Replay both tables and print what was named, when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for replay in replays(parser.parse_args().folder):
        print(f"{replay.name}: looked weekly from {day(replay.looked_from)}")
        print(f"    first alarm {day(replay.alarm_at)}")
        for change, told_at in zip(replay.changes, replay.told_at, strict=True):
            since, low, high = (at(v) for v in (change.since, change.earliest, change.latest))
            dated = f"{change.kind} since {day(since)} ({day(low)} to {day(high)})"
            print(f"    told {day(told_at)}: {dated}")
            print(f"    {change.evidence}")


def replays(folder: Path) -> Iterator[Replay]:
    """Yield the replay of olist, then of bank_marketing."""
    yield replayed("olist", *olist(folder / "olist_funnel"))
    yield replayed("bank_marketing", *bank(folder / "bank_marketing"))


def at(micros: int | None) -> pd.Timestamp | None:
    """Return microseconds as a time."""
    return None if micros is None else pd.Timestamp(micros, unit="us")


def day(time: pd.Timestamp | None) -> str:
    """Return a day, or a dash."""
    return "–" if time is None else str(time.date())


def olist(folder: Path) -> tuple[ScoredHistory, Reference]:
    """Return the leads of olist, scored by what was known on 31 December 2017."""
    leads = pd.read_csv(folder / "olist_marketing_qualified_leads_dataset.csv")
    deals = pd.read_csv(folder / "olist_closed_deals_dataset.csv")
    won = pd.to_datetime(deals.set_index("mql_id")["won_date"])
    leads["at"] = pd.to_datetime(leads["first_contact_date"])
    leads = leads.sort_values(["at", "mql_id"], kind="stable", ignore_index=True)
    as_of = micros(leads["at"])
    won_at = leads["mql_id"].map(won[~won.index.duplicated()])
    converted = np.where(won_at.isna(), NEVER, micros(won_at.fillna(pd.Timestamp(0))))
    horizon = 45 * MICROS_PER_DAY
    matrix = pd.DataFrame({"origin": leads["origin"].fillna("unknown")})
    until = pd.Timestamp("2017-12-31").value // 1000 - horizon
    end = int(as_of.max()) // MICROS_PER_WEEK * MICROS_PER_WEEK
    return history_of(leads["mql_id"], as_of, matrix, converted, (horizon, until, end))


def bank(folder: Path) -> tuple[ScoredHistory, Reference]:
    """Return the calls of bank_marketing, scored by what was known after four months."""
    table = pd.read_csv(folder / "bank-additional-full.csv", sep=";")
    month = table["month"].map({name: i for i, name in enumerate(_MONTHS)}).to_numpy()
    number = 2008 * 12 + month + 12 * np.cumsum(np.append(0, np.diff(month) < 0))
    place = table.groupby(number).cumcount().to_numpy()
    size = pd.Series(number).groupby(number).transform("size").to_numpy()
    start = pd.to_datetime([f"{n // 12}-{n % 12 + 1:02d}-01" for n in number])
    as_of = micros(pd.Series(start)) + (place / size * 28 * MICROS_PER_DAY).astype(np.int64)
    order = np.argsort(as_of, kind="stable")
    as_of, table = as_of[order], table.iloc[order].reset_index(drop=True)
    converted = np.where(table["y"] == "yes", as_of, NEVER)
    matrix = table[["job", "education", "contact", "poutcome"]].astype(str)
    until = pd.Timestamp("2008-09-01").value // 1000
    end = int(as_of.max()) // MICROS_PER_WEEK * MICROS_PER_WEEK
    ids = pd.Series(np.arange(len(table)))
    return history_of(ids, as_of, matrix, converted, (1, until, end))


def micros(times: "pd.Series[Any]") -> npt.NDArray[np.int64]:
    """Return times as microseconds."""
    return np.asarray(times.dt.as_unit("us").astype("int64"), dtype=np.int64)


def history_of(
    ids: "pd.Series[Any]",
    as_of: npt.NDArray[np.int64],
    matrix: pd.DataFrame,
    converted_at: npt.NDArray[np.int64],
    times: tuple[int, int, int],
) -> tuple[ScoredHistory, Reference]:
    """Return the rows scored by naive Bayes of what matured before `until` (times[1])."""
    horizon, until, end = times
    learnt = as_of < until
    came = (converted_at >= as_of) & (converted_at - as_of < horizon)
    rate = (came[learnt].sum() + 0.5) / (learnt.sum() + 1.0)
    log_odds = np.full(len(as_of), np.log(rate / (1 - rate)))
    for name in matrix.columns:
        own = pd.DataFrame({"level": matrix[name], "came": came})[learnt].groupby("level")["came"]
        # Twenty leads of the usual rate keep a rare level near it.
        share = (own.sum() + 20 * rate) / (own.size() + 20)
        shift = np.log(share / (1 - share)) - np.log(rate / (1 - rate))
        log_odds += matrix[name].map(shift).fillna(0.0).to_numpy(dtype=np.float64)
    log_odds += np.log(rate) - np.log((1 / (1 + np.exp(-log_odds)))[learnt].mean())
    kept = as_of < end
    parts = tuple(AttributeFeature(str(c), str(c), "category", str(c)) for c in matrix.columns)
    history = ScoredHistory(
        scores=pd.DataFrame(
            {
                "lead_id": ids.to_numpy(),
                "as_of": as_of,
                "probability": 1 / (1 + np.exp(-log_odds)),
                "fit_part": log_odds,
                "engagement_part": 0.0,
            }
        )[kept].reset_index(drop=True),
        matrix=matrix[kept].reset_index(drop=True),
        converted_at=np.where(converted_at[kept] < end, converted_at[kept], NEVER),
        verdicts=pd.DataFrame(columns=list(_NO_VERDICTS)),
        horizon=horizon,
        data_end=end,
        learnt_until=until,
    )
    return history, Reference(Plan(attributes=parts), {})


def replayed(name: str, history: ScoredHistory, reference: Reference) -> Replay:
    """Return every change of outcomes that a weekly look tells, when it first does."""
    watched = watch(history, reference, replace_settings())
    first = -int((history.data_end - history.learnt_until - history.horizon) // MICROS_PER_WEEK)
    found: list[Change] = []
    times: list[pd.Timestamp | None] = []
    for week in range(first, 0):
        if not alarms_at(watched, week).outcomes:
            continue
        for change in news_among(diagnose(watched, week, with_columns=False), map(vars, found)):
            if change.kind in _OUTCOMES:
                found.append(change)
                times.append(at(history.data_end + (week + 1) * MICROS_PER_WEEK))
    start = at(history.data_end + first * MICROS_PER_WEEK) or pd.Timestamp(0)
    alarm = times[0] if times else None
    return Replay(name, start, alarm, tuple(found), tuple(times))


def replace_settings() -> MonitoringSettings:
    """Return the settings of the replay: the defaults, weeks of 20 rows are judged."""
    return MonitoringSettings().model_copy(update={"min_points": 20})


if __name__ == "__main__":
    main()
