"""The benchmark of the review in small, with fixed seeds."""

import json

import numpy as np
import pytest
from benchmarks.review import CASES, case_rows, one_run
from benchmarks.review_firms import Firm, world_of


def test_planted_disagreement_is_found_and_little_else():
    runs = [one_run(Firm(1_200, 0.8), seed)[0] for seed in range(900_000, 900_004)]
    assert sum(run.found for run in runs) >= 10  # of 12
    assert sum(run.false_flags for run in runs) <= 2


def test_rows_of_a_case_are_json_and_name_their_goals():
    rows = json.loads(json.dumps(list(case_rows(CASES[0], 1, 900_000))))
    goals = [row["goal"] for row in rows if row["goal"]]
    assert goals == [">= 0.85", "<= 0.1", "<= 0.02"]


def test_a_firm_mixes_reps_with_sources_and_windows_of_one_signal_grow():
    world = world_of(Firm(900, 0.8, is_mixed=True), np.random.default_rng(1))
    matrix, rows = world.judged.matrix, world.judged.rows
    assert (matrix["signal_0__count__90d"] >= 0).all()
    shares = matrix.filter(like="signal_0__").gt(0).mean()
    assert shares.is_monotonic_increasing
    most = rows.groupby(matrix["category_0"])["who"].agg(lambda who: who.value_counts(True).iloc[0])
    assert most.iloc[0] > 0.5
    assert len(world.planted) == 3
    assert set(map(abs, world.planted.values())) == {0.8}
    assert rows["accepted"].mean() == pytest.approx(0.5, abs=0.35)
