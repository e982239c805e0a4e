import numpy as np
from tests.unit.monitoring.test_watch import Simulate, until

from mqlml.monitoring.early import YOUNG, estimated_quality
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.monitoring.kept_estimates import checked_estimates
from mqlml.monitoring.residuals import Residuals, conversion_residuals, delay_of
from mqlml.timeline import MICROS_PER_WEEK

RATIO = f"conversions as a share of those expected, {YOUNG}"


def news(history: ScoredHistory, reference: Reference) -> Residuals:
    return conversion_residuals(history, delay_of(history, reference.facts))


def estimate(week: int, low: float, high: float, measure: str = RATIO) -> dict[str, object]:
    at = week * MICROS_PER_WEEK
    return {"as_of": at, "measure": measure, "value": 1.0, "low": low, "high": high}


def test_an_estimate_is_checked_once_all_its_leads_have_had_their_horizon(
    simulate: Simulate, reference: Reference
) -> None:
    # 34 weeks are known and a horizon is 6: looks up to week 28 can be checked.
    history = simulate()
    asked = [estimate(29, 0, 9), estimate(28, 0, 9), estimate(20, 8, 9)]
    found = checked_estimates(history, news(history, reference), asked)
    assert (found["as_of"] // MICROS_PER_WEEK).tolist() == [20, 28, 29]
    assert found["held"].tolist() == [False, True, None]
    assert np.isfinite(found["came"]).tolist() == [True, True, False]


def test_what_came_counts_the_leads_that_were_young_then_and_no_others(
    simulate: Simulate, reference: Reference
) -> None:
    # Every second conversion of leads that came from week 22 on is taken away.
    history = simulate(change=22, level=-0.9)
    asked = [estimate(20, 0, 9), estimate(28, 0, 9)]
    before, after = checked_estimates(history, news(history, reference), asked)["came"]
    assert before > 0.85
    assert after < 0.7
    # In the week of the look nobody had come of the leads scored later.
    cut = until(history, 20)
    same = checked_estimates(cut, news(cut, reference), asked[:1])
    assert np.isnan(same["came"]).all()


def test_real_estimates_of_a_still_world_hold_what_came(
    simulate: Simulate, reference: Reference
) -> None:
    history = simulate()
    asked = []
    for week in (16, 20, 24, 28):
        cut = until(history, week)
        rows = estimated_quality(cut, news(cut, reference)).to_dict("records")
        asked += [{**row, "as_of": week * MICROS_PER_WEEK} for row in rows]
    found = checked_estimates(history, news(history, reference), asked)
    # Of each look the two measures of young leads; those of mature leads are known already.
    assert len(found) == 8
    assert found["held"].sum() >= 7
