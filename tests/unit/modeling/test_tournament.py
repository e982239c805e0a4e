import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.modeling_company import RULES, Company, make_company, split_company, tournament

from mqlml.errors import ConfigError
from mqlml.modeling.contestants.contestant import setting_of
from mqlml.modeling.search import Material, _Option, _simplest_good, difference_error
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import contestants_of, material_of, run_tournament

ALL = ("base_rate", "points_rules", "logistic", "lightgbm")


def test_all_contestants_are_judged_on_folds_and_on_the_test() -> None:
    _, split, result = tournament(*ALL)
    assert [contestant.name for contestant in result.contestants] == list(ALL)
    assert list(result.test_by_contestant) == list(ALL)
    assert result.test == result.test_by_contestant[result.winner]
    assert result.test.rows == len(split.test) == len(result.test_probabilities)
    assert all(len(c.fold_log_loss) == len(split.folds) - 1 for c in result.contestants)


def test_a_learner_wins_where_there_is_a_pattern() -> None:
    _, _, result = tournament(*ALL)
    assert result.winner in {"logistic", "lightgbm"}
    assert result.test.roc_auc_low > 0.6
    assert result.test.log_loss < result.constant_log_loss


def test_the_winner_is_the_simplest_learner_within_one_error_of_the_best() -> None:
    _, _, result = tournament(*ALL)
    lowest = min(contestant.log_loss for contestant in result.contestants)
    good = [
        contestant.name
        for contestant in result.contestants
        if contestant.name in {"logistic", "lightgbm"}
        and contestant.log_loss - lowest <= contestant.standard_error
    ]
    assert result.winner == good[0]


def test_the_base_rate_always_takes_part() -> None:
    _, _, result = tournament("logistic")
    assert [contestant.name for contestant in result.contestants] == ["base_rate", "logistic"]


def test_points_rules_need_rules_to_take_part() -> None:
    names = [c.name for c in contestants_of(ModelSettings(), 100)]
    assert names == ["base_rate", "logistic", "lightgbm"]
    with_rules = contestants_of(ModelSettings(points_rules=RULES), 100)
    assert [c.name for c in with_rules] == ["base_rate", "points_rules", "logistic", "lightgbm"]


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_jobs() -> None:
    company, split, result = tournament(*ALL)
    settings = ModelSettings(contestants=ALL, points_rules=RULES)
    again = run_tournament(company, split, settings, seed=3, jobs=2)
    assert again.model.to_files() == result.model.to_files()
    assert again.contestants == result.contestants
    np.testing.assert_array_equal(again.test_probabilities, result.test_probabilities)


THREADS = """
from threadpoolctl import threadpool_info
from tests.modeling_company import tournament
from mqlml.modeling import tournament as module

decided = module._winner

def counting(*arguments):
    blas = [i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"]
    print(len(blas) >= 2, set(blas))
    return decided(*arguments)

module._winner = counting
tournament("logistic")
"""


def test_every_library_of_linear_algebra_keeps_to_one_thread_in_a_fresh_process() -> None:
    # numpy and scipy bring one each, and scipy's is loaded only when it is needed.
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": ".", "OPENBLAS_NUM_THREADS": "2"},
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("True {1}\n", 0), done.stderr


def test_test_labels_change_neither_choice_nor_test_probabilities() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    labels = company.points["label"].to_numpy(copy=True)
    labels[split.test] = 1 - labels[split.test]
    turned = Company(company.points.assign(label=labels), company.matrix, company.plan)
    settings = ModelSettings(contestants=("logistic", "lightgbm"), points_rules=RULES)
    again = run_tournament(turned, split, settings, seed=3)
    assert again.winner == result.winner
    assert again.contestants == result.contestants
    np.testing.assert_array_equal(again.test_probabilities, result.test_probabilities)
    assert again.model.to_files() != result.model.to_files()


def test_the_model_for_use_has_learnt_from_the_test_rows_too() -> None:
    _, _, result = tournament("logistic")
    assert result.model.to_files() != result.test_model.to_files()
    assert result.model.name == "logistic"


def test_rows_without_a_label_are_not_learnt_from() -> None:
    company = make_company(400)
    points = company.points.copy()
    points.loc[350:, "label"] = np.nan
    holed = Company(points, company.matrix, company.plan)
    whole = Company(points.iloc[:350], company.matrix.iloc[:350], company.plan)
    settings = ModelSettings(contestants=("logistic",))
    with_holes = run_tournament(holed, split_company(holed), settings, seed=0)
    without = run_tournament(whole, split_company(whole), settings, seed=0)
    assert with_holes.model.to_files() == without.model.to_files()


def test_a_dropped_column_has_no_say() -> None:
    company = make_company(400)
    settings = ModelSettings(contestants=("logistic",), drop=("visits",))
    result = run_tournament(company, split_company(company), settings, seed=0)
    assert (result.model.contributions(company.matrix)["visits"] == 0).all()


def test_a_table_of_chance_is_won_by_no_model_that_is_much_better_than_the_base_rate() -> None:
    company = make_company(600, strength=0.0)
    result = run_tournament(company, split_company(company), ModelSettings(), seed=0)
    assert result.test.roc_auc_low < 0.5 or result.winner == "base_rate"


def test_monotone_columns_must_exist_and_hold_numbers() -> None:
    settings = ModelSettings(monotone={"visit": 1, "industry": -1, "visits": 1})
    with pytest.raises(ConfigError) as caught:
        material_of(make_company(50), settings, 0)
    assert [fault.what for fault in caught.value.faults] == [
        "no such column",
        "a category has no direction",
    ]


def test_ages_count_the_newer_training_rows() -> None:
    material = material_of(make_company(50), ModelSettings(), 0)
    assert material.training(np.array([10, 3, 20])).age.tolist() == [1.0, 2.0, 0.0]
    same_day = replace(material, as_of=np.zeros(50, dtype=np.int64))
    assert same_day.training(np.array([10, 3, 20])).age.tolist() == [0.0, 0.0, 0.0]


def test_large_tables_are_searched_on_a_drawn_part(monkeypatch: pytest.MonkeyPatch) -> None:
    material = material_of(make_company(200), ModelSettings(), 5)
    monkeypatch.setattr("mqlml.modeling.search._MOST_SEARCH_CELLS", 6 * 40)
    drawn = material.search_training(np.arange(200))
    assert len(drawn.labels) == len(drawn.matrix) == len(drawn.age) == 40
    assert drawn.age.max() > 100
    np.testing.assert_array_equal(drawn.labels, material.search_training(np.arange(200)).labels)
    assert isinstance(material, Material)


def test_the_error_of_a_difference_is_larger_when_rows_of_a_lead_err_together() -> None:
    losses = [np.tile([0.0, 1.0], 50)]
    others = [np.full(100, 0.5)]
    apart = difference_error(losses, others, [np.arange(100)])
    # Every two rows err in opposite ways, so pairs of them cancel.
    together = difference_error(losses, others, [np.repeat(np.arange(50), 2)])
    assert apart == pytest.approx(0.05)
    assert together == pytest.approx(0.0)


def test_the_error_of_a_difference_is_at_least_that_of_the_folds() -> None:
    losses = [np.full(100, 0.5), np.full(100, 0.7)]
    others = [np.full(100, 0.5), np.full(100, 0.5)]
    leads = [np.arange(100), np.arange(100)]
    # Differences 0 and .2: standard deviation .1414, over the root of two folds.
    assert difference_error(losses, others, leads) == pytest.approx(0.1)


def test_row_weights_must_be_better_by_more_than_one_error() -> None:
    equal, weighted = setting_of(c=0.1, half_life=0), setting_of(c=0.1, half_life=50)
    losses = np.full(100, 0.5)
    # Better by .01 on average, with a standard error of .04.
    by_chance = losses + np.tile([0.39, -0.41], 50)
    plain = _Option(equal, "none", (losses,))
    leads = [np.arange(100)]
    assert _simplest_good([plain, _Option(weighted, "none", (by_chance,))], leads) is plain
    clearly = _Option(weighted, "none", (losses - 0.4,))
    assert _simplest_good([plain, clearly], leads) is clearly
