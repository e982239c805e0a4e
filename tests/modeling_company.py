"""A small made-up table with a known truth, for tests of modelling."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.contestants.contestant import TrainingRows
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.settings import ModelSettings, PointsRule
from mqlml.modeling.tournament import TournamentResult, run_tournament
from mqlml.tables.contracts import Attribute, ColumnType
from mqlml.timeline import MICROS_PER_DAY

TARGET = TargetSettings(stage="outcome")
RULES = (
    PointsRule(when="visits >= 3", points=10),
    PointsRule(when="industry = 'software'", points=20),
    PointsRule(when="budget > 1", points=-5),
)


@dataclass(frozen=True)
class Company:
    """Points, matrix and plan, as a built dataset has them."""

    points: pd.DataFrame
    matrix: pd.DataFrame
    plan: Plan

    def training_rows(self, seed: int = 0) -> TrainingRows:
        """Return all rows to learn from, of equal age."""
        labels = self.points["label"].to_numpy(float)
        return TrainingRows(self.matrix, labels, np.zeros(len(labels)), shape_of(self.plan), seed)


def company_plan() -> Plan:
    """Return a plan with both axes, numbers, categories and a column without information."""
    attributes = (
        Attribute("visits", ColumnType.NUMBER),
        Attribute("minutes", ColumnType.NUMBER),
        Attribute("budget", ColumnType.NUMBER),
        Attribute("constant", ColumnType.NUMBER),
        Attribute("industry", ColumnType.TEXT),
        Attribute("channel", ColumnType.TEXT),
    )
    engagement = ("visits", "minutes", "channel")
    return make_plan(PlanSettings(), attributes, event_columns=(), engagement_attributes=engagement)


def make_company(
    leads: int = 900, *, strength: float = 1.0, seed: int = 1, base: float = -1.0
) -> Company:
    """Return leads of one point each, a day apart; `strength` 0 means labels by chance."""
    random = np.random.default_rng(seed)
    matrix = pd.DataFrame(
        {
            "visits": random.poisson(2.0, leads).astype(float),
            "minutes": random.lognormal(1.0, 1.0, leads),
            "budget": np.where(random.random(leads) < 0.3, np.nan, random.normal(size=leads)),
            "constant": 1.0,
            "industry": pd.Series(random.choice(["software", "steel", "food"], leads), dtype="str"),
            "channel": pd.Series(random.choice(["ad", "fair", "mail", None], leads), dtype="str"),
        }
    )
    log_odds = base + strength * (
        0.8 * (matrix["visits"] - 2)
        + 1.2 * (matrix["industry"] == "software")
        - 0.8 * (matrix["channel"] == "ad")
        + 0.5 * matrix["budget"].fillna(-1)
    )
    labels = (random.random(leads) < 1 / (1 + np.exp(-log_odds))).astype(float)
    times = np.arange(leads, dtype=np.int64) * MICROS_PER_DAY
    points = pd.DataFrame(
        {
            "lead_id": [f"lead-{i}" for i in range(leads)],
            "as_of": times,
            "cohort": times,
            "label": labels,
        }
    )
    plan = company_plan()
    return Company(points, matrix[list(plan.columns)], plan)


def split_company(company: Company) -> Split:
    """Return the usual split: the last fifth is the test."""
    return make_split(company.points, TARGET, SplitSettings())


@cache
def tournament(*contestants: str) -> tuple[Company, Split, TournamentResult]:
    """Return the company, its split, and the tournament of the named contestants."""
    company = make_company()
    split = split_company(company)
    settings = ModelSettings(contestants=contestants, points_rules=RULES)
    return company, split, run_tournament(company, split, settings, seed=3)
