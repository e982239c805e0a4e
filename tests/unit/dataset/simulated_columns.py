"""Simulated tables with nothing but honest columns, and leaks of every kind to plant in them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import Attribute, ColumnType

DAY = 86_400_000_000


@dataclass(frozen=True)
class Simulated:
    matrix: pd.DataFrame
    points: pd.DataFrame
    plan: Plan
    split: Split


def clean_columns(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (points, attributes): honest columns, some as strong as honest columns get."""
    rng = np.random.default_rng(seed)
    leads = int(rng.choice([800, 2_000, 6_000, 12_000]))
    drift = rng.choice([0.0, 1.5]) * np.linspace(-0.5, 0.5, leads)
    log_odds = rng.uniform(-3.2, 0.2) + drift
    columns: dict[str, np.ndarray] = {}
    for number, levels in enumerate(rng.choice([2, 4, 9, 30, 500], 3)):
        codes = np.minimum(rng.zipf(1.4, leads) - 1, levels - 1)
        log_odds = log_odds + rng.normal(0, rng.uniform(0, 0.8), levels)[codes]
        columns[f"category_{number}"] = np.array([f"v{c}" for c in codes], dtype=object)
    for number in range(2):  # heavy tails: visits, employees
        values = np.floor(rng.exponential(4, leads))
        log_odds = log_odds + rng.uniform(0, 0.12) * values
        columns[f"count_{number}"] = values
    label = (rng.random(leads) < expit(log_odds)).astype(float)
    for number, auc in enumerate((rng.uniform(0.5, 0.8), rng.choice([0.8, 0.75]), 0.5)):
        shift = np.sqrt(2) * ndtri(auc)
        columns[f"normal_{number}"] = label * shift + rng.normal(size=leads)
    is_good = rng.random(leads) < np.where(label == 1, 0.35, 0.05)
    columns["form"] = np.where(is_good, "demo", "contact").astype(object)
    gone = rng.random(leads) < np.where(label == 1, 0.2, 0.35)
    columns["normal_0"][gone] = np.nan
    rate = rng.uniform(0.05, 0.5)
    columns["category_0"][rng.random(leads) < rate] = None
    columns["calendar"] = np.floor(np.arange(leads) / 50)
    created = np.sort(rng.integers(0, 500 * DAY, leads))
    points = pd.DataFrame({
        "lead_id": [f"L{i:06d}" for i in rng.permutation(leads)],
        "as_of": created, "cohort": created, "label": label,
    })  # fmt: skip
    attributes = pd.DataFrame(columns)
    return (points, attributes) if seed % 3 else _weekly(points, attributes, rng)


def _weekly(
    points: pd.DataFrame, attributes: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return up to ten weekly points per lead; a converted lead converts after its last one."""
    repeats = rng.integers(1, 10, len(points))
    row = np.repeat(np.arange(len(points)), repeats)
    week = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    weekly = points.iloc[row].reset_index(drop=True)
    weekly["as_of"] += week * 7 * DAY
    weekly["label"] *= week >= repeats[row] - 4
    order = np.argsort(weekly["as_of"].to_numpy(), kind="stable")
    return (
        weekly.iloc[order].reset_index(drop=True),
        attributes.iloc[row[order]].reset_index(drop=True),
    )


def plants(points: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Return one column per kind of leak, made from what became of each lead in the end."""
    rng = np.random.default_rng(seed)
    converts = points.groupby("lead_id")["label"].transform("max").to_numpy()
    _, lead = np.unique(points["lead_id"], return_inverse=True)

    def chance() -> np.ndarray:
        return rng.random(lead.max() + 1)[lead]

    def noise() -> np.ndarray:
        return rng.normal(size=lead.max() + 1)[lead]

    yes = converts == 1
    early = points["cohort"].to_numpy() < np.quantile(points["cohort"], 0.4)
    other = np.where(chance() < 0.5, "web", "event").astype(object)
    return {
        "strong number": converts * 2.2 + noise(),
        "noisy copy": np.where(chance() < 0.06, 1 - converts, converts),
        "amount of the won": np.where(yes, np.exp(noise()), 0.0),
        "value for half of the won": np.where(yes & (chance() < 0.5), "signed", other),
        "value for a third of the won": np.where(yes & (chance() < 0.33), "onboarding", other),
        "filled for the won": np.where(chance() < np.where(yes, 0.95, 0.2), other, None),
        "filled for four in ten of the won": np.where(yes & (chance() < 0.4), other, None),
        "reason of the lost": np.where(~yes & (chance() < 0.6), other, None),
        "filled back for the won": np.where(yes & early & (chance() < 0.6), "partner", other),
        "state of the lost": np.where(~yes & (chance() < 0.7), "nurture", other),
    }  # fmt: skip


def simulated(points: pd.DataFrame, attributes: pd.DataFrame) -> Simulated:
    """Return a table as the audit takes it, with every column an attribute of unknown date."""
    specs = [
        Attribute(str(name), ColumnType.NUMBER if values.dtype.kind == "f" else ColumnType.TEXT)
        for name, values in attributes.items()
    ]
    plan = make_plan(PlanSettings(), specs, event_columns=())
    matrix = pd.DataFrame({a.column: attributes[a.source] for a in plan.attributes})
    matrix = matrix.astype(dict.fromkeys(plan.categories, "str"))
    split = make_split(points, TargetSettings(stage="outcome"), SplitSettings())
    return Simulated(matrix[list(plan.columns)], points, plan, split)
