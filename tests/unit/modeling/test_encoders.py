import json

import numpy as np
import pandas as pd
import pytest

from mqlml.modeling.encoders import LinearEncoder, TreeEncoder, fit_linear_encoder, fit_tree_encoder
from mqlml.modeling.matrix import MatrixShape

NUMBER = MatrixShape(("x",), (), ("fit",))
TEXT = MatrixShape(("c",), ("c",), ("fit",))


def numbers(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"x": np.array(values, dtype=float)})


def texts(values: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"c": pd.Series(values, dtype="str")})


def test_a_number_is_standardised_over_the_training_rows() -> None:
    encoder = fit_linear_encoder(numbers([1, 1, 3, 3]), NUMBER)
    assert encoder.transform(numbers([1, 2, 3]))[:, 0].tolist() == [-1.0, 0.0, 1.0]


def test_a_missing_number_is_average_and_has_its_own_column() -> None:
    encoder = fit_linear_encoder(numbers([1, 1, 3, 3, np.nan]), NUMBER)
    assert encoder.transform(numbers([np.nan, 3])).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_number_missing_only_later_is_average() -> None:
    encoder = fit_linear_encoder(numbers([1, 1, 3, 3]), NUMBER)
    assert encoder.transform(numbers([np.nan])).tolist() == [[0.0]]


def test_a_known_and_a_missing_value_are_told_apart() -> None:
    encoder = fit_linear_encoder(numbers([5, 5, np.nan]), NUMBER)
    assert encoder.transform(numbers([5, np.nan]))[:, -1].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("values", [[5, 5, 5], [np.nan, np.nan]])
def test_a_number_without_information_has_no_column(values: list[float]) -> None:
    encoder = fit_linear_encoder(numbers(values), NUMBER)
    assert encoder.transform(numbers([1, 2])).shape == (2, 0)


def test_a_skewed_count_is_taken_as_its_logarithm() -> None:
    encoder = fit_linear_encoder(numbers([0] * 50 + [1] * 30 + [100] * 5), NUMBER)
    assert encoder.numbers[0].is_logged
    assert np.isfinite(encoder.transform(numbers([-5]))).all()


def test_a_value_far_outside_is_cut_but_a_trend_may_go_on() -> None:
    encoder = fit_linear_encoder(numbers(list(range(100))), NUMBER)
    inside, beyond, absurd, more_absurd = encoder.transform(numbers([99, 150, 1e6, 1e9]))[:, 0]
    assert inside < beyond < absurd == more_absurd


def test_a_rare_value_beside_one_common_value_is_kept() -> None:
    encoder = fit_linear_encoder(numbers([0] * 999 + [1]), NUMBER)
    low, high = encoder.transform(numbers([0, 1]))[:, 0]
    assert low < high


def test_a_number_bends_at_its_quartiles() -> None:
    encoder = fit_linear_encoder(numbers(list(range(101))), NUMBER)
    low, middle, high = encoder.transform(numbers([10, 50, 100]))[:, 1:]
    assert low.tolist() == [0.0, 0.0, 0.0]
    assert middle[0] > 0
    assert middle[1:].tolist() == pytest.approx([0.0, 0.0])
    assert (high > 0).all()


def test_rare_categories_are_pooled_and_unseen_ones_join_them() -> None:
    rare = [f"rare{i}" for i in range(12)]
    encoder = fit_linear_encoder(texts(["a"] * 20 + ["b"] * 15 + rare), TEXT)
    a, b, pooled, unseen = encoder.transform(texts(["a", "b", "rare3", "new"]))
    assert a.tolist() == [1.0, 0.0, 0.0]
    assert b.tolist() == [0.0, 1.0, 0.0]
    assert pooled.tolist() == unseen.tolist() == [0.0, 0.0, 1.0]


def test_an_unseen_category_says_nothing_where_too_few_were_pooled() -> None:
    encoder = fit_linear_encoder(texts(["a"] * 20 + ["b"] * 15 + ["rare"]), TEXT)
    assert encoder.transform(texts(["new"])).tolist() == [[0.0, 0.0]]


def test_a_missing_category_is_a_level() -> None:
    encoder = fit_linear_encoder(texts(["a"] * 20 + [None] * 15), TEXT)
    assert encoder.transform(texts([None])).tolist() == [[0.0, 1.0]]


def test_a_constant_category_has_no_column() -> None:
    encoder = fit_linear_encoder(texts(["a"] * 20), TEXT)
    assert encoder.transform(texts(["a", "b"])).shape == (2, 0)


def test_each_design_column_knows_its_source() -> None:
    shape = MatrixShape(("c", "x"), ("c",), ("fit", "engagement"))
    matrix = pd.concat([texts(["a"] * 20 + ["b"] * 20), numbers([0, 1] * 20)], axis=1)
    assert fit_linear_encoder(matrix, shape).sources == ("x", "c", "c")


def test_trees_get_numbers_as_they_are_and_codes() -> None:
    shape = MatrixShape(("c", "x"), ("c",), ("fit", "engagement"))
    matrix = pd.concat([texts(["b"] * 20 + ["a"] * 15), numbers([0.0] * 35)], axis=1)
    encoder = fit_tree_encoder(matrix, shape)
    new = pd.concat([texts(["a", "b", "new", "new"]), numbers([3, np.nan, 1, 2])], axis=1)
    assert encoder.category_positions == (0,)
    np.testing.assert_array_equal(encoder.transform(new), [[1, 3], [0, np.nan], [2, 1], [2, 2]])


def test_encoders_survive_json() -> None:
    shape = MatrixShape(("c", "x"), ("c",), ("fit", "engagement"))
    matrix = pd.concat([texts(["a", "b"] * 20), numbers(list(range(40)))], axis=1)
    linear, trees = fit_linear_encoder(matrix, shape), fit_tree_encoder(matrix, shape)
    assert LinearEncoder.from_json(json.loads(json.dumps(linear.to_json()))) == linear
    assert TreeEncoder.from_json(json.loads(json.dumps(trees.to_json()))) == trees


def test_texts_and_objects_that_read_the_same_are_the_same_levels() -> None:
    names = ["ads", None, "web", "(missing)"] * 10 + ["web"] * 5
    as_texts = fit_tree_encoder(texts(names), TEXT)
    assert as_texts == fit_tree_encoder(texts(names).astype("object"), TEXT)
    assert as_texts.categories[0].levels == ("(missing)", "web", "ads")
    later = texts(["new", "ads", None, "(missing)"])
    np.testing.assert_array_equal(as_texts.transform(later), [[3], [2], [0], [0]])
