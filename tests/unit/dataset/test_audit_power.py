"""The benchmark of the audit in small, with fixed seeds."""

import pytest
from benchmarks.audit import is_found, stopped_by
from benchmarks.audit_plants import PLANTS
from benchmarks.audit_tables import SHAPES, clean_table, prepared

SEEDS = (700_002, 700_005, 700_006)


@pytest.mark.parametrize("seed", range(800_000, 800_000 + 2 * len(SHAPES)))
def test_honest_tables_stop_nothing(seed):
    assert stopped_by(seed) == []


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_leak_is_found(kind):
    answers = [is_found(kind, seed) for seed in SEEDS]
    assert answers.count(True) >= 2
    assert answers.count(False) == 0


def test_a_simulated_table_has_what_its_shape_says():
    rare, dated = clean_table(SHAPES.index("rare")), clean_table(SHAPES.index("dated"))
    assert 0.0 < rare.outcome.mean() < 0.12
    assert len(clean_table(SHAPES.index("wide")).columns.columns) > 50
    assert set(dated.history["name"]) == dated.dated
    assert prepared(dated).points["label"].isna().any()
    weekly = clean_table(SHAPES.index("weekly")).points
    assert weekly["lead_id"].duplicated().any()
    assert weekly.groupby("lead_id")["truth"].nunique().max() == 1
