"""Small firms whose truth is known: leads scored by a champion, week after week."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_WEEK, NEVER

VISIT = Signal("visit", "true", "page views")
PLAN = Plan(
    (VISIT,),
    (Feature("count", VISIT, EVER),),
    (
        AttributeFeature("company_size", "company_size", "size", "company size"),
        AttributeFeature("region", "region", "category", "region"),
    ),
)
HORIZON = 6 * MICROS_PER_WEEK
MEAN_DELAY = 2 * MICROS_PER_WEEK


@dataclass(frozen=True)
class World:
    """What is true: the weeks, the leads a week, and what changes from `change` on.

    `size_effect` is the true effect of company size after the change (before it
    is what the champion believes, 1.0); `level` moves all log-odds.
    """

    weeks: int = 34
    leads: int = 150
    change: int | None = None
    size_effect: float = 1.0
    level: float = 0.0
    verdict_share: float = 0.0
    seed: int = 1


def _chance(log_odds: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-log_odds))


def history_of(world: World) -> ScoredHistory:
    rng = np.random.default_rng(world.seed)
    week = np.repeat(np.arange(world.weeks), world.leads)
    n = len(week)
    as_of = week * MICROS_PER_WEEK + rng.integers(0, MICROS_PER_WEEK, n)
    size, visits = rng.normal(size=n), rng.poisson(2.0, n).astype(float)
    fit, engagement = 1.0 * size, 0.4 * (visits - 2.0)
    believed = _chance(-2.0 + fit + engagement)
    is_after = week >= (world.weeks if world.change is None else world.change)
    true_fit = np.where(is_after, world.size_effect, 1.0) * size
    truth = _chance(-2.0 + true_fit + engagement + np.where(is_after, world.level, 0.0))
    delay = np.minimum(rng.exponential(MEAN_DELAY, n), HORIZON - 1).astype(np.int64)
    data_end = world.weeks * MICROS_PER_WEEK
    came = (rng.random(n) < truth) & (as_of + delay < data_end)
    given = rng.random(n) < world.verdict_share
    accepted = rng.random(n) < _chance(0.2 + true_fit)
    verdicts = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in range(n)],
            "given_at": pd.to_datetime(as_of + MICROS_PER_DAY, unit="us", utc=True),
            "verdict": np.where(accepted, "accepted", "rejected"),
            "reason": np.where(accepted, None, "no_need"),
            "who": "rep 1",
        }
    )[given]
    return ScoredHistory(
        scores=pd.DataFrame(
            {
                "lead_id": [f"lead {i}" for i in range(n)],
                "as_of": as_of,
                "probability": believed,
                "fit_part": fit,
                "engagement_part": engagement,
            }
        ),
        matrix=pd.DataFrame(
            {
                "visit__count__ever": visits,
                "company_size": np.exp(4.0 + size),
                "region": pd.Series(rng.choice(["north", "south"], n), dtype="str"),
            }
        )[list(PLAN.columns)],
        converted_at=np.where(came, as_of + delay, NEVER),
        verdicts=verdicts.reset_index(drop=True),
        horizon=HORIZON,
        data_end=data_end,
        learnt_until=8 * MICROS_PER_WEEK,
    )


def delays_days() -> list[float]:
    shares = np.linspace(0.0, 0.999, 51)
    delays = np.minimum(-np.log1p(-shares) * MEAN_DELAY, HORIZON - 1)
    return (delays / MICROS_PER_DAY).tolist()


@pytest.fixture
def simulate() -> Callable[..., ScoredHistory]:
    return lambda **facts: history_of(World(**facts))


@pytest.fixture
def reference() -> Reference:
    return Reference(PLAN, {"delays_days": delays_days()})
