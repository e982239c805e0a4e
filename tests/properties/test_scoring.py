"""Scoring one lead alone equals scoring the batch, bit for bit, whatever the model."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.criteria.settings import Criteria, Rule, Thresholds
from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import Contestant, TrainingRows
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.grades import cut_grades
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.model import CalibratedModel
from mqlml.scoring.score import Policy, score_points
from mqlml.scoring.settings import PersonaSettings
from mqlml.timeline import EVER, MICROS_PER_DAY

SIGNAL = Signal("visit", "true", "page views")
PLAN = Plan(
    (SIGNAL,),
    (
        Feature("count", SIGNAL, 30 * MICROS_PER_DAY),
        Feature("count", SIGNAL, EVER),
        Feature("days_since_last", SIGNAL, EVER),
    ),
    (
        AttributeFeature("company_size", "company_size", "size", "company size"),
        AttributeFeature("country", "country", "tidy", "country"),
    ),
)
POLICY = Policy(
    Criteria(
        version=1,
        icp_gate=(Rule(name="size", when="company_size >= 20"),),
        hand_raisers=(Rule(name="keen", when="visit__count__30d >= 12"),),
        thresholds=Thresholds(mql_probability=0.3),
    ),
    0.3,
    "1",
    personas=(PersonaSettings(name="german", when="country = 'de'"),),
)
CONTESTANTS: Mapping[str, Contestant] = {"logistic": Logistic(), "lightgbm": Boosting()}


def drawn(seed: int, rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    recent = rng.poisson(2.0, rows).astype(float)
    frame = {
        "visit__count__30d": recent,
        "visit__count__ever": recent + rng.poisson(3.0, rows),
        "visit__days_since_last__ever": np.where(recent > 0, rng.exponential(20.0, rows), np.nan),
        "company_size": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(4, 1.5, rows)),
        "country": pd.Series(rng.choice(["de", "fr", "us", None], rows), dtype="str"),
    }
    return pd.DataFrame(frame)[list(PLAN.columns)]


@cache
def bundle_of(name: str) -> Bundle:
    matrix = drawn(7, 600)
    signal = 0.4 * matrix["visit__count__30d"] + (matrix["company_size"] > 80) - 2.0
    labels = (np.random.default_rng(8).random(600) < 1 / (1 + np.exp(-signal))).to_numpy(float)
    rows = TrainingRows(matrix, labels, np.arange(600.0)[::-1].copy(), shape_of(PLAN), 0)
    setting = next(iter(CONTESTANTS[name].search(rows, matrix.iloc[:50])))
    fitted = CONTESTANTS[name].fit(rows, setting)
    model = CalibratedModel(fitted, Calibration(-0.1, 0.9), shape_of(PLAN))
    cuts = cut_grades(model.parts(matrix), labels)
    return Bundle(model, PLAN, {}, [], {"grade_cuts": cuts.to_json()}, name)


def scores_of(bundle: Bundle, matrix: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    points = pd.DataFrame({"lead_id": ids, "as_of": 0})
    previous = pd.DataFrame({"lead_id": ["lead 1", "lead 3"], "score": [12.3, 50.0]})
    return score_points(bundle, points, matrix, rows=matrix, policy=POLICY, previous=previous)


@pytest.mark.parametrize("name", CONTESTANTS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), rows=st.integers(1, 40))
def test_scoring_one_lead_alone_equals_scoring_the_batch(name: str, seed: int, rows: int) -> None:
    bundle, matrix = bundle_of(name), drawn(seed, rows)
    ids = [f"lead {number}" for number in range(rows)]
    batch = scores_of(bundle, matrix, ids)
    assert batch["probability"].is_monotonic_decreasing
    alone = int(seed % rows)
    single = scores_of(bundle, matrix.iloc[[alone]].reset_index(drop=True), [ids[alone]])
    same = batch[batch["lead_id"] == ids[alone]].reset_index(drop=True)
    pd.testing.assert_frame_equal(single, same, check_exact=True)


@pytest.mark.parametrize("name", CONTESTANTS)
def test_the_same_leads_in_another_order_get_the_same_scores(name: str) -> None:
    bundle, matrix = bundle_of(name), drawn(3, 30)
    ids = [f"lead {number}" for number in range(30)]
    order = np.random.default_rng(1).permutation(30)
    shuffled = scores_of(bundle, matrix.iloc[order].reset_index(drop=True), [ids[i] for i in order])
    pd.testing.assert_frame_equal(shuffled, scores_of(bundle, matrix, ids), check_exact=True)
