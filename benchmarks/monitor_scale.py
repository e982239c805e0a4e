"""One weekly look at a million leads of 100 features: `python -m benchmarks.monitor_scale`.

A year of leads, each scored once, with nothing changed. Measured is `monitor` itself: evidence in
inputs and outcomes, diagnosis, and all tables of the page, from features that are at hand. What
computing the new week's features costs is in `make bench`. CPU seconds are of all threads, memory
is the process's high-water mark, the table of features included.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from benchmarks.drift_cast import COUNTRIES, NUMBERS, PLAN, SOURCES
from benchmarks.results_file import write_rows
from mqlml.criteria.settings import Criteria
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.monitoring.monitor import monitor
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.timeline import MICROS_PER_WEEK, NEVER

_WEEKS = 52
_LEARNT_WEEKS = 26
_HORIZON_WEEKS = 8
_SEED = 7
_BASE = -2.8


def main() -> None:
    """Measure, print and write results/monitor_scale.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    given = parser.parse_args()
    history = drawn_history(given.leads)
    drawn = _peak_mib()
    begun = time.process_time()
    criteria = Criteria(version=1)
    monitor(
        history,
        Reference(PLAN, {}),
        MonitoringSettings(),
        criteria_then=criteria,
        criteria_now=criteria,
    )
    spent, peak = time.process_time() - begun, _peak_mib()
    command = f"python -m benchmarks.monitor_scale --leads {given.leads}"
    figures = (
        ("CPU seconds of a weekly look", spent, "s", "≤ 60", spent <= 60),
        ("peak memory", peak, "MiB", "≤ 2048", peak <= 2048),
        ("of it before the look: the features and their making", drawn, "MiB", "", True),
    )
    rows = [
        {"name": n, "value": v, "unit": u, "goal": g, "met": m, "command": command}
        for n, v, u, g, m in figures
    ]
    for row in rows:
        print(f"{row['name']:56} {row['value']:10.1f} {row['unit']:4} {row['goal']:7} {row['met']}")
    if given.leads == 1_000_000:
        print(write_rows("monitor_scale", rows, leads=given.leads, features=len(PLAN.columns)))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
