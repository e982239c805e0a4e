"""How often a promised precision is broken, and what it costs in volume: `make bench-floor`.

Companies whose truth is known: a lead's true log-odds are drawn, the model says a
shifted, stretched and noisy version of them. A test block of some size is labelled
by chance; the threshold is chosen from it; then the true precision of all leads at
or above the threshold is compared with the floor. "Raw" takes the lowest threshold
whose share of conversions in the block kept the floor, as most tools do.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta

from benchmarks.results_file import write_rows
from mqlml.criteria.threshold import FEWEST_CONVERSIONS, threshold_for_precision
from mqlml.errors import DataError
from mqlml.modeling.assurance import measure_assurance
from mqlml.modeling.calibration import probability_of

Floats = npt.NDArray[np.float64]
_FUTURE = 100_000
_FIRST_SEED = {"tune": 0, "report": 500_000}


@dataclass(frozen=True)
class Case:
    """A company (mean and spread of the true log-odds), the block's rows, and the floor."""

    mean: float
    spread: float
    rows: int
    floor: float


CASES = (
    Case(-3.0, 1.5, 2500, 0.25),
    Case(-3.0, 1.5, 2500, 0.35),
    Case(-2.0, 1.2, 2500, 0.30),
    Case(-3.5, 1.2, 2500, 0.15),
    Case(-3.0, 1.5, 800, 0.25),
)


@dataclass(frozen=True)
class Month:
    """The truth of one choice: was the floor broken, and the volume as a share of the ideal's."""

    is_broken: bool
    volume: float
    is_raw_broken: bool


def main() -> None:
    """Measure, print and write results/precision_floor.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=500)
    parser.add_argument("--seeds", choices=_FIRST_SEED, default="report")
    given = parser.parse_args()
    command = f"python -m benchmarks.precision_floor --months {given.months}"
    rows = []
    for number, case in enumerate(CASES):
        rng = np.random.default_rng(_FIRST_SEED[given.seeds] + number)
        rows += [row | {"command": command} for row in case_rows(case, given.months, rng)]
    for row in rows:
        print(f"{row['name']:64} {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]", end=" ")
        print(row["goal"], row["met"])
    if given.seeds == "report":
        print(write_rows("precision_floor", rows, months=given.months))


def case_rows(case: Case, months: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield the rows of one case: broken promises, volume, broken by raw shares, refusals."""
    found = [one_month(case, rng) for _ in range(months)]
    kept = [month for month in found if month is not None]
    name = f"{case.rows} rows, floor {case.floor:g}, log-odds {case.mean:g} ± {case.spread:g}"
    yield _share(f"{name}: floor broken", sum(m.is_broken for m in kept), len(kept), "<= 0.12")
    volumes = np.sort([month.volume for month in kept])
    low, high = np.quantile(volumes, [0.05, 0.95])
    goal = ">= 0.75" if case.rows >= 2500 else ""
    yield _row(f"{name}: volume", float(np.median(volumes)), (low, high), goal)
    yield _share(f"{name}: raw share broken", sum(m.is_raw_broken for m in kept), len(kept), "")
    yield _share(f"{name}: refused", months - len(kept), months, "")


def one_month(case: Case, rng: np.random.Generator) -> Month | None:
    """Return what became of one choice; None if the floor was refused."""
    shift, slope = rng.normal(0, 0.25), np.exp(rng.normal(-0.05, 0.15))

    def draw(rows: int) -> tuple[Floats, Floats]:
        true = rng.normal(case.mean, case.spread, rows)
        said = shift + slope * true + rng.normal(0, 0.6, rows)
        return probability_of(true), probability_of(said)

    true, said = draw(case.rows)
    labels = (rng.random(case.rows) < true).astype(np.float64)
    if labels.sum() < FEWEST_CONVERSIONS:
        return None
    assurance = measure_assurance(said, labels, np.arange(case.rows))
    history = pd.DataFrame({"lead_id": np.arange(case.rows), "as_of": 0, "probability": said})
    try:
        threshold = threshold_for_precision(history, case.floor, assurance)
    except DataError:
        return None
    future, future_said = draw(_FUTURE)
    ideal = len(future) * np.mean(_reached(future, future_said, case.floor))
    handed = future_said >= threshold
    raw = said[_reached(labels, said, case.floor)]
    is_raw_broken = len(raw) > 0 and future[future_said >= raw.min()].mean() < case.floor
    is_broken = bool(handed.any() and future[handed].mean() < case.floor)
    return Month(is_broken, float(handed.sum() / ideal), bool(is_raw_broken))


def _reached(converted: Floats, said: Floats, floor: float) -> npt.NDArray[np.bool_]:
    """Return which rows lie at or above the lowest threshold whose own share keeps the floor."""
    order = np.argsort(-said, kind="stable")
    share = np.cumsum(converted[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= floor)
    chosen = np.zeros(len(said), bool)
    if len(good):
        chosen[order[: good[-1] + 1]] = True
    return chosen


def _share(name: str, count: int, of: int, goal: str) -> dict[str, Any]:
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0
    return _row(name, count / of, (low, high), goal)


def _row(name: str, value: float, interval: tuple[float, float], goal: str) -> dict[str, Any]:
    met = None
    if goal:
        sign, bound = goal.split()
        met = value <= float(bound) if sign == "<=" else value >= float(bound)
    low, high = interval
    return {
        "name": name,
        "value": value,
        "low": float(low),
        "high": float(high),
        "unit": "share",
        "goal": goal,
        "met": met,
    }


if __name__ == "__main__":
    main()
