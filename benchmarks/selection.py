"""What selection costs and what mends it: `make bench-selection`.

Sales works a fifth of each week's leads; the others convert a tenth as often. What buyers want
changes half-way. Every policy learns again every eight weeks from leads whose outcome is known,
by the package's own contestant, column of routes, chance and weights. Settings were chosen on
seeds below 100; what is reported comes from seeds of 700,000 on.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.results_file import write_rows
from mqlml.criteria.exploring import drawn_leads, explored_places
from mqlml.dataset.routes import EXPLORED, stand_in_weights
from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.contestant import TrainingRows, setting_of
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.routed import COLUMN, with_column
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.model import CalibratedModel, Model
from mqlml.modeling.routing import routed_model
from mqlml.modeling.stand_ins import if_handed, weighted_roc_auc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEADS, WEEKS, CHANGE, HORIZON, EVERY = 300, 120, 60, 12, 8
CAPACITY, EXPLORED_SHARE, UNWORKED = 60, 0.05, 0.1
FIRST_POLICY = 28  # before it sales works leads by a taste of its own
LATE = range(CHANGE + 40, CHANGE + 57)
STILL = range(FIRST_POLICY, CHANGE)
WINDOW = 40
N_FEATURES, N_MATTER = 20, 12
BASE = -2.6
FIRST_SEED = {"tune": 0, "report": 700_000}
_SETTING = setting_of(c=0.1, half_life=0.0)
_COLUMNS = tuple(f"x{i:02d}" for i in range(N_FEATURES))
_OWN = MatrixShape(_COLUMNS, (), ("fit",) * N_FEATURES)
_TOLD = MatrixShape((*_COLUMNS, COLUMN), (), (*_OWN.axes, "engagement"))
_RESAMPLED = 1_000


@dataclass(frozen=True)
class Firm:
    """Leads by week, what each would do if worked and if not, and sales' own early taste."""

    week: Ints
    x: Floats
    chance: Floats
    luck: Floats
    taste: Floats

    def outcomes(self, worked: npt.NDArray[np.bool_]) -> Floats:
        """Return 1 where a lead converts, given who was worked."""
        return (self.luck < np.where(worked, self.chance, UNWORKED * self.chance)).astype(float)


@dataclass(frozen=True)
class Policy:
    """How a model is taught, and which share of the places is explored."""

    name: str
    learns: str  # "routed", "worked leads only" or "blind"
    explored: float


POLICIES = (
    Policy("routed", "routed", EXPLORED_SHARE),
    Policy("worked leads only", "worked leads only", EXPLORED_SHARE),
    Policy("blind", "blind", EXPLORED_SHARE),
    Policy("routed, nothing explored", "routed", 0.0),
)


@dataclass(frozen=True)
class Played:
    """Routes of all leads under a policy, and what its model said of each before it was routed."""

    routes: npt.NDArray[np.object_]
    said: Floats


def draw_firm(seed: int) -> Firm:
    """Return the firm of a seed."""
    rng = np.random.default_rng([seed, 7])
    week = np.repeat(np.arange(WEEKS), LEADS)
    x = rng.standard_normal((len(week), N_FEATURES))
    matter = rng.permutation(N_FEATURES)
    size = rng.choice([-1, 1], N_FEATURES) * rng.uniform(0.25, 0.55, N_FEATURES)
    old, new = np.zeros(N_FEATURES), np.zeros(N_FEATURES)
    old[matter[:N_MATTER]] = size[:N_MATTER]
    # A quarter of what counted still counts; the rest are other columns, or the other way round.
    new[matter[:3]] = size[:3]
    new[matter[N_MATTER:]] = size[N_MATTER:]
    new[matter[3:4]] = -size[3]
    lean = np.where(week < CHANGE, x @ old, x @ new)
    taste = x[:, matter[0]] * np.sign(size[0]) + x[:, matter[-1]] + rng.standard_normal(len(week))
    return Firm(week, x, 1 / (1 + np.exp(-(BASE + lean))), rng.random(len(week)), taste)


def learnt(firm: Firm, routes: npt.NDArray[np.object_], rows: Ints, learns: str) -> Model:
    """Return the package's logistic model of these rows, taught in the policy's way."""
    worked = routes != ""
    labels = firm.outcomes(worked)
    if learns == "worked leads only":
        rows = rows[worked[rows]]
    matrix = pd.DataFrame(firm.x[rows], columns=list(_COLUMNS))
    shape = _OWN
    if learns == "routed":
        matrix, shape = with_column(matrix, worked[rows].astype(np.float64)), _TOLD
    training = TrainingRows(matrix, labels[rows], np.zeros(len(rows)), shape, 0)
    model = CalibratedModel(Logistic().fit(training, _SETTING), Calibration(0.0, 1.0), shape)
    return routed_model(model) if learns == "routed" else model


def play(firm: Firm, policy: Policy) -> Played:
    """Return what happens when sales works the leads that the policy's model ranks highest."""
    routes = np.full(len(firm.week), "", dtype=object)
    said = firm.taste.copy()
    ids = [str(i) for i in range(len(firm.week))]
    model: Model | None = None
    for week in range(WEEKS):
        rows = np.arange(week * LEADS, (week + 1) * LEADS)
        if week >= FIRST_POLICY and (week - FIRST_POLICY) % EVERY == 0:
            model = learnt(firm, routes, _known(week), policy.learns)
        if model is not None:
            said[rows] = model.log_odds(pd.DataFrame(firm.x[rows], columns=list(_COLUMNS)))
        explored = explored_places(CAPACITY, policy.explored, start=week)
        ranked = rows[np.argsort(-said[rows], kind="stable")]
        best = ranked[: CAPACITY - explored]
        others = np.sort(ranked[CAPACITY - explored :])
        routes[best] = "scored"
        routes[drawn_leads([ids[i] for i in others], others, explored, start=week)] = EXPLORED
    return Played(routes, said)


def _known(week: int) -> Ints:
    """Return leads whose outcome is known; once 16 weeks of the new world are, only of it."""
    last = week - HORIZON
    first = max(0, last - WINDOW)
    if last >= CHANGE + 4:
        first = max(first, CHANGE)
    return np.arange(first * LEADS, last * LEADS)


def worked_conversions(firm: Firm, played: Played, weeks: range) -> float:
    """Return how many worked leads of these weeks convert on average: luck left out."""
    chosen = np.isin(firm.week, weeks) & (played.routes != "")
    return float(firm.chance[chosen].sum())


def ideal_conversions(firm: Firm, weeks: range) -> float:
    """Return how many would convert if sales worked those whose true chance is highest."""
    by_week = firm.chance.reshape(WEEKS, LEADS)[list(weeks)]
    return float(np.sort(by_week, axis=1)[:, -CAPACITY:].sum())


def figures_of(seed: int) -> dict[str, float]:
    """Return the figures of one firm by name."""
    firm = draw_firm(seed)
    played = {policy.name: play(firm, policy) for policy in POLICIES}
    found = {
        f"late efficiency: {name}": worked_conversions(firm, one, LATE)
        / ideal_conversions(firm, LATE)
        for name, one in played.items()
    }
    routed, greedy = played["routed"], played["routed, nothing explored"]
    spared = worked_conversions(firm, greedy, STILL)
    found["exploration's cost"] = 1 - worked_conversions(firm, routed, STILL) / spared
    return found | _evaluated(firm, routed)


def _evaluated(firm: Firm, played: Played) -> dict[str, float]:
    """Return by how much ROC-AUC and rate of all leads, were they worked, are misjudged."""
    rows = np.flatnonzero(np.isin(firm.week, STILL))
    routes, said = played.routes[rows], 1 / (1 + np.exp(-played.said[rows]))
    worked = routes != ""
    labels, would = firm.outcomes(played.routes != "")[rows], firm.outcomes(np.full(1, True))[rows]
    ones = np.ones(len(rows))
    truth = weighted_roc_auc(would, said, ones)
    judged = if_handed(labels, said, stand_in_weights(routes))
    if judged is None:
        return {}
    return {
        "ROC-AUC error: weighted": judged.roc_auc - truth,
        "ROC-AUC error: worked leads alone": weighted_roc_auc(
            labels[worked], said[worked], ones[worked]
        )
        - truth,
        "ROC-AUC error: all leads as routed": weighted_roc_auc(labels, said, ones) - truth,
        "rate error: weighted": judged.rate - would.mean(),
        "rate error: worked leads alone": labels[worked].mean() - would.mean(),
    }


def table_rows(seen: Sequence[dict[str, float]]) -> Iterator[dict[str, Any]]:
    """Yield the rows: name, mean, low, high (95 % by resampling firms), n, goal, met."""
    goals: dict[str, tuple[str, Callable[[float], bool]]] = {
        "late efficiency: routed": ("≥ 0.93", lambda v: v >= 0.93),
        "ROC-AUC error: weighted": ("±0.01", lambda v: abs(v) <= 0.01),
        "rate error: weighted": ("±0.01", lambda v: abs(v) <= 0.01),
        "exploration's cost": ("≤ 0.02", lambda v: v <= 0.02),
    }
    rng = np.random.default_rng(1)
    for name in seen[0]:
        values = np.array([one[name] for one in seen if name in one])
        drawn = values[rng.integers(0, len(values), (_RESAMPLED, len(values)))].mean(axis=1)
        goal, is_met = goals.get(name, ("", lambda _: True))
        yield {
            "name": name,
            "value": float(values.mean()),
            "low": float(np.quantile(drawn, 0.025)),
            "high": float(np.quantile(drawn, 0.975)),
            "n": len(values),
            "unit": "",
            "goal": goal,
            "met": bool(is_met(float(values.mean()))) if goal else None,
        }


def main() -> None:
    """Play the firms, print the table and write results/selection.json."""
    # Before the limit, which binds only the libraries that are loaded by then.
    import sklearn.linear_model  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=150)
    parser.add_argument("--seeds", choices=FIRST_SEED, default="report")
    given = parser.parse_args()
    first = FIRST_SEED[given.seeds]
    # One thread for linear algebra: the matrices are small.
    with threadpool_limits(limits=1, user_api="blas"):
        seen = [figures_of(seed) for seed in range(first, first + given.firms)]
    command = f"python -m benchmarks.selection --firms {given.firms}"
    rows = [row | {"command": command} for row in table_rows(seen)]
    for row in rows:
        met = {True: "met", False: "not met", None: ""}[row["met"]]
        print(
            f"{row['name']:42} {row['value']:7.4f} [{row['low']:.4f}, {row['high']:.4f}] "
            f"n={row['n']} {row['goal']} {met}"
        )
    if given.seeds == "report":
        print(write_rows("selection", rows))


if __name__ == "__main__":
    main()
