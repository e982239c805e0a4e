"""Companies at the level of the feature matrix whose truth is planted: every lead's true chance.

The truth is a sum of smooth, stepped and saturating effects of some columns, with mild
interactions within an axis; other columns repeat these with noise (as windows of one signal
do), and the rest mean nothing. Nothing hidden decides: a lead's chance follows from its features.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.calibration import probability_of
from mqlml.tables.contracts import Attribute, ColumnType
from mqlml.timeline import MICROS_PER_DAY

Floats = npt.NDArray[np.float64]

_INDUSTRIES = ("software", "steel", "food", "retail", "care", "trade")
_COUNTRIES = ("de", "at", "ch", "nl", "uk", "fr", "pl", "it")
_SIGNALS = ("pricing", "webinar", "download", "mail", "visit")
_NOISES = 6


@dataclass(frozen=True)
class Case:
    """A kind of company: leads, base rate, how strong the truth is, and whether it is linear."""

    leads: int
    base_rate: float
    strength: float = 1.0
    is_linear: bool = False

    @property
    def name(self) -> str:
        """Return the case in words."""
        shape = "linear" if self.is_linear else "stepped"
        return f"{self.leads:,} leads, {100 * self.base_rate:g} % convert, {shape} truth"


@dataclass(frozen=True)
class Planted:
    """A company's points (with labels), matrix, plan, every lead's true chance, and its parts.

    `parts` are the true log-odds by column, of the columns that decide.
    """

    points: pd.DataFrame
    matrix: pd.DataFrame
    plan: Plan
    chance: Floats
    parts: pd.DataFrame

    @property
    def split(self) -> Split:
        """Return the usual split: the last fifth is the test."""
        return make_split(self.points, TargetSettings(stage="outcome"), SplitSettings())


def plant(case: Case, *, seed: int, future: int = 0) -> tuple[Planted, Planted]:
    """Return a company to learn from, and later leads of the same truth without labels seen."""
    generator = np.random.default_rng(seed)
    weights = _weights(generator)
    matrix = _draw(case.leads + future, generator)
    parts = _parts(matrix, weights, case) * case.strength
    log_odds = parts.sum(axis=1).to_numpy()
    log_odds = log_odds + _level(log_odds, case.base_rate)
    chance = probability_of(log_odds)
    labels = (generator.random(len(chance)) < chance).astype(np.float64)
    plan = _plan(matrix)
    times = np.arange(len(chance), dtype=np.int64) * (MICROS_PER_DAY // 8)
    points = pd.DataFrame(
        {
            "lead_id": [f"lead-{i}" for i in range(len(chance))],
            "as_of": times,
            "cohort": times,
            "label": labels,
        }
    )
    matrix = matrix[list(plan.columns)]

    def cut(rows: slice) -> Planted:
        frames = (frame.iloc[rows].reset_index(drop=True) for frame in (points, matrix, parts))
        first, second, third = frames
        return Planted(first, second, plan, chance[rows], third)

    return cut(slice(0, case.leads)), cut(slice(case.leads, None))


def _weights(generator: np.random.Generator) -> dict[str, float]:
    """Return how strongly each deciding column counts; no two alike."""
    sizes = 1.1 * 0.78 ** np.arange(len(_DECIDING))
    order = generator.permutation(len(_DECIDING))
    signs = generator.choice([-1.0, 1.0], len(_DECIDING), p=[0.3, 0.7])
    return {name: float(sizes[order[i]] * signs[i]) for i, name in enumerate(_DECIDING)}


_DECIDING = ("industry", "country", "size", *_SIGNALS)


def _draw(rows: int, generator: np.random.Generator) -> pd.DataFrame:
    interest = generator.normal(size=rows)
    columns: dict[str, object] = {
        "industry": pd.Series(generator.choice(_INDUSTRIES, rows), dtype="str"),
        "country": pd.Series(generator.choice(_COUNTRIES, rows, p=_falling(8)), dtype="str"),
        "size": generator.lognormal(4.0, 1.3, rows).round(),
    }
    for place, name in enumerate(_SIGNALS):
        rate = np.exp(0.1 * place + 0.7 * interest - 0.4)
        month = generator.poisson(rate).astype(np.float64)
        columns[name] = month
        columns[f"{name}_week"] = generator.binomial(month.astype(int), 0.35).astype(np.float64)
    for i in range(_NOISES):
        columns[f"noise_{i}"] = generator.normal(size=rows)
    columns["noise_word"] = pd.Series(generator.choice(list("abcd"), rows), dtype="str")
    return pd.DataFrame(columns)


def _falling(count: int) -> Floats:
    weights = 0.7 ** np.arange(count)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _parts(matrix: pd.DataFrame, weights: dict[str, float], case: Case) -> pd.DataFrame:
    """Return the log-odds that each deciding column adds, each of unit spread times its weight."""
    raw = {
        "industry": matrix["industry"].map(
            dict(zip(_INDUSTRIES, (2, 1, 0, 0, -1, -1), strict=True))
        ),
        "country": matrix["country"].map(dict(zip(_COUNTRIES, range(8), strict=True))) % 3,
        "size": np.log(matrix["size"] + 1.0),
        **{name: np.log1p(matrix[name]) for name in _SIGNALS},
    }
    if not case.is_linear:
        raw["size"] = (matrix["size"].between(40, 400)).astype(float)
        raw["pricing"] = np.minimum(matrix["pricing"], 2.0)
        raw["webinar"] = (matrix["webinar"] >= 1).astype(float) * (1 + (matrix["mail"] >= 2))
    found = pd.DataFrame({name: np.asarray(values, float) for name, values in raw.items()})
    unit = (found - found.mean()) / found.std()
    return unit * pd.Series(weights)[list(unit.columns)]


def _level(log_odds: Floats, base_rate: float) -> float:
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        is_high = probability_of(log_odds + middle).mean() > base_rate
        low, high = (low, middle) if is_high else (middle, high)
    return low


def _plan(matrix: pd.DataFrame) -> Plan:
    types = {
        str(name): ColumnType.NUMBER
        if pd.api.types.is_numeric_dtype(values.dtype)
        else ColumnType.TEXT
        for name, values in matrix.items()
    }
    attributes = [Attribute(name, kind) for name, kind in types.items()]
    engagement = [name for name in types if name.split("_")[0] in _SIGNALS]
    return make_plan(PlanSettings(), attributes, event_columns=(), engagement_attributes=engagement)
