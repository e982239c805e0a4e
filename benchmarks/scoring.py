"""Scores and exact reasons beside LightGBM's own: CPU seconds, turn by turn, in one process.

`make bench-scoring` writes `benchmarks/results/scoring.json` and, for people,
`scoring.md`. The model has 400 trees of 63 leaves over 120 columns with missing
values and categories. Every column is drawn by itself, which is the dearest case for
reasons: rows share the fewest patterns.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from benchmarks.results_file import write_rows
from mqlml.modeling.trees.ensemble import Ensemble

Floats = npt.NDArray[np.float64]

COMMAND = "make bench-scoring"
TREES, LEAVES, COLUMNS = 400, 63, 120
CATEGORIES = range(112, COLUMNS)
SEED, TOP = 0, 5


@dataclass(frozen=True)
class Size:
    """How many rows are learnt from, scored and explained, and how often."""

    learnt: int
    scored: int
    explained: int
    repeats: int


SIZES = {"small": Size(20_000, 10_000, 300, 5), "medium": Size(60_000, 20_000, 2_000, 7)}


def drawn_rows(count: int, seed: int) -> Floats:
    """Return rows of counts, days, amounts and categories; a third of columns has gaps."""
    rng = np.random.default_rng(seed)
    rows = np.empty((count, COLUMNS))
    for column in range(COLUMNS):
        rows[:, column] = (
            rng.poisson(0.5 + column % 6, count),
            rng.exponential(20.0, count),
            rng.normal(size=count),
            rng.lognormal(1.0, 1.0, count),
        )[column % 4]
        if column % 3 == 0:
            rows[rng.random(count) < 0.2, column] = np.nan
    for column in CATEGORIES:
        rows[:, column] = rng.integers(0, 12, count)
    return rows


def learnt_booster(rows: Floats) -> lightgbm.Booster:
    """Return the model to score with."""
    rng = np.random.default_rng(SEED + 1)
    weights = rng.normal(size=COLUMNS) * (rng.random(COLUMNS) < 0.4)
    known = np.nan_to_num(rows)
    standard = (known - known.mean(axis=0)) / known.std(axis=0)
    log_odds = 0.4 * standard @ weights + 0.3 * standard[:, 1] * standard[:, 2] - 1.0
    labels = rng.random(len(rows)) < 1 / (1 + np.exp(-log_odds - (rows[:, 113] % 3 == 1)))
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "learning_rate": 0.05,
        "max_bin": 127,
        "feature_fraction": 0.7,
        "seed": SEED,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(rows, labels.astype(float), categorical_feature=list(CATEGORIES))
    return lightgbm.train(parameters, data, num_boost_round=TREES)


def cpu_seconds(works: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each work, done in turns; the first turn is not counted."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            start = time.process_time()
            work()
            if turn:
                found[name].append(time.process_time() - start)
    return found


def ratio_row(name: str, ours: Sequence[float], theirs: Sequence[float], goal: float) -> Any:
    """Return the row of a ratio: the median of the turns' ratios, the lowest and the highest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return row_of(name, ratios, "ratio of CPU", goal)


def row_of(name: str, values: Sequence[float], unit: str, goal: float | None = None) -> Any:
    """Return the row of a figure that should be at most its goal."""
    value = median(values)
    return {
        "name": name,
        "value": value,
        "low": min(values),
        "high": max(values),
        "unit": unit,
        "goal": goal,
        "met": None if goal is None else value <= goal,
        "command": COMMAND,
    }


def scoring_rows(booster: lightgbm.Booster, ensemble: Ensemble, size: Size) -> list[Any]:
    """Return the figures of scoring."""
    rows = drawn_rows(size.scored, SEED + 2)
    spent = cpu_seconds(
        {
            "booster": lambda: booster.predict(rows, raw_score=True, num_threads=1),
            "ours": lambda: ensemble.raw_scores(rows, threads=1),
            "ours, 2 threads": lambda: ensemble.raw_scores(rows, threads=2),
        },
        size.repeats,
    )
    away = np.abs(ensemble.raw_scores(rows) - booster.predict(rows, raw_score=True)).max()
    each = {name: [1e6 * s / len(rows) for s in seconds] for name, seconds in spent.items()}
    return [
        ratio_row("scores / Booster.predict, float matrix", spent["ours"], spent["booster"], 0.6),
        row_of("Booster.predict, a row", each["booster"], "µs of CPU"),
        row_of("scores, a row", each["ours"], "µs of CPU"),
        row_of("scores on 2 threads, a row", each["ours, 2 threads"], "µs of CPU"),
        row_of("largest difference of a raw score", [float(away)], "log-odds", 0.0),
    ]


def reason_rows(booster: lightgbm.Booster, ensemble: Ensemble, size: Size) -> list[Any]:
    """Return the figures of exact reasons."""
    rows, many = drawn_rows(size.explained, SEED + 3), drawn_rows(size.scored, SEED + 4)
    spent = cpu_seconds(
        {
            "booster": lambda: booster.predict(rows, pred_contrib=True, num_threads=1),
            "ours": lambda: ensemble.contributions(rows, threads=1),
            "ours, many": lambda: ensemble.contributions(many, threads=1),
            "ours, one": lambda: ensemble.contributions(rows[:1], threads=1),
        },
        size.repeats,
    )
    counts = {"booster": len(rows), "ours": len(rows), "ours, many": len(many), "ours, one": 1}
    each = {name: [1e6 * s / counts[name] for s in seconds] for name, seconds in spent.items()}
    found = ensemble.contributions(rows).T
    referee = np.asarray(booster.predict(rows, pred_contrib=True))[:, :-1]
    same = (strongest(found) == strongest(referee)).all(axis=1).mean()
    beside = f"of {len(rows):,}"
    return [
        ratio_row(f"reasons / pred_contrib, {beside} rows", spent["ours"], spent["booster"], 0.15),
        row_of(f"pred_contrib, a row {beside}", each["booster"], "µs of CPU"),
        row_of(f"reasons, a row {beside}", each["ours"], "µs of CPU"),
        row_of(f"reasons, a row of {len(many):,}", each["ours, many"], "µs of CPU"),
        row_of("reasons, a row by itself", each["ours, one"], "µs of CPU"),
        row_of("largest difference", [float(np.abs(found - referee).max())], "log-odds", 1e-5),
        row_of("rows with other top five reasons", [float(1 - same)], "share", 0.0),
    ]


def strongest(contributions: Floats) -> npt.NDArray[np.int64]:
    """Return the columns of each row's strongest contributions, the strongest first."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :TOP]


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as a table for people."""
    lines = ["| what | median | low | high | unit | goal | met |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        figures = [f"{row[key]:.4g}" for key in ("value", "low", "high")]
        goal = "–" if row["goal"] is None else f"≤ {row['goal']:g}"
        met = {None: "", True: "yes", False: "no"}[row["met"]]
        lines.append(f"| {row['name']} | {' | '.join(figures)} | {row['unit']} | {goal} | {met} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print the table, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="medium")
    name = parser.parse_args().size
    size = SIZES[name]
    booster = learnt_booster(drawn_rows(size.learnt, SEED))
    ensemble = Ensemble.from_text(booster.model_to_string())
    rows = scoring_rows(booster, ensemble, size) + reason_rows(booster, ensemble, size)
    path = write_rows("scoring", rows, size=name, trees=TREES, leaves=LEAVES, columns=COLUMNS)
    table = table_of(rows)
    path.with_suffix(".md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
