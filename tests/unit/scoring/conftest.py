"""A small model whose every contribution can be worked out by hand."""

import pytest

from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.points_rules import FittedPointsRules
from mqlml.modeling.grades import AxisBands, GradeCuts
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.model import CalibratedModel
from mqlml.modeling.settings import PointsRule
from mqlml.timeline import EVER, MICROS_PER_DAY

WEBINAR = Signal("webinar", "type = 'webinar'", "webinars attended")
VISIT = Signal("visit", "type = 'page_view'", "page views")


@pytest.fixture
def plan() -> Plan:
    return Plan(
        signals=(WEBINAR, VISIT),
        features=(
            Feature("count", WEBINAR, 30 * MICROS_PER_DAY),
            Feature("days_since_last", WEBINAR, EVER),
            Feature("count", VISIT, 7 * MICROS_PER_DAY),
        ),
        attributes=(
            AttributeFeature("company_size", "company_size", "size", "company size"),
            AttributeFeature("country", "country", "tidy", "country"),
        ),
    )


@pytest.fixture
def bundle(plan: Plan) -> Bundle:
    rules = (
        PointsRule(when="webinar__count__30d >= 2", points=10),
        PointsRule(when="webinar__days_since_last__ever > 60", points=-5),
        PointsRule(when="visit__count__7d > 0", points=4),
        PointsRule(when="company_size >= 50", points=20),
        PointsRule(when="country = 'antarctica'", points=-30),
    )
    fitted = FittedPointsRules(rules, 0.1, (0.0,) * len(rules), -2.0, shape_of(plan))
    cuts = GradeCuts(AxisBands(("A", "B", "D"), (1.5, 0.0)), AxisBands(("1", "2", "4"), (1.0, 0.2)))
    return Bundle(
        model=CalibratedModel(fitted, Calibration(0.0, 1.0), shape_of(plan)),
        plan=plan,
        criteria={},
        personas=[],
        facts={"grade_cuts": cuts.to_json()},
        name="test",
    )
