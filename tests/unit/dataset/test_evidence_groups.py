import numpy as np
import pytest
from scipy.special import ndtri

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.evidence.groups import distances


def counts_of(converted, others, names=("a", "b", "missing")):
    converted, others = np.array(converted, dtype=float), np.array(others, dtype=float)
    return Counts(converted + others, converted, names)


def test_the_distance_is_between_the_bell_curves_through_both_shares():
    # 3,000 of 10,000 converted and 1,000 of 10,000 others have a.
    found = distances(counts_of([[3_000, 7_000, 0]], [[1_000, 9_000, 0]]))
    assert found.of_converted[:2] == pytest.approx([0.3, 0.7], abs=1e-3)
    assert found.distance[0] == pytest.approx(ndtri(0.3) - ndtri(0.1), abs=1e-3)
    assert found.distance[1] == pytest.approx(found.distance[0], abs=1e-3)
    assert found.low[0] == pytest.approx(found.low[1], abs=1e-2)
    assert 0.65 < found.low[0] < found.distance[0]


def test_a_group_without_evidence_has_no_sure_distance():
    found = distances(counts_of([[1, 2, 0]], [[0, 3, 0]]))
    assert found.low[0] == 0.0
    assert np.isfinite(found.distance).all()


def test_a_base_rate_that_moves_with_the_group_makes_no_distance():
    # a is rare early, when few convert, and usual late, when many do; at no time does it matter.
    found = distances(counts_of([[10, 90, 0], [720, 80, 0]], [[90, 810, 0], [180, 20, 0]]))
    assert found.distance[0] == pytest.approx(0.0, abs=0.02)


def test_a_table_of_one_outcome_has_no_distance():
    found = distances(counts_of([[0, 0, 0]], [[5, 5, 0]]))
    assert np.isfinite(found.low).all()
    assert (found.low == 0).all()
