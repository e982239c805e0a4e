"""Firms whose reps judge leads by a known rule: verdicts with planted disagreement.

Each firm has signals seen through several windows (columns that say nearly the same),
sizes and shares of every lead, and categories. The model's score is the truth of
conversion, learnt with some error; only leads with good scores are handed over, and a
few explored ones. A rep's log-odds of accepting follow the score, a curve of it, how
strict the rep is, and, where something is planted, a signal beside all this.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import probability_of
from mqlml.review.verdicts import Judged

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_SIGNALS = 10
_WINDOWS = (7, 30, 90)
_NUMBERS = 14
_PLANTED = 3


@dataclass(frozen=True)
class Firm:
    """How many verdicts and reps, what is planted, and how the reps are mixed with sources.

    `effect` is in log-odds of acceptance, for a signal's presence or a standard
    deviation of a number; three subjects have it, some liked and some disliked.
    `strictness` spreads the reps, `taste` lets them differ on what is planted, and
    with `is_mixed` each rep gets most of its leads from one source.
    """

    verdicts: int
    effect: float = 0.0
    reps: int = 6
    strictness: float = 0.5
    taste: float = 0.0
    is_mixed: bool = False
    more_columns: int = 0


@dataclass(frozen=True)
class World:
    """Verdicts, the model's importance, the subject of each column, and the planted ones."""

    judged: Judged
    importance: pd.DataFrame
    subject: dict[str, str]
    planted: dict[str, float]

    @property
    def matrix_columns(self) -> list[str]:
        """Return the names of the features."""
        return list(self.judged.matrix.columns)


def world_of(firm: Firm, rng: np.random.Generator) -> World:
    """Return a firm's verdicts; equal generators give equal worlds."""
    leads = 3 * firm.verdicts
    levels = _levels(leads, rng)
    liked = _subjects(levels, rng)
    weights = pd.Series(rng.normal(0, 0.45, liked.shape[1]), index=liked.columns)
    learnt = weights + rng.normal(0, 0.08, len(weights))
    score = (liked @ learnt).to_numpy() - 1.0
    is_explored = rng.random(leads) < 0.05
    kept = np.sort(np.argsort(-(score + 10.0 * is_explored), kind="stable")[: firm.verdicts])
    liked, score = liked.iloc[kept].reset_index(drop=True), score[kept]
    levels = levels.iloc[kept].reset_index(drop=True)
    matrix, subject = _columns(liked, levels, firm.more_columns, rng)
    planted = _planted(firm, list(liked.columns), rng)
    who = _reps(firm, levels["category_0"].to_numpy(), rng)
    accepted = rng.random(len(score)) < probability_of(_view(firm, score, liked, planted, who, rng))
    rows = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in kept],
            "accepted": accepted.astype(np.float64),
            "reason": np.where(accepted, None, "no_need"),
            "who": [f"rep {i}" for i in who],
            "probability": probability_of(score),
            "grade": "A1",
        }
    )
    judged = Judged(rows, matrix, pd.DataFrame(columns=["verdict", "reason"]), 0)
    return World(judged, _importance(subject, liked, learnt), subject, planted)


def _levels(leads: int, rng: np.random.Generator) -> pd.DataFrame:
    chances = (0.35, 0.25, 0.2, 0.12, 0.08)
    drawn = {f"category_{i}": rng.choice(len(chances), leads, p=chances) for i in range(4)}
    return pd.DataFrame(drawn)


def _subjects(levels: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what there is to like: presence of signals, numbers, a level of each category."""
    common = rng.normal(size=(len(levels), 3))
    found: dict[str, Floats] = {}
    for number in range(_SIGNALS):
        tied = 0.5 * common[:, number % 3] + rng.normal(0, 0.87, len(levels))
        found[f"signal_{number}"] = (tied > rng.uniform(0.0, 0.8)).astype(np.float64)
    for number in range(_NUMBERS):
        found[f"number_{number}"] = 0.5 * common[:, number % 3] + rng.normal(0, 0.87, len(levels))
    return pd.DataFrame(found).assign(**(levels == 1).astype(np.float64))


def _columns(
    liked: pd.DataFrame, levels: pd.DataFrame, more: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the features as a model sees them, and what each column is about.

    A signal is counted over three windows: whoever has it has it in the longest.
    """
    columns: dict[str, npt.NDArray[np.generic]] = {}
    subject: dict[str, str] = {}
    for name in liked.columns:
        values = liked[name].to_numpy()
        if name.startswith("signal"):
            count = values * (1 + rng.poisson(0.6, len(values)))
            for window, share in zip(_WINDOWS, (0.4, 0.8, 1.0), strict=True):
                columns[f"{name}__count__{window}d"] = rng.binomial(
                    count.astype(np.int64), share
                ).astype(np.float64)
            subject |= {f"{name}__count__{w}d": name for w in _WINDOWS}
        else:
            columns[name] = values if name.startswith("number") else levels[name].to_numpy()
            subject[name] = name
    matrix = pd.DataFrame(columns)
    for name in levels.columns:
        matrix[name] = pd.Series([f"level {i}" for i in matrix[name]], dtype="str")
    noise = rng.normal(size=(len(matrix), more))
    extra = pd.DataFrame(noise, columns=[f"more_{i}" for i in range(more)])
    return pd.concat([matrix, extra], axis=1), subject | {name: name for name in extra}


def _planted(firm: Firm, names: list[str], rng: np.random.Generator) -> dict[str, float]:
    if firm.effect == 0:
        return {}
    chosen = rng.choice(names, _PLANTED, replace=False)
    return {str(name): firm.effect * rng.choice((-1.0, 1.0)) for name in chosen}


def _reps(firm: Firm, source: npt.NDArray[np.int64], rng: np.random.Generator) -> Ints:
    """Return who judged each lead: by chance, or mostly the rep of the lead's source."""
    drawn = rng.integers(0, firm.reps, len(source))
    is_own = (rng.random(len(source)) < 0.7) & firm.is_mixed
    return np.where(is_own, source % firm.reps, drawn)


def _view(
    firm: Firm,
    score: Floats,
    liked: pd.DataFrame,
    planted: dict[str, float],
    who: Ints,
    rng: np.random.Generator,
) -> Floats:
    """Return the log-odds with which each rep accepts: strictness, a curve of the score, taste."""
    centred = score - score.mean()
    view = 0.2 + 0.7 * centred - 0.1 * np.maximum(centred, 0) ** 2
    view = view + rng.normal(0, firm.strictness, firm.reps)[who]
    for name, effect in planted.items():
        taste = effect + rng.normal(0, firm.taste, firm.reps)
        view = view + taste[who] * liked[name].to_numpy()
    return np.asarray(view, dtype=np.float64)


def _importance(subject: dict[str, str], liked: pd.DataFrame, learnt: pd.Series) -> pd.DataFrame:
    """Return each column's share of the model as importance tables have it."""
    size = learnt.abs() * liked.std()
    shares = pd.Series(list(subject.values())).value_counts()
    return pd.DataFrame(
        {
            "column": list(subject),
            "sentence": list(subject),
            "importance": [float(size.get(s, 0.01)) / shares[s] for s in subject.values()],
            "direction": [int(np.sign(learnt.get(s, 0.0))) for s in subject.values()],
        }
    )
