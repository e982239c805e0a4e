import numpy as np
import pyarrow as pa
import pytest

from mqlml.errors import ConfigError
from mqlml.features.conditions import truth_of
from mqlml.features.patterns import dense, signal_patterns
from mqlml.features.signals import Signal
from mqlml.tables.expressions import sandbox

TYPES = pa.array(["view", "form", None, "view", "form"]).dictionary_encode()
VALUES = pa.array([1.0, float("nan"), None, -0.0, 5.0])
BOTS = pa.array([True, False, None, False, True])
EVENTS = pa.table({"type": TYPES, "value": VALUES, "is_bot": BOTS})


def held(*conditions: str, events: pa.Table = EVENTS) -> list[list[int]]:
    """Return for each condition the events for which it holds."""
    signals = [Signal(f"s{i}", where, "") for i, where in enumerate(conditions)]
    with sandbox() as connection:
        patterns = signal_patterns(connection, events, signals)
    assert patterns.holds.shape[1] == len(signals)
    return [np.flatnonzero(patterns.holds[patterns.codes, s]).tolist() for s in range(len(signals))]


def test_a_condition_holds_for_the_events_it_names() -> None:
    assert held("type = 'view'", "true", "value > 0", "is_bot", "type = 'form' AND value > 1") == [
        [0, 3],
        [0, 1, 2, 3, 4],
        [0, 4],
        [0, 4],
        [4],
    ]


def test_a_condition_on_something_missing_does_not_hold_unless_it_asks_for_that() -> None:
    assert held("value < 10", "NOT (value < 10)", "value IS NULL", "type IS NULL") == [
        [0, 3, 4],
        [],
        [1, 2],
        [2],
    ]


def test_zero_and_minus_zero_may_be_told_apart() -> None:
    assert held("CAST(value AS VARCHAR) = '-0.0'") == [[3]]


def test_more_than_64_signals_fit() -> None:
    values = pa.table({"value": pa.array(np.arange(100.0))})
    thresholds = [f"value >= {n}" for n in range(100)]
    assert held(*thresholds, events=values) == [list(range(n, 100)) for n in range(100)]


def test_there_may_be_no_signal() -> None:
    assert held() == []


def test_a_condition_that_fails_on_a_value_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        held("true", "CAST(type AS DOUBLE) > 3")
    assert [fault.where for fault in caught.value.faults] == ["signals.s1.where"]


def test_a_failure_that_no_condition_explains_is_not_blamed_on_one() -> None:
    with sandbox() as connection:
        connection.close()
        with pytest.raises(Exception, match="closed"):
            truth_of(connection, [Signal("s", "true", "")], {}, 1)


@pytest.mark.parametrize("factor", [1, 1_000_000])
def test_codes_are_renumbered_without_gaps(factor: int) -> None:
    codes, old = dense(np.array([5, 0, 5, 7]) * factor)
    assert len(old) == 3
    assert (old[codes] // factor).tolist() == [5, 0, 5, 7]
    assert sorted(set(codes.tolist())) == [0, 1, 2]


def test_no_codes_stay_no_codes() -> None:
    codes, old = dense(np.array([], dtype=np.int64))
    assert (len(codes), len(old)) == (0, 0)
