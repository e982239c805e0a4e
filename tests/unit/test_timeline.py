import numpy as np
import pytest

from mqlml import timeline

DAY = timeline.MICROS_PER_DAY


def test_an_event_counts_from_the_later_of_happened_and_arrived():
    assert timeline.counts_from(5, 9) == 9
    assert timeline.counts_from(9, 5) == 9


def test_an_event_exactly_at_as_of_is_not_seen():
    assert not timeline.is_seen(DAY, DAY)
    assert timeline.is_seen(DAY - 1, DAY)


def test_what_a_lead_was_created_with_is_known_at_that_very_moment():
    assert timeline.is_known(DAY, DAY)
    assert not timeline.is_known(DAY + 1, DAY)


@pytest.mark.parametrize(
    ("at", "inside"), [(6, False), (7, True), (9, True), (10, False), (11, False)]
)
def test_the_lookback_includes_its_first_moment_and_excludes_as_of(at, inside):
    assert timeline.is_in_lookback(at, 10, 3) == inside


@pytest.mark.parametrize(("at", "inside"), [(9, False), (10, True), (12, True), (13, False)])
def test_the_horizon_includes_as_of_and_excludes_its_end(at, inside):
    assert timeline.is_in_horizon(at, 10, 3) == inside


def test_a_point_is_mature_when_horizon_and_reporting_lag_lie_in_the_data():
    assert timeline.is_mature(10, 5, 2, 17)
    assert not timeline.is_mature(10, 5, 2, 16)


def test_a_point_trains_for_a_block_only_if_its_horizon_ends_before_it():
    assert timeline.is_purged(10, 5, 15)
    assert not timeline.is_purged(11, 5, 15)


def test_the_rule_serves_arrays_as_it_serves_single_times():
    at = np.array([6, 7, 10])
    assert timeline.is_in_lookback(at, 10, 3).tolist() == [False, True, False]
    assert timeline.counts_from(at, np.array([8, 8, 8])).tolist() == [8, 8, 10]


def test_ever_reaches_back_before_any_history_without_overflow():
    now = 60 * 365 * DAY
    assert now - timeline.EVER < -now
    assert timeline.is_in_lookback(0, now, timeline.EVER)
