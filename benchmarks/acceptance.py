"""Whether verdicts in the model help where they can, and stay out where they cannot.

`python -m benchmarks.acceptance`. Firms of 1,500 leads in a year from sixty campaigns that
come and go; about one lead in twelve converts, six in ten are judged within a fortnight. In one
kind of firm sales accepts by what makes leads convert, in the other by a taste of its own.
Features, points and second target are made by the package, and the tournament is its own.
Judged is the last fifth of the leads, which nothing looked at while choosing.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results_file import write_rows
from mqlml.dataset.acceptance import with_acceptance
from mqlml.dataset.build import Dataset
from mqlml.dataset.points import training_points
from mqlml.dataset.settings import PointSettings, SplitSettings, TargetSettings
from mqlml.dataset.splits import make_split
from mqlml.engines.local import LocalEngine
from mqlml.features.plan import make_plan
from mqlml.features.settings import PlanSettings
from mqlml.features.table_features import Outcome
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import TournamentResult, run_tournament
from mqlml.tables.contracts import (
    ATTRIBUTES,
    HANDOVERS,
    Attribute,
    ColumnType,
    EventLog,
    Tables,
)
from mqlml.timeline import MICROS_PER_DAY

_FIRST_SEED = {"tune": 0, "report": 500_000}
_LEADS, _DAYS, _CAMPAIGNS, _NUMBERS = 1_500, 365, 60, 10
_START = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
_HORIZON_DAYS = 30
TARGET = TargetSettings(stage="customer", horizon_days=_HORIZON_DAYS)
PLAN = PlanSettings.model_validate({"rates": {"verdicts": ["campaign"], "strength": 10}})
MODEL = ModelSettings(contestants=("base_rate", "logistic"), acceptance=True)
LEARNERS = ("logistic_verdicts", "logistic_acceptance")
KINDS = {"sales accepts what converts": True, "sales has a taste of its own": False}


@dataclass(frozen=True)
class Played:
    """One firm: which contestant won, and each one's test log loss less the plain learner's."""

    winner: str
    beyond: dict[str, float]


def main() -> None:
    """Measure, print and write results/acceptance.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seeds", choices=_FIRST_SEED, default="report")
    given = parser.parse_args()
    command = f"python -m benchmarks.acceptance --runs {given.runs}"
    rows = []
    for kind, agrees in KINDS.items():
        first = _FIRST_SEED[given.seeds]
        played = [play(first + number, agrees=agrees) for number in range(given.runs)]
        for row in rows_of(kind, played):
            rows.append(row | {"command": command})
            print(f"{row['name']:80} {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]")
    if given.seeds == "report":
        print(write_rows("acceptance", rows, runs=given.runs))


def rows_of(kind: str, played: Sequence[Played]) -> Iterator[dict[str, Any]]:
    """Yield how often each contestant won, and its mean difference with a 90 % interval."""
    for name in LEARNERS:
        won = float(np.mean([one.winner == name for one in played]))
        yield {"name": f"{kind}: {name} wins, share", "value": won, "low": won, "high": won}
        yield _mean(f"{kind}: {name} beyond logistic", [one.beyond[name] for one in played])
    chosen = [one.beyond.get(one.winner, 0.0) for one in played]
    yield _mean(f"{kind}: the winner beyond logistic", chosen)


def _mean(name: str, values: Sequence[float]) -> dict[str, Any]:
    mean, reach = np.mean(values), 1.645 * np.std(values, ddof=1) / np.sqrt(len(values))
    return {
        "name": f"{name}, log loss",
        "value": float(mean),
        "low": float(mean - reach),
        "high": float(mean + reach),
        "unit": "log loss on later leads; below 0 is better",
    }


def play(seed: int, *, agrees: bool) -> Played:
    """Return the tournament of one firm."""
    with tempfile.TemporaryDirectory() as folder:
        tables = firm(np.random.default_rng(seed), Path(folder), agrees=agrees)
        result = _tournament(tables, seed)
    test = {name: figures.log_loss for name, figures in result.test_by_contestant.items()}
    beyond = {name: loss - test["logistic"] for name, loss in test.items()}
    return Played(result.winner, beyond)


def _tournament(tables: Tables, seed: int) -> TournamentResult:
    outcome = Outcome("customer", _HORIZON_DAYS * MICROS_PER_DAY)
    plan = make_plan(PLAN, tables.attribute_specs, event_columns=(), outcome=outcome)
    points = with_acceptance(training_points(tables, TARGET, PointSettings()), tables, TARGET)
    matrix = LocalEngine(threads=1).compute(tables, points, plan)
    split = make_split(points, TARGET, SplitSettings())
    return run_tournament(Dataset(points, matrix, plan), split, MODEL, seed=seed)


def firm(draw: np.random.Generator, folder: Path, *, agrees: bool) -> Tables:
    """Return leads with campaign and numbers, verdicts, and customers."""
    day = np.sort(draw.uniform(0, _DAYS, _LEADS))
    born = draw.uniform(-40, _DAYS, _CAMPAIGNS)
    alive = np.exp(-(((day[:, None] - born) / 40) ** 2)) + 1e-9
    campaign = (alive.cumsum(axis=1) / alive.sum(axis=1, keepdims=True)) < draw.random((_LEADS, 1))
    campaign = np.minimum(campaign.sum(axis=1), _CAMPAIGNS - 1)
    numbers = draw.normal(size=(_LEADS, _NUMBERS))
    worth, taste = (_view(draw, numbers, campaign) for _ in range(2))
    wins = draw.random(_LEADS) < _chance(worth - 3.2)
    view = worth if agrees else taste
    accepts = draw.random(_LEADS) < _chance(1.5 * view)
    judged = draw.random(_LEADS) < 0.6
    ids = pd.Series([f"L{n:05d}" for n in range(_LEADS)], dtype="str")
    won = day + draw.uniform(5, _HORIZON_DAYS - 1, _LEADS)
    said = day + draw.uniform(1, 14, _LEADS)
    leads = pd.DataFrame({"lead_id": ids, "created_at": _time(day)})
    leads["outcome"] = pd.Series([pd.NA] * _LEADS, dtype="boolean")
    leads["account_id"] = pd.Series([None] * _LEADS, dtype="str")
    leads["campaign"] = pd.Series([f"c{n}" for n in campaign], dtype="str")
    names = [f"x{n}" for n in range(_NUMBERS)]
    leads[names] = numbers
    stages = pd.DataFrame({"lead_id": ids, "stage": "customer", "entered_at": _time(won)})[wins]
    verdicts = pd.DataFrame(
        {
            "lead_id": ids,
            "given_at": _time(said),
            "verdict": np.where(accepts, "accepted", "rejected"),
            "reason": pd.Series([None] * _LEADS, dtype="str"),
            "who": "rep",
            "note": pd.Series([None] * _LEADS, dtype="str"),
        }
    )[judged]
    return Tables(
        leads=leads,
        attributes=pd.DataFrame(columns=list(ATTRIBUTES.names)),
        stages=stages.reset_index(drop=True),
        verdicts=verdicts.reset_index(drop=True),
        handovers=pd.DataFrame(columns=list(HANDOVERS.names)),
        events=EventLog(folder, 0),
        attribute_specs=(
            Attribute("campaign", ColumnType.TEXT),
            *(Attribute(name, ColumnType.NUMBER) for name in names),
        ),
        data_end=_START + round((_DAYS + 2 * _HORIZON_DAYS) * MICROS_PER_DAY),
        digest="benchmark",
    )


def _view(
    draw: np.random.Generator, numbers: np.ndarray[Any, Any], campaign: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return how good each lead is to somebody: by half of the numbers, and by its campaign."""
    weights = np.where(np.arange(_NUMBERS) < _NUMBERS // 2, draw.normal(0, 0.5, _NUMBERS), 0.0)
    return np.asarray(numbers @ weights + draw.normal(0, 1.0, _CAMPAIGNS)[campaign])


def _chance(log_odds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _time(day: np.ndarray[Any, Any]) -> "pd.Series[Any]":
    micros = pd.Series(_START + np.round(day * MICROS_PER_DAY).astype(np.int64))
    return pd.to_datetime(micros, unit="us", utc=True).astype("datetime64[us, UTC]")


if __name__ == "__main__":
    main()
