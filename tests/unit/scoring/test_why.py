import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import make_company

from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import setting_of
from mqlml.modeling.contestants.points_rules import FittedPointsRules
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.model import CalibratedModel
from mqlml.modeling.settings import PointsRule
from mqlml.scoring.why import Views, counting_plan, events_entered, events_left, parts_of_moves

COLUMNS = (
    "webinar__count__30d",
    "webinar__days_since_last__ever",
    "visit__count__7d",
    "company_size",
    "country",
)
COUNTS = ("webinar__count__30d", "webinar__count__ever", "visit__count__7d", "visit__count__ever")


def matrix(*rows):
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[:4], "float64"))
    return frame.astype({"country": "str"})


def counts(*rows):
    return pd.DataFrame(rows, columns=list(COUNTS), dtype="float64")


@pytest.fixture
def views():
    """One lead: a webinar and a visit leave, two webinars come, the company grows."""
    return Views(
        before=matrix((2, 50, 1, 40, "germany")),
        waited=matrix((1, 70, 0, 40, "germany")),
        after=matrix((3, 1, 0, 60, "germany")),
        counts_before=counts((2, 4, 1, 9)),
        counts_waited=counts((1, 4, 0, 9)),
        counts_after=counts((3, 6, 0, 9)),
    )


def told(parts):
    return {
        (part["cause"], part["about"]): round(part["log_odds"], 9)
        for part in parts.to_dict("records")
    }


def by_rules(plan, *rules):
    made = tuple(PointsRule(when=when, points=points) for when, points in rules)
    fitted = FittedPointsRules(made, 0.1, (0.0,) * len(made), -2.0, shape_of(plan))
    return CalibratedModel(fitted, Calibration(), shape_of(plan))


def test_every_cause_gets_what_it_moved(bundle, plan, views):
    parts = parts_of_moves(bundle.model, bundle.model, plan, views, views.after)
    # 14 points, then 0 - 5, then 10 + 20; a point is a tenth of log-odds.
    assert told(parts) == {
        ("left", "signal webinar"): -1.0,
        ("time", "signal webinar"): -0.5,
        ("left", "signal visit"): -0.4,
        ("entered", "signal webinar"): 1.5,
        ("attribute", "attribute company_size"): 2.0,
    }


def test_events_are_counted_that_came_and_that_left(plan, views):
    webinars, _, visits = plan.features
    assert events_left(views, webinars).tolist() == [1]
    assert events_left(views, visits).tolist() == [1]
    assert events_entered(views, webinars).tolist() == [2]
    assert events_entered(views, visits).tolist() == [0]
    assert counting_plan(plan).columns == COUNTS


def test_a_column_falls_by_time_where_no_event_left(bundle, plan, views):
    views = Views(**{**vars(views), "counts_waited": counts((2, 4, 0, 9))})
    found = told(parts_of_moves(bundle.model, bundle.model, plan, views, views.after))
    assert found["time", "signal webinar"] == -1.5
    assert ("left", "signal webinar") not in found


def test_what_two_groups_do_only_together_is_shared_equally(plan, views):
    model = by_rules(plan, ("webinar__count__30d = 3 AND company_size >= 50", 10))
    parts = parts_of_moves(model, model, plan, views, views.after)
    assert told(parts) == {
        ("entered", "signal webinar"): 0.5,
        ("attribute", "attribute company_size"): 0.5,
    }


def test_a_new_model_and_a_new_calibration_are_parts_of_their_own(bundle, plan, views):
    # On the later day: 30 points at 0.2 are 4.0, calibrated to 0.5 + 2 × 4.0.
    later = CalibratedModel(
        FittedPointsRules(bundle.model.fitted.rules, 0.2, (0.0,) * 5, -2.0, shape_of(plan)),
        Calibration(0.5, 2.0),
        shape_of(plan),
    )
    found = told(parts_of_moves(bundle.model, later, plan, views, views.after))
    assert found["model", "model"] == 3.0
    assert found["calibration", "calibration"] == 4.5
    assert sum(found.values()) == pytest.approx(8.5 - (-0.6))


def test_nothing_changed_is_no_part(bundle, plan, views):
    still = Views(*[views.before] * 3, *[views.counts_before] * 3)
    assert parts_of_moves(bundle.model, bundle.model, plan, still, views.before).empty


def test_missing_values_that_stay_missing_are_no_change(bundle, plan, views):
    before = matrix((0, np.nan, 0, np.nan, None))
    still = Views(*[before] * 3, *[views.counts_before] * 3)
    assert parts_of_moves(bundle.model, bundle.model, plan, still, before.copy()).empty


def test_the_parts_of_a_thousand_leads_add_up_for_trees_that_interact():
    one, other = make_company(1000, seed=1), make_company(1000, seed=2)
    setting = setting_of(start=0, leaves=8, l2=5, half_life=0, trees=40)
    shape = shape_of(one.plan)
    models = [
        CalibratedModel(Boosting().fit(company.training_rows(), setting), calibration, shape)
        for company, calibration in ((one, Calibration(0.1, 0.9)), (other, Calibration(-0.2, 1.2)))
    ]
    draw = np.random.default_rng(3)
    waited = one.matrix.assign(minutes=one.matrix["minutes"] * draw.random(1000))
    waited["visits"] = np.maximum(waited["visits"] - draw.integers(0, 3, 1000), 0)
    no_counts = pd.DataFrame(index=range(1000))
    views = Views(one.matrix, waited, other.matrix, no_counts, no_counts, no_counts)
    parts = parts_of_moves(models[0], models[1], one.plan, views, other.matrix)
    sums = parts.groupby("row")["log_odds"].sum().reindex(range(1000), fill_value=0)
    change = models[1].log_odds(other.matrix) - models[0].log_odds(one.matrix)
    np.testing.assert_allclose(sums, change, rtol=0, atol=1e-9)
    assert np.abs(change).mean() > 0.1
    assert set(parts["cause"]) == {"time", "attribute", "model", "calibration"}
