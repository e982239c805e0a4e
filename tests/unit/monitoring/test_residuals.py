from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.monitoring.delay import Delay, delay_from_days, expected_between, observed_delay
from mqlml.monitoring.directions import column_directions
from mqlml.monitoring.evidence import ScoredHistory, micros_of, week_of, week_start
from mqlml.monitoring.residuals import conversion_residuals, delay_of, verdict_residuals
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK, NEVER

WEEK = MICROS_PER_WEEK
EVENLY = Delay(np.array([0.0, 4.0 * WEEK]), np.array([0.0, 1.0]))


def history(*rows: tuple[str, float, float, float | None], end: float) -> ScoredHistory:
    """Rows are lead, week of the score, probability, week of conversion."""
    return ScoredHistory(
        scores=pd.DataFrame(
            {
                "lead_id": [r[0] for r in rows],
                "as_of": [int(r[1] * WEEK) for r in rows],
                "probability": [r[2] for r in rows],
                "fit_part": 0.0,
                "engagement_part": 0.0,
            }
        ),
        matrix=pd.DataFrame(index=range(len(rows))),
        converted_at=np.array([NEVER if r[3] is None else int(r[3] * WEEK) for r in rows]),
        verdicts=pd.DataFrame(columns=["lead_id", "given_at", "verdict", "reason", "who"]),
        horizon=4 * WEEK,
        data_end=int(end * WEEK),
        learnt_until=0,
    )


def test_a_lead_scored_once_is_watched_week_by_week_until_it_converts() -> None:
    # F grows by a quarter a week; the lead converts in its second week.
    found = conversion_residuals(history(("a", 0, 0.4, 1.5), end=6), EVENLY)
    assert list(found.week) == [-6, -5]
    # First week: e = .4 × .25 = .1; second: .4 × .25 / (1 − .4 × .25) = 1/9.
    assert found.residual == pytest.approx([-0.1, 1 - 1 / 9])
    assert found.variance == pytest.approx([0.1 * 0.9, 1 / 9 * 8 / 9])
    assert found.observed == 1


def test_expectations_of_all_weeks_add_up_to_the_probability() -> None:
    found = conversion_residuals(history(("a", 0, 0.4, None), end=9), EVENLY)
    expected = -found.residual
    assert len(expected) == 4
    assert 1 - np.prod(1 - expected) == pytest.approx(0.4)


def test_a_lead_scored_again_is_judged_by_its_newer_score() -> None:
    rows = (("a", 0, 0.4, 1.5), ("a", 1, 0.8, 1.5))
    found = conversion_residuals(history(*rows, end=6), EVENLY)
    assert list(found.row) == [0, 1]
    assert found.residual == pytest.approx([-0.1, 0.8])


def test_what_the_data_do_not_cover_is_not_expected() -> None:
    found = conversion_residuals(history(("a", 0, 0.4, None), end=0.5), EVENLY)
    assert found.residual == pytest.approx([-0.4 * 0.125])


def test_scores_that_trained_the_champion_are_no_news() -> None:
    both = history(("a", 0, 0.4, None), ("b", 2, 0.4, None), end=3)
    found = conversion_residuals(replace(both, learnt_until=WEEK), EVENLY)
    assert set(found.row) == {1}


def test_a_verdict_belongs_to_the_last_score_strictly_before_it() -> None:
    base = history(("a", 0, 0.4, None), ("a", 1, 0.5, None), ("b", 1, 0.5, None), end=5)
    day = pd.to_datetime(
        np.array([WEEK, 2 * WEEK, 2 * WEEK, 3 * WEEK, 9 * WEEK]), unit="us", utc=True
    )
    verdicts = pd.DataFrame(
        {
            "lead_id": ["a", "a", "b", "nobody", "b"],
            "given_at": day,
            "verdict": ["accepted", "accepted", "rejected", "accepted", "accepted"],
            "reason": [None, None, "no_need", None, None],
            "who": "r",
        }
    )
    found = verdict_residuals(replace(base, verdicts=verdicts))
    # The one at the very moment of the second score sees the first; the one after the end, nothing.
    assert list(found.row) == [0, 1, 2]
    assert list(found.week) == [-4, -3, -3]
    assert found.residual == pytest.approx([1 / 3, 1 / 3, -2 / 3])
    procedural = verdicts.assign(reason="duplicate")
    assert verdict_residuals(replace(base, verdicts=procedural)).observed == 0


def test_the_delay_of_the_facts_is_used_before_the_one_observed() -> None:
    rows = [(f"l{i}", 0, 0.5, 1.0 + i / 100) for i in range(50)]
    old = history(*rows, end=8)
    assert delay_of(old, {}).share_by(np.array([0.9 * WEEK]))[0] == 0.0
    told = delay_of(old, {"delays_days": [0.0, 7.0, 14.0]})
    assert told.share_by(np.array([WEEK]))[0] == pytest.approx(0.5)


def test_without_conversions_the_delay_grows_evenly() -> None:
    delay = observed_delay(np.array([0]), np.array([NEVER]), 4 * WEEK)
    assert delay.share_by(np.array([0.0, 1.0, 4.0]) * WEEK) == pytest.approx([0, 0.25, 1])
    at_once = delay_from_days((0.0, 0.0), 4 * WEEK)
    assert at_once.share_by(np.array([0.0, 4.0]) * WEEK) == pytest.approx([0, 1])
    assert delay_from_days((), 4 * WEEK).share_by(np.array([2.0 * WEEK]))[0] == 0.5


def test_nothing_is_expected_of_a_lead_that_cannot_convert_any_more() -> None:
    assert expected_between(np.array([1.0]), np.array([1.0]), np.array([1.0]))[0] == 0.0


def test_weeks_are_numbered_back_from_the_end_of_the_data() -> None:
    at = np.array([0, 6 * MICROS_PER_DAY, WEEK])
    assert list(week_of(at, 2 * WEEK)) == [-2, -2, -1]
    assert week_start(-2, 2 * WEEK) == 0
    assert list(micros_of(pd.Series(pd.to_datetime(at, unit="us", utc=True)))) == list(at)


def test_constant_and_empty_columns_are_no_directions() -> None:
    matrix = pd.DataFrame({"same": [1.0] * 4, "none": [np.nan] * 4, "number": [1.0, 2.0, 3.0, 4.0]})
    directions, owners = column_directions(matrix, (), np.arange(4))
    assert list(owners) == ["number"]
    assert directions["number"].to_numpy().mean() == pytest.approx(0.0)
