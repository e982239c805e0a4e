"""What only a simulator can tell, and what a large training costs: `make bench-quality`.

    python -m benchmarks.quality_simulated truth   # the test's ROC-AUC beside the true one
    python -m benchmarks.quality_simulated luck    # the same distance of the truth's own ranking
    python -m benchmarks.quality_simulated axes    # what keeping fit and engagement apart costs
    python -m benchmarks.quality_simulated scale   # 1 M points of 100 features

Companies whose truth is known: a lead's log-odds are a sum of its columns, bent and with a mild
interaction of fit and engagement. The future is 200,000 leads that nobody has learnt from.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results_file import write_rows
from mqlml.dataset.build import Dataset
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.calibration import Floats, probability_of
from mqlml.modeling.metrics import roc_auc
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import run_tournament
from mqlml.tables.contracts import Attribute, ColumnType
from mqlml.timeline import MICROS_PER_SECOND

TARGET = TargetSettings(stage="outcome")
_LEVELS = 12
_INTERACTION = 0.35


@dataclass(frozen=True)
class Shape:
    """How many leads and columns a company has."""

    leads: int
    numbers: int
    categories: int


SHAPES = {
    "truth": Shape(40_000, 14, 6),
    "luck": Shape(40_000, 14, 6),
    "axes": Shape(20_000, 10, 4),
    "scale": Shape(1_000_000, 80, 20),
}
TINY = Shape(2_000, 4, 2)


def main() -> None:
    """Measure, print and write results/quality_truth.json or results/training_scale.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=SHAPES)
    parser.add_argument("--companies", type=int, default=6)
    parser.add_argument("--tiny", action="store_true", help="small tables, nothing written")
    given = parser.parse_args()
    shape = TINY if given.tiny else SHAPES[given.what]
    seeds = range(700_000, 700_000 + given.companies)
    measures = {
        "truth": lambda: truth_rows(shape, seeds),
        "luck": lambda: luck_rows(shape, seeds),
        "axes": lambda: axes_rows(shape, seeds),
        "scale": lambda: scale_rows(shape),
    }
    rows = list(measures[given.what]())
    for row in rows:
        row["command"] = (
            f"python -m benchmarks.quality_simulated {given.what} --companies {given.companies}"
        )
        print(f"{row['name']:64} {row['value']:9.4f} {row['unit']:8} {row['goal']:10} {row['met']}")
    if not given.tiny:
        print(write_rows(f"quality_{given.what}", rows))


def plan_of(shape: Shape) -> Plan:
    """Return the plan of a company: half of the columns are engagement."""
    numbers = [Attribute(f"number {i}", ColumnType.NUMBER) for i in range(shape.numbers)]
    texts = [Attribute(f"category {i}", ColumnType.TEXT) for i in range(shape.categories)]
    engagement = [a.name for a in (*numbers[::2], *texts[::2])]
    return make_plan(
        PlanSettings(), (*numbers, *texts), event_columns=(), engagement_attributes=engagement
    )


def drawn(shape: Shape, leads: int, seed: int, draw: int) -> tuple[pd.DataFrame, Floats]:
    """Return a company's leads and the true probability of each; `seed` is the company."""
    company = np.random.default_rng([seed, 0])
    weights = company.normal(0, 0.35, shape.numbers) * (company.random(shape.numbers) < 0.5)
    effects = company.normal(0, 0.4, (shape.categories, _LEVELS))
    random = np.random.default_rng([seed, 1 + draw])
    log_odds = np.full(leads, -2.2)
    columns: dict[str, Any] = {}
    for place, weight in enumerate(weights):
        # Counts and heavy tails, as behaviour has them; each matters less the more there is.
        values = np.floor(random.exponential(1.0 + place % 5, leads))
        columns[f"number {place}"] = values
        log_odds += weight * (np.log1p(values) - np.log1p(1.0 + place % 5))
    for place, effect in enumerate(effects):
        codes = random.integers(_LEVELS, size=leads)
        columns[f"category {place}"] = pd.Categorical.from_codes(
            codes, [f"v{i}" for i in range(_LEVELS)]
        ).astype("str")
        log_odds += effect[codes]
    # Who fits and comes often converts more than the two alone would say.
    log_odds += _INTERACTION * (columns["number 0"] > 1) * (columns["number 1"] > 1)
    matrix = pd.DataFrame(columns).astype({f"category {i}": "str" for i in range(len(effects))})
    return matrix, probability_of(log_odds)


def company(shape: Shape, seed: int) -> Dataset:
    """Return the history of a company: a lead a second, one point each."""
    matrix, truth = drawn(shape, shape.leads, seed, 0)
    labels = np.random.default_rng([seed, 99]).random(shape.leads) < truth
    times = np.arange(shape.leads, dtype=np.int64) * MICROS_PER_SECOND
    points = pd.DataFrame({
        "lead_id": np.arange(shape.leads).astype(str), "as_of": times, "cohort": times,
        "label": labels.astype(np.float64),
    })  # fmt: skip
    plan = plan_of(shape)
    names = {a.source: a.column for a in plan.attributes}
    return Dataset(points, matrix.rename(columns=names)[list(plan.columns)], plan)


def truth_rows(shape: Shape, seeds: range) -> Iterator[dict[str, Any]]:
    """Yield how far the test's ROC-AUC is from the true future one."""
    apart = []
    for seed in seeds:
        dataset = company(shape, seed)
        split = make_split(dataset.points, TARGET, SplitSettings())
        result = run_tournament(dataset, split, ModelSettings(), seed=0, jobs=2)
        future, truth = drawn(shape, 5 * shape.leads, seed, 1)
        names = {a.source: a.column for a in dataset.plan.attributes}
        future = future.rename(columns=names)[list(dataset.plan.columns)]
        labels = (np.random.default_rng([seed, 100]).random(len(truth)) < truth).astype(np.float64)
        true_auc = roc_auc(labels, result.test_model.probability(future))
        apart.append(result.test.roc_auc - true_auc)
        print(
            f"  {seed} {result.winner} test {result.test.roc_auc:.4f} true {true_auc:.4f}",
            flush=True,
        )
    distance = np.abs(np.array(apart))
    yield _row("test's ROC-AUC − true future ROC-AUC, mean", float(np.mean(apart)), most=0.01)
    yield _row("furthest of a company", float(distance.max()))
    yield _row("companies within .01", float((distance <= 0.01).mean()))


def luck_rows(shape: Shape, seeds: range) -> Iterator[dict[str, Any]]:
    """Yield how far the ROC-AUC of the true probabilities on the test is from their future one.

    No model is learnt: what is left of `truth_rows` beyond this is the tournament's doing.
    """
    apart = []
    for seed in seeds:
        labels = company(shape, seed).points["label"].to_numpy(np.float64)
        _, past = drawn(shape, shape.leads, seed, 0)
        test = slice(round(0.8 * shape.leads), None)
        _, future = drawn(shape, 5 * shape.leads, seed, 1)
        later = (np.random.default_rng([seed, 100]).random(len(future)) < future).astype(np.float64)
        apart.append(roc_auc(labels[test], past[test]) - roc_auc(later, future))
        print(f"  {seed} the truth's own distance {apart[-1]:.4f}", flush=True)
    name = "the truth's ROC-AUC on the test − its future one, mean"
    yield _row(name, float(np.mean(apart)))


def axes_rows(shape: Shape, seeds: range) -> Iterator[dict[str, Any]]:
    """Yield the ROC-AUC that boosting loses by keeping fit and engagement in different trees."""
    costs = []
    for seed in seeds:
        dataset = company(shape, seed)
        split = make_split(dataset.points, TARGET, SplitSettings())
        settings = ModelSettings(contestants=("lightgbm",))
        cost = run_tournament(dataset, split, settings, seed=0, jobs=2).axis_cost
        costs.append(np.nan if cost is None else cost.roc_auc)
        print(f"  {seed} axes {costs[-1]:.4f}", flush=True)
    yield _row("ROC-AUC lost by two axes, mean", float(np.mean(costs)), most=0.002)
    yield _row("most lost in a company", float(np.max(costs)))


def scale_rows(shape: Shape) -> Iterator[dict[str, Any]]:
    """Yield the seconds and the memory of one full tournament, learning for use included."""
    dataset = company(shape, 0)
    split = make_split(dataset.points, TARGET, SplitSettings())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cpu, wall = time.process_time(), time.perf_counter()
    run_tournament(dataset, split, ModelSettings(), seed=0, jobs=2)
    name = f"{shape.leads:,} points × {shape.numbers + shape.categories} features"
    yield _row(f"{name}: a full tournament", (time.process_time() - cpu) / 60, unit="CPU min")
    yield _row(f"{name}: by the clock", (time.perf_counter() - wall) / 60, most=15.0, unit="min")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield _row(f"{name}: peak memory", peak, most=4.0, unit="GiB")
    yield _row(f"{name}: of it before the tournament", before, unit="GiB")


def _row(name: str, value: float, *, most: float | None = None, unit: str = "") -> dict[str, Any]:
    goal = "" if most is None else f"<= {most}"
    met = "" if most is None else abs(value) <= most
    return {"name": name, "value": value, "low": None, "high": None, "unit": unit,
            "goal": goal, "met": met}  # fmt: skip


if __name__ == "__main__":
    main()
