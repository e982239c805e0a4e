import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.settings import Criteria
from mqlml.features.plan import make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.bundle import Bundle
from mqlml.scoring.hints import Case, Change, changed_matrix, hints_of
from mqlml.scoring.score import Policy
from mqlml.tables.contracts import EVENTS

VISITS, WEBINARS, SHARE = "visit__count__7d", "webinar__count__30d", "pace"
PLAN = make_plan(
    PlanSettings.model_validate(
        {
            "signals": {
                "visit": {"where": "type = 'visit'", "says": "visits"},
                "webinar": {"where": "type = 'webinar'", "says": "webinars"},
            },
            "features": [
                {"kinds": ["count"], "signals": ["visit"], "windows_days": [7]},
                {"kinds": ["count"], "signals": ["webinar"], "windows_days": [30]},
            ],
            "ratios": [{"of": VISITS, "to": WEBINARS, "name": SHARE}],
        }
    ),
    (),
    event_columns=EVENTS.columns,
)
CHANGES = [Change("visit", 1), Change("visit", 2), Change("webinar", 1), Change("webinar", -1)]
SUPPORTED = {VISITS: [0.0, 5.0], WEBINARS: [0.0, 2.0], SHARE: [0.0, 10.0]}


class Doubling:
    """A model: 10 % for everybody, twice as much for each visit, a tenth more for each webinar."""

    def probability(self, matrix):
        return np.minimum(0.1 * 2.0 ** matrix[VISITS] * 1.1 ** matrix[WEBINARS], 0.99).to_numpy()


def hints(visits, webinars, changes=CHANGES, supported=SUPPORTED, **criteria):
    facts = {"reference": {"columns": {n: {"supported": s} for n, s in supported.items()}}}
    bundle = Bundle(Doubling(), PLAN, {}, [], facts, "demo")
    policy = Policy(Criteria(version=1, **criteria), 0.4, "1")
    matrix = pd.DataFrame({VISITS: [visits], WEBINARS: [webinars], SHARE: [np.nan]}, dtype=float)
    moves = [(c.count * (c.signal == "visit"), c.count * (c.signal == "webinar")) for c in changes]
    events = pd.DataFrame(
        {VISITS: [visits + v for v, _ in moves], WEBINARS: [webinars + w for _, w in moves]},
        dtype=float,
    )
    return hints_of(
        bundle, policy, Case(matrix, matrix), changes, changed_matrix(PLAN, matrix, events)
    )


def test_the_smallest_change_that_leads_to_another_band_is_offered():
    # 10 % is cold, warm begins at 20 %, MQL at 40 %: a webinar more changes nothing.
    (hint,) = hints(0, 0)
    assert hint.sentence == "visits: one more would be warm (20.0 %)"
    assert (hint.signal, hint.count, hint.outcome) == ("visit", 1, "warm")
    assert hint.probability == pytest.approx(0.2)


def test_a_step_down_is_offered_where_an_event_carries_the_band():
    # Two visits and a webinar: 44 %. Without the webinar 40 % is still an MQL.
    assert hints(2, 1) == ()
    # One visit and no webinar is 20 %; without the visit it would be 10 %.
    (up, down) = hints(1, 0, changes=[Change("visit", -1), Change("visit", 1)])
    assert up.sentence == "visits: one more would be an MQL (40.0 %)"
    assert down.sentence == "visits: one fewer would be cold (10.0 %)"


def test_what_training_never_saw_is_not_offered():
    assert hints(0, 0, supported=SUPPORTED | {VISITS: [0.0, 0.0]}) == ()
    assert hints(0, 0, supported={}) == ()


def test_a_ratio_of_changed_columns_is_changed_too_and_must_be_supported():
    # Of one webinar and one visit the pace is 1, of two visits 2.
    wide, narrow = (hints(0, 1, supported=SUPPORTED | {SHARE: [0.0, p]}) for p in (1.0, 0.5))
    assert len(wide) == 1
    assert narrow == ()


def test_a_lead_outside_the_icp_is_told_nothing_that_would_not_help():
    gate = [{"name": "never", "when": f"{VISITS} > 100", "says": "very busy"}]
    assert hints(1, 0, icp_gate=gate) == ()


def test_hand_raisers_and_disqualified_leads_get_no_hint():
    rule = [{"name": "all", "when": f"{VISITS} >= 0"}]
    assert hints(0, 0, hand_raisers=rule) == ()
    assert hints(0, 0, disqualifiers=rule) == ()


def test_becoming_a_hand_raiser_is_no_hint():
    rule = [{"name": "asked", "when": f"{VISITS} >= 1"}]
    assert hints(0, 0, hand_raisers=rule) == ()
