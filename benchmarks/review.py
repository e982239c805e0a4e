"""How well a review finds what sales truly thinks, beside what is done by eye: `make bench-review`.

Recall is the share of planted subjects that are found (any of a signal's windows
counts), the false share is that of findings about something else, pooled over runs.
"By eye" ranks each feature's importance against the rejection rate of leads with it;
"marginal" tests each feature alone, without score or rep.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import beta, false_discovery_control, norm

from benchmarks.results_file import write_rows
from benchmarks.review_firms import Firm, World, world_of
from mqlml.review.findings import conditional_findings

_FIRST_SEED = {"tune": 0, "report": 500_000}
Method = Callable[[World], pd.DataFrame]


@dataclass(frozen=True)
class Case:
    """A kind of firm, what is asked of it, and the goals for recall, false share, any flag."""

    name: str
    firm: Firm
    recall: float | None = None
    false_share: float | None = None
    any_flag: float | None = None


CASES = (
    Case("effect .8, 1,200 verdicts", Firm(1_200, 0.8), recall=0.85, false_share=0.10),
    Case("effect .5, 2,500 verdicts", Firm(2_500, 0.5), recall=0.75, false_share=0.10),
    Case("nothing planted, 300 verdicts", Firm(300), any_flag=0.10),
    Case("nothing planted, 1,200 verdicts", Firm(1_200), any_flag=0.10),
    Case(
        "strict and lax reps, each with a source, effect .8, 1,200 verdicts",
        Firm(1_200, 0.8, strictness=1.2, is_mixed=True),
        false_share=0.10,
    ),
    Case(
        "strict and lax reps, each with a source, nothing planted, 1,200 verdicts",
        Firm(1_200, strictness=1.2, is_mixed=True),
        any_flag=0.10,
    ),
    Case(
        "reps of different taste, effect .8, 1,200 verdicts",
        Firm(1_200, 0.8, taste=0.4),
        false_share=0.10,
    ),
)


@dataclass(frozen=True)
class Run:
    """What one review found: planted subjects, how many of them, findings, false ones."""

    planted: int
    found: int
    flags: int
    false_flags: int
    confirmed: int
    false_confirmed: int


def main() -> None:
    """Measure, print and write results/review.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seeds", choices=_FIRST_SEED, default="report")
    given = parser.parse_args()
    command = f"python -m benchmarks.review --runs {given.runs}"
    rows = []
    for case in CASES:
        for row in case_rows(case, given.runs, _FIRST_SEED[given.seeds]):
            rows.append(row | {"command": command})
            _show(rows[-1])
    rows.append(speed_row(100_000, 200) | {"command": command})
    _show(rows[-1])
    if given.seeds == "report":
        print(write_rows("review", rows, runs=given.runs))


def _show(row: dict[str, Any]) -> None:
    print(f"{row['name']:90} {row['value']:.3f}", end=" ")
    print(f"[{row['low']:.3f}, {row['high']:.3f}] {row['goal']} {row['met']}", flush=True)


def case_rows(case: Case, runs: int, first_seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of one case: of the review, and of the two ways beside it."""
    pooled = Parallel(n_jobs=1)(
        delayed(one_run)(case.firm, first_seed + number) for number in range(runs)
    )
    for place, name in enumerate(METHODS):
        found = [run[place] for run in pooled]
        is_ours = name == "review"
        yield from _method_rows(f"{case.name}: {name}", case, found, is_ours=is_ours)


def _method_rows(
    name: str, case: Case, found: Sequence[Run], *, is_ours: bool
) -> Iterator[dict[str, Any]]:
    planted, flags = sum(r.planted for r in found), sum(r.flags for r in found)
    if planted:
        goal = case.recall if is_ours else None
        yield _share(f"{name}: recall", sum(r.found for r in found), planted, ">=", goal)
        goal = case.false_share if is_ours else None
        yield _share(f"{name}: false share", sum(r.false_flags for r in found), flags, "<=", goal)
    else:
        goal = case.any_flag if is_ours else None
        yield _share(f"{name}: any flag", sum(r.flags > 0 for r in found), len(found), "<=", goal)
    if is_ours and planted:
        confirmed = sum(r.confirmed for r in found)
        false = sum(r.false_confirmed for r in found)
        yield _share(f"{name}: confirmed, false share", false, confirmed, "<=", 0.02)


def one_run(firm: Firm, seed: int) -> tuple[Run, ...]:
    """Return what each method finds in one firm."""
    world = world_of(firm, np.random.default_rng(seed))
    return tuple(_judged(world, method(world)) for method in METHODS.values())


def _judged(world: World, flagged: pd.DataFrame) -> Run:
    """Compare the flagged columns with the truth; a flag in the wrong direction is false."""
    subjects = [world.subject[name] for name in flagged["column"]]
    signs = np.sign(flagged["effect"].to_numpy(float))
    right = [
        s in world.planted and (np.sign(world.planted[s]) == sign or s.startswith("category"))
        for s, sign in zip(subjects, signs, strict=True)
    ]
    sure = flagged["tier"].to_numpy() == "confirmed"
    return Run(
        planted=len(world.planted),
        found=len({s for s, is_right in zip(subjects, right, strict=True) if is_right}),
        flags=len(subjects),
        false_flags=len(subjects) - sum(right),
        confirmed=int(sure.sum()),
        false_confirmed=int((sure & ~np.array(right, dtype=bool)).sum()),
    )


def by_review(world: World) -> pd.DataFrame:
    """Return column, effect and tier of what the package finds."""
    table = conditional_findings(world.judged, world.importance)
    told = table[table["tier"] != "none"]
    columns = told["feature"].str.split(" = ").str[0]
    return told.assign(column=columns)[["column", "effect", "tier"]]


def by_eye(world: World) -> pd.DataFrame:
    """Return what a reader of two bar charts calls a disagreement.

    Among the third of features whose acceptance differs most: those where it differs
    against the model's direction, and those that the model hardly looks at.
    """
    rates = _with_and_without(world)
    gap = pd.Series({name: gap for name, gap, _ in rates})
    model = world.importance.set_index("column").loc[gap.index]
    is_odd = (np.sign(gap) != np.sign(model["direction"])) | (
        model["importance"].rank(pct=True) < 1 / 3
    )
    odd = gap[is_odd & (gap.abs().rank(pct=True) > 2 / 3)]
    table = pd.DataFrame({"column": odd.index, "effect": odd.to_numpy(), "tier": "indicated"})
    return table.reset_index(drop=True)


def by_marginal(world: World) -> pd.DataFrame:
    """Return the features whose acceptance differs by itself (Benjamini–Hochberg at .10)."""
    rates = _with_and_without(world)
    z = np.array([z for _, _, z in rates])
    adjusted = false_discovery_control(2 * norm.sf(np.abs(z)))
    kept = [(name, gap) for (name, gap, _), p in zip(rates, adjusted, strict=True) if p <= 0.10]
    table = pd.DataFrame(kept, columns=["column", "effect"])
    return table.assign(tier="indicated")


def _with_and_without(world: World) -> list[tuple[str, float, float]]:
    """Return column, difference of acceptance rates with and without it, and its z."""
    accepted = world.judged.rows["accepted"].to_numpy(float)
    found = []
    for name in world.matrix_columns:
        values = world.judged.matrix[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers = values.to_numpy(float)
            middle = 0.0 if name.startswith("signal") else float(np.median(numbers))
            has = numbers > middle
        else:
            has = (values == "level 1").to_numpy(dtype=bool)
        if 0 < has.sum() < len(has):
            share, spread = accepted.mean(), accepted.std()
            error = spread * np.sqrt(1 / has.sum() + 1 / (~has).sum()) + 1e-12 * share
            gap = float(accepted[has].mean() - accepted[~has].mean())
            found.append((name, gap, gap / error))
    return found


METHODS: dict[str, Method] = {"review": by_review, "by eye": by_eye, "marginal": by_marginal}


def speed_row(verdicts: int, columns: int) -> dict[str, Any]:
    """Return the CPU seconds of one review of many verdicts."""
    firm = Firm(verdicts, 0.3, reps=50, more_columns=columns - 48)
    world = world_of(firm, np.random.default_rng(1))
    start = time.process_time()
    conditional_findings(world.judged, world.importance)
    spent = time.process_time() - start
    name = f"{verdicts:,} verdicts × {world.judged.matrix.shape[1]} features, CPU seconds"
    return _row(name, spent, (spent, spent), "<= 60", is_met=spent <= 60)


def _share(name: str, hits: int, of: int, sign: str, goal: float | None) -> dict[str, Any]:
    """Return a share with its 90 % Clopper–Pearson interval."""
    value = hits / of if of else float("nan")
    low = float(beta.ppf(0.05, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.95, hits + 1, of - hits)) if hits < of else 1.0
    if goal is None:
        return _row(name, value, (low, high), "", is_met=None)
    is_met = value >= goal if sign == ">=" else value <= goal
    return _row(name, value, (low, high), f"{sign} {goal:g}", is_met=is_met)


def _row(
    name: str, value: float, ends: tuple[float, float], goal: str, *, is_met: bool | None
) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 4),
        "low": round(ends[0], 4),
        "high": round(ends[1], 4),
        "goal": goal,
        "met": None if is_met is None else bool(is_met),
    }


if __name__ == "__main__":
    main()
