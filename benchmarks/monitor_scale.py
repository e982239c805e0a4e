"""One weekly look at a million leads of 100 features: `python -m benchmarks.monitor_scale`.

A year of leads, each scored once, with nothing changed. Measured is `monitor` itself: evidence in
inputs and outcomes, diagnosis, and all tables of the page, from features that are at hand.
`--whole FOLDER` measures what `mqlml monitor` does beside reading tables, writing the page and
telling MLflow: features of all past points from ten events a lead, the champion's scores (a
boosted model), then the look. CPU seconds are of all threads, memory is the process's
high-water mark, the table of features included.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.drift_cast import COUNTRIES, NUMBERS, PLAN, SOURCES
from benchmarks.features_case import peak_mib, warm_up
from benchmarks.features_data import Size, make_data, read_tables
from benchmarks.features_plan import bench_plan
from benchmarks.results_file import write_rows
from benchmarks.scoring_memory import bundle_of
from mqlml.criteria.settings import Criteria
from mqlml.dataset.points import training_points
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.engines.settings import EngineSettings
from mqlml.features.plan import Plan
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.monitoring.monitor import monitor
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.tables.contracts import Tables
from mqlml.timeline import MICROS_PER_WEEK, NEVER
from mqlml.workflows.history import history_of, past_of

_WEEKS = 52
_LEARNT_WEEKS = 26
_HORIZON_WEEKS = 8
_SEED = 7
_BASE = -2.8


def main() -> None:
    """Measure, print and write results/monitor_scale.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--whole", type=Path, help="a folder for tables; compute features too")
    given = parser.parse_args()
    prepare = _at_hand if given.whole is None else partial(_computed, given.whole)
    make, plan = prepare(given.leads)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    drawn = peak_mib()
    begun = time.process_time()
    history = make()
    computed = time.process_time() - begun
    criteria = Criteria(version=1)
    monitor(
        history,
        Reference(plan, {}),
        MonitoringSettings(),
        criteria_then=criteria,
        criteria_now=criteria,
    )
    spent, peak = time.process_time() - begun, peak_mib()
    what = "a weekly look" if given.whole is None else "a weekly look, features and scores included"
    figures = (
        (f"CPU seconds of {what}", spent, "s", "≤ 60", spent <= 60),
        ("of it features and scores", computed, "s", "", ""),
        ("peak memory", peak, "MiB", "≤ 2048", peak <= 2048),
        ("of it before the look", drawn, "MiB", "", ""),
    )
    way = "" if given.whole is None else " --whole FOLDER"
    command = f"python -m benchmarks.monitor_scale --leads {given.leads}{way}"
    rows = [
        {"name": n, "value": v, "unit": u, "goal": g, "met": m, "command": command}
        for n, v, u, g, m in figures
    ]
    for row in rows:
        print(f"{row['name']:56} {row['value']:10.1f} {row['unit']:4} {row['goal']:7} {row['met']}")
    if given.leads == 1_000_000:
        name = "monitor_scale" if given.whole is None else "monitor_scale_whole"
        print(write_rows(name, rows, leads=given.leads, features=len(plan.columns)))


def _at_hand(leads: int) -> tuple[Callable[[], ScoredHistory], Plan]:
    history = drawn_history(leads)
    return (lambda: history), PLAN


def _computed(folder: Path, leads: int) -> tuple[Callable[[], ScoredHistory], Plan]:
    """Return what makes the history from tables on disk, ten events a lead."""
    plan = bench_plan()
    make_data(folder, Size(10 * leads, leads, points_per_lead=1))
    warm_up(plan)
    tables = _with_customers(read_tables(folder))
    settings: Any = SimpleNamespace(
        target=TargetSettings(stage="customer", horizon_days=7.0 * _HORIZON_WEEKS),
        points=PointSettings(rule="once", after_days=28),
        engine=EngineSettings(),
    )
    points = training_points(tables, settings.target, settings.points)
    bundle = bundle_of(tables, points, plan)
    learnt = int(np.median(points["as_of"]))
    facts = {**bundle.facts, "last_labelled_as_of": learnt}
    loaded: Any = SimpleNamespace(bundle=replace(bundle, facts=facts))

    def make() -> ScoredHistory:
        past = past_of(settings, tables, loaded)
        return history_of(settings, tables, loaded, past)

    return make, plan


def _with_customers(tables: Tables) -> Tables:
    """Return the tables with a twelfth of the leads customers within a year of their creation."""
    rng = np.random.default_rng(_SEED)
    bought = np.flatnonzero(rng.random(len(tables.leads)) < 1 / 12)
    after = pd.to_timedelta(rng.integers(29 * 24, 120 * 24, len(bought)), unit="h")
    leads = tables.leads.iloc[bought]
    stages = pd.DataFrame(
        {
            "lead_id": leads["lead_id"].to_numpy(),
            "stage": "customer",
            "entered_at": (leads["created_at"] + after).astype("datetime64[us, UTC]").to_numpy(),
        }
    )
    stages["entered_at"] = pd.to_datetime(stages["entered_at"], utc=True).dt.as_unit("us")
    return replace(tables, stages=stages)


def drawn_history(leads: int) -> ScoredHistory:
    """Return a year of leads whose outcomes follow their scores."""
    rng = np.random.default_rng(_SEED)
    end = _WEEKS * MICROS_PER_WEEK
    as_of = np.sort(rng.integers(0, end, leads))
    numbers = np.empty((leads, len(NUMBERS)), dtype=np.float32, order="F")
    for place in range(len(NUMBERS)):
        numbers[:, place] = rng.standard_normal(leads, dtype=np.float32)
    log_odds = _BASE + 0.6 * (numbers[:, 0] + numbers[:, 10]).astype(np.float64)
    probability = 1.0 / (1.0 + np.exp(-log_odds))
    delay = (rng.beta(1.3, 1.8, leads) * _HORIZON_WEEKS * MICROS_PER_WEEK).astype(np.int64)
    comes = (rng.random(leads) < probability) & (as_of + delay < end)
    matrix = pd.DataFrame(numbers, columns=list(NUMBERS), copy=False)
    for name, levels in (("source", SOURCES), ("country", COUNTRIES)):
        codes = rng.integers(0, len(levels), leads)
        matrix[name] = pd.Categorical.from_codes(codes, list(levels))
    behaved = 0.6 * numbers[:, 0].astype(np.float64)
    return ScoredHistory(
        scores=pd.DataFrame(
            {
                "lead_id": np.arange(leads),
                "as_of": as_of,
                "probability": probability,
                "fit_part": log_odds - behaved,
                "engagement_part": behaved,
            }
        ),
        matrix=matrix,
        converted_at=np.where(comes, as_of + delay, NEVER).astype(np.int64),
        verdicts=pd.DataFrame(columns=["lead_id", "given_at", "verdict", "reason", "who"]),
        horizon=_HORIZON_WEEKS * MICROS_PER_WEEK,
        data_end=end,
        learnt_until=_LEARNT_WEEKS * MICROS_PER_WEEK,
    )


if __name__ == "__main__":
    main()
