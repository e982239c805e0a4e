"""Simulated tables for the audit with nothing but honest columns, of many shapes."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from mqlml import timeline
from mqlml.dataset.evidence.origin import Origin
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import Attribute, ColumnType, Known

DAY = timeline.MICROS_PER_DAY
SPAN_DAYS = 500
SHAPES = ("plain", "wide", "many categories", "rare", "weekly", "dated", "open", "season")
_HISTORY = pd.DataFrame(columns=["lead_id", "name", "known_at", "created_at"])


@dataclass(frozen=True)
class Table:
    """One simulated table: points, undated and dated columns, and the dates of the latter.

    `latent` holds per lead how likely it was (log odds) before anything was drawn.
    `history` is as `Origin.history` wants it.
    """

    shape: str
    points: pd.DataFrame
    columns: pd.DataFrame
    history: pd.DataFrame = field(default_factory=_HISTORY.copy)
    dated: frozenset[str] = frozenset()

    @property
    def outcome(self) -> np.ndarray:
        """Return per row whether its lead converts in the end, known already or not."""
        return self.points["truth"].to_numpy() == 1

    def with_columns(self, **columns: np.ndarray) -> "Table":
        """Return the table with more undated columns."""
        return replace(self, columns=self.columns.assign(**columns))


@dataclass(frozen=True)
class Audited:
    """What the audit takes."""

    matrix: pd.DataFrame
    points: pd.DataFrame
    plan: Plan
    split: Split
    origin: Origin


def clean_table(seed: int) -> Table:
    """Return a table of honest columns, the shape going round with the seed."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    leads = int(rng.choice([800, 2_000, 6_000, 12_000]))
    if shape == "rare":
        leads = int(rng.choice([6_000, 12_000, 20_000]))
    drift = rng.choice([0.0, 1.5]) * np.linspace(-0.5, 0.5, leads)
    log_odds = (rng.uniform(-4.2, -3.4) if shape == "rare" else rng.uniform(-3.0, 0.2)) + drift
    if shape == "season":
        log_odds = log_odds + 0.8 * np.sin(np.linspace(0, 9, leads))
    columns: dict[str, np.ndarray] = {}
    log_odds = _add_categories(columns, log_odds, shape, rng)
    log_odds = _add_counts(columns, log_odds, rng)
    label = (rng.random(leads) < expit(log_odds)).astype(float)
    _add_strong(columns, label, shape, rng)
    _add_harmless(columns, label, rng)
    created = np.sort(rng.integers(0, SPAN_DAYS * DAY, leads))
    points = pd.DataFrame({
        "lead_id": [f"L{i:06d}" for i in rng.permutation(leads)],
        "as_of": created, "cohort": created, "label": label, "truth": label,
        "converted_at": np.where(label == 1, created + _delays(leads, rng), timeline.NEVER),
    })  # fmt: skip
    columns["wished start"] = _plans(created, rng)
    table = Table(shape, points, pd.DataFrame(columns))
    if shape == "weekly":
        table = _weekly(table, rng)
    if shape == "dated":
        table = _dated(table, rng)
    return _open(table, rng) if shape in {"open", "dated"} else table


def _add_categories(
    columns: dict[str, np.ndarray], log_odds: np.ndarray, shape: str, rng: np.random.Generator
) -> np.ndarray:
    """Add categories whose levels differ honestly; return the log odds with them."""
    sizes = [2_000, 5_000, 500] if shape == "many categories" else [2, 4, 9, 30, 500]
    for number, levels in enumerate(rng.choice(sizes, 3)):
        codes = np.minimum(rng.zipf(1.4, len(log_odds)) - 1, levels - 1)
        log_odds = log_odds + rng.normal(0, rng.uniform(0, 0.8), levels)[codes]
        columns[f"category {number}"] = _texts([f"v{c}" for c in codes])
    columns["category 0"][rng.random(len(log_odds)) < rng.uniform(0.05, 0.5)] = None
    return log_odds


def _add_counts(
    columns: dict[str, np.ndarray], log_odds: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Add heavy-tailed numbers (visits, employees) that matter; return the log odds with them."""
    for number in range(2):
        values = np.floor(rng.exponential(4, len(log_odds)))
        log_odds = log_odds + rng.uniform(0, 0.12) * values
        columns[f"count {number}"] = values
    return log_odds


def _add_strong(
    columns: dict[str, np.ndarray], label: np.ndarray, shape: str, rng: np.random.Generator
) -> None:
    """Add columns as strong as honest ones get (a ROC-AUC of .78 alone), of several forms."""
    leads = len(label)
    normal = label * np.sqrt(2) * ndtri(rng.uniform(0.5, 0.78)) + rng.normal(size=leads)
    normal[rng.random(leads) < np.where(label == 1, 0.2, 0.35)] = np.nan
    columns["normal"] = normal
    strongest = label * np.sqrt(2) * ndtri(rng.uniform(0.7, 0.78)) + rng.normal(size=leads)
    # Heavy tails, a scale in steps, and many zeros: what minutes, ratings and amounts look like.
    forms = (strongest, np.exp(strongest), np.round(strongest), np.maximum(strongest - 0.5, 0))
    columns["strong"] = forms[int(rng.integers(4))]
    is_good = rng.random(leads) < np.where(label == 1, rng.uniform(0.1, 0.35), 0.05)
    columns["form"] = _texts(np.where(is_good, "demo", "contact"))
    for number in range(50 if shape == "wide" else 2):
        auc = rng.uniform(0.48, 0.6)
        columns[f"weak {number}"] = label * np.sqrt(2) * ndtri(auc) + rng.normal(size=leads)


def _add_harmless(
    columns: dict[str, np.ndarray], label: np.ndarray, rng: np.random.Generator
) -> None:
    """Add what is odd but honest: ids, the calendar, a mildly telling fill rate, losers' groups."""
    leads = len(label)
    columns["session"] = _texts([f"s{i}" for i in rng.permutation(leads)])
    columns["calendar"] = np.floor(np.arange(leads) / 50)
    is_filled = rng.random(leads) < np.where(label == 1, 0.7, 0.55)
    columns["phone area"] = np.where(is_filled, rng.integers(1, 60, leads), np.nan).astype(float)
    # A country not served, a wrong address: honest reasons never to buy, for a few.
    never = (label == 0) & (rng.random(leads) < 0.08)
    columns["address"] = _texts(np.where(never, "bad", "good"))
    columns["last touch"] = _texts(rng.choice(["mail", "phone", "fair"], leads))


def _plans(created: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return dates that some leads wish for, some months ahead."""
    ahead = created + (rng.gamma(3, 25, len(created)) * DAY).astype(np.int64)
    texts = pd.to_datetime(ahead, unit="us").strftime("%Y-%m-%d").to_numpy(dtype=object)
    texts[rng.random(len(created)) < 0.4] = None
    return texts


def _delays(leads: int, rng: np.random.Generator) -> np.ndarray:
    return (rng.gamma(2, 20, leads) * DAY).astype(np.int64) + DAY // 3


def _weekly(table: Table, rng: np.random.Generator) -> Table:
    """Return up to ten weekly points per lead; a converted lead converts after its last one."""
    points = table.points
    repeats = rng.integers(1, 10, len(points))
    row = np.repeat(np.arange(len(points)), repeats)
    week = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    weekly = points.iloc[row].reset_index(drop=True)
    weekly["as_of"] += week * 7 * DAY
    weekly["label"] *= week >= repeats[row] - 4
    end = weekly["cohort"].to_numpy() + repeats[row] * 7 * DAY
    weekly["converted_at"] = np.where(weekly["truth"] == 1, end, timeline.NEVER)
    order = np.argsort(weekly["as_of"].to_numpy(), kind="stable")
    return replace(
        table,
        points=weekly.iloc[order].reset_index(drop=True),
        columns=table.columns.iloc[row[order]].reset_index(drop=True),
    )


def _dated(table: Table, rng: np.random.Generator) -> Table:
    """Return the table with two attributes that change now and then, whatever the outcome."""
    points = table.points
    parts, columns = [], table.columns
    for name in ("job title rank", "team size"):
        columns = columns.assign(**{name: rng.poisson(4, len(points)).astype(float)})
        for _ in range(3):
            at = points["cohort"].to_numpy() + (rng.exponential(60, len(points)) * DAY).astype(int)
            parts.append(history_rows(points, name, at, rng.random(len(points)) < 0.6))
    dated = frozenset({"job title rank", "team size"})
    return replace(table, columns=columns, history=pd.concat(parts), dated=dated)


def history_rows(
    points: pd.DataFrame, name: str, known_at: np.ndarray, chosen: np.ndarray
) -> pd.DataFrame:
    """Return rows of `Origin.history` for the chosen points."""
    rows = pd.DataFrame({
        "lead_id": points["lead_id"].to_numpy(), "name": name,
        "known_at": known_at, "created_at": points["cohort"].to_numpy(),
    })  # fmt: skip
    return rows[chosen].reset_index(drop=True)


def _open(table: Table, rng: np.random.Generator) -> Table:
    """Return the table with every sixth lead still open, and a column a little emptier for them."""
    is_open = rng.random(len(table.points)) < 1 / 6
    points = table.points.assign(label=table.points["label"].where(~is_open))
    columns = table.columns.copy()
    columns.loc[is_open & (rng.random(len(points)) < 0.15), "form"] = None
    return replace(table, points=points, columns=columns)


def _texts(values: object) -> np.ndarray:
    return np.array(values, dtype=object)


def prepared(table: Table) -> Audited:
    """Return the table as the audit takes it, with a plan of all its columns."""
    specs = [
        Attribute(
            str(name),
            ColumnType.NUMBER if values.dtype.kind == "f" else ColumnType.TEXT,
            Known.DATED if name in table.dated else Known.CREATION,
        )
        for name, values in table.columns.items()
    ]
    plan = make_plan(PlanSettings(), specs, event_columns=())
    matrix = pd.DataFrame({a.column: table.columns[a.source] for a in plan.attributes})
    matrix = matrix.astype(dict.fromkeys(plan.categories, "str"))
    points = table.points.drop(columns="truth")
    split = make_split(points, TargetSettings(stage="outcome"), SplitSettings())
    origin = Origin({spec.name: spec.known for spec in specs}, table.history)
    return Audited(matrix[list(plan.columns)], points, plan, split, origin)
