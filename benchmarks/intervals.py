"""How often intervals of scores and of ranks hold the truth: `make bench-intervals`.

On planted companies (`benchmarks/planted.py`) every later lead's true chance is known: coverage
is the share of later leads whose true chance lies within their interval of 90 %. Of real leads
only the outcome is known, so no such figure exists for them.

The same companies tell how often the range of a deciding column's rank holds its true rank,
by the mean size of what the column truly adds to the log-odds of its company's leads.

The factor in `mqlml.modeling.intervals` was chosen on `--seeds tune`; `report` has others.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.planted import Case, Planted, plant
from benchmarks.results_file import write_rows
from mqlml.modeling.assurance import log_odds_of, measure_assurance
from mqlml.modeling.intervals import Scored, Spread, measure_spread
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import TournamentResult, run_tournament

Floats = npt.NDArray[np.float64]

CASES = (
    Case(2_000, 0.10),
    Case(2_000, 0.20, is_linear=True),
    Case(6_000, 0.10),
    Case(6_000, 0.05, is_linear=True),
    Case(12_000, 0.05),
)
_FUTURE = 2_000
_FIRST_SEED = {"tune": 0, "report": 900}
_GOAL, _RANK_GOAL = "0.87 to 0.93", ">= 0.9"
_UNITS = {
    "coverage": "share",
    "true ranks in their range": "share",
    "width of a rank's range": "ranks",
}


@dataclass(frozen=True)
class Measured:
    """Later leads of one company: what was said, the interval's ends, the truth, in log-odds."""

    said: Floats
    low: Floats
    high: Floats
    truth: Floats
    winner: str
    ranks_covered: float
    rank_width: float

    @property
    def covered(self) -> float:
        """Return the share of leads whose true chance lies within the interval."""
        return float(np.mean((self.low <= self.truth) & (self.truth <= self.high)))

    @property
    def covered_if_widened(self) -> dict[float, float]:
        """Return the coverage had intervals been wider by some factors, for choosing one."""
        off = np.abs(self.truth - self.said) / np.maximum(self.high - self.said, 1e-12)
        return {f: float(np.mean(off <= f)) for f in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)}


def main() -> None:
    """Measure, print and write results/intervals.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=3)
    parser.add_argument("--seeds", choices=_FIRST_SEED, default="report")
    parser.add_argument("--tiny", action="store_true", help="one small company, nothing written")
    given = parser.parse_args()
    cases, companies = (CASES[:1], 1) if given.tiny else (CASES, given.companies)
    command = f"python -m benchmarks.intervals --companies {companies} --seeds {given.seeds}"
    rows = [row | {"command": command} for row in rows_of(cases, companies, given.seeds)]
    if given.seeds == "report" and not given.tiny:
        print(write_rows("intervals", rows, companies=companies))


def rows_of(cases: Sequence[Case], companies: int, seeds: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of all cases, printed as they come, and of all companies together."""
    every: list[Measured] = []
    for case in cases:
        first = _FIRST_SEED[seeds]
        found = [measure_company(case, seed=seed) for seed in range(first, first + companies)]
        every += found
        yield from _printed(case.name, found, goal="")
    yield from _printed("all companies", every, goal=_GOAL)
    for factor in every[0].covered_if_widened:
        shares = [one.covered_if_widened[factor] for one in every]
        print(f"    wider by {factor:g}: {np.mean(shares):.3f}")


def measure_company(case: Case, *, seed: int) -> Measured:
    """Return what a company's own training says of its later leads, and the truth."""
    past, future = plant(case, seed=seed, future=_FUTURE)
    settings = ModelSettings(contestants=("base_rate", "logistic", "lightgbm"))
    result = run_tournament(past, past.split, settings, seed=seed, jobs=2)
    places = np.arange(len(result.test_rows))
    assurance = measure_assurance(result.test_probabilities, result.test_labels, places)
    model, matrix = result.model, past.matrix.iloc[result.relearnt.rows].reset_index(drop=True)
    scored = Scored(matrix, model.probability(matrix), model.shape, model.calibration.slope)
    spread = measure_spread(result.relearnt, scored, assurance)
    ranks = _true_ranks(past, result)
    return _measured(spread, model.probability(future.matrix), future, result.winner, ranks)


def _true_ranks(past: Planted, result: TournamentResult) -> tuple[float, float]:
    """Return the share of deciding columns with their true rank in range, and the mean width."""
    true = past.parts.abs().mean().rank(ascending=False)
    found = result.ranks.set_index("column").loc[list(true.index)]
    inside = (found["rank_low"] <= true) & (true <= found["rank_high"])
    return float(inside.mean()), float((found["rank_high"] - found["rank_low"]).mean())


def _measured(
    spread: Spread | None,
    said: Floats,
    future: Planted,
    winner: str,
    ranks: tuple[float, float],
) -> Measured:
    low, high = (said, said) if spread is None else spread.bounds(future.matrix, said)
    ends = [log_odds_of(values) for values in (said, low, high, future.chance)]
    return Measured(ends[0], ends[1], ends[2], ends[3], winner, *ranks)


def _printed(name: str, found: Sequence[Measured], *, goal: str) -> Iterator[dict[str, Any]]:
    shares = [one.covered for one in found]
    widths = [float(np.median(one.high - one.low)) for one in found]
    misses = [float(np.sqrt(np.mean((one.truth - one.said) ** 2))) for one in found]
    winners = ", ".join(f"{w} {sum(o.winner == w for o in found)}" for w in _winners(found))
    for what, values, wanted in (
        ("coverage", shares, goal),
        ("median width, log-odds", widths, ""),
        ("distance of score and truth, log-odds", misses, ""),
        ("true ranks in their range", [one.ranks_covered for one in found], goal and _RANK_GOAL),
        ("width of a rank's range", [one.rank_width for one in found], ""),
    ):
        value, low, high = np.mean(values), min(values), max(values)
        met = _is_met(float(value), wanted)
        row = {
            "name": f"{name}: {what}",
            "value": float(value),
            "low": float(low),
            "high": float(high),
            "unit": _UNITS.get(what, "log-odds"),
            "goal": wanted,
            "met": met,
            "companies": len(found),
            "winners": winners,
        }
        print(
            f"{row['name']:70} {value:.3f} [{low:.3f}, {high:.3f}] {wanted} {met or ''}", flush=True
        )
        yield row


def _is_met(value: float, goal: str) -> bool | None:
    if not goal:
        return None
    return value >= 0.9 if goal == _RANK_GOAL else 0.87 <= value <= 0.93


def _winners(found: Sequence[Measured]) -> list[str]:
    return sorted({one.winner for one in found})


if __name__ == "__main__":
    main()
