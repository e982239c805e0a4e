from fractions import Fraction

import numpy as np
import pytest
from tests.model_texts import chain_text, model_text, tree_text

from mqlml.modeling.trees import ensemble as trees_room
from mqlml.modeling.trees.ensemble import Ensemble
from mqlml.modeling.trees.groups import MOST_BITS
from mqlml.modeling.trees.text import Tree, read_trees

ONE_SPLIT = tree_text(features=[0], children=[(-1, -2)], values=[1, 5], covers=([4], [1, 3]))
BOTH_NEEDED = tree_text(
    features=[0, 1], children=[(-1, 1), (-2, -3)], values=[0, 0, 8], covers=([4, 2], [2, 1, 1])
)


def ensemble_of(*trees: str, features: int = 2) -> Ensemble:
    return Ensemble.from_text(model_text(trees, features))


def test_a_split_gives_its_feature_the_distance_from_the_average() -> None:
    found = ensemble_of(ONE_SPLIT)
    rows = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert found.base == 4.0  # (1 × 1 + 3 × 5) / 4
    np.testing.assert_allclose(found.contributions(rows), [[-3.0, 1.0], [0.0, 0.0]], atol=1e-15)


def test_two_features_that_are_needed_together_share_alike() -> None:
    # Knowing nothing: 8/4 = 2; either one: 4; both: 8. Each gets the mean of +2 and +4.
    found = ensemble_of(BOTH_NEEDED).contributions(np.array([[1.0, 1.0]]))
    np.testing.assert_allclose(found, [[3.0], [3.0]], atol=1e-15)


def test_a_feature_that_spoils_what_another_makes_possible_takes_it_away() -> None:
    # f0 alone: 4; f1 alone: 0; both: 0; nothing: 2. f0: mean of 2 and 0; f1: of -2 and -4.
    found = ensemble_of(BOTH_NEEDED).contributions(np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(found, [[1.0], [-3.0]], atol=1e-15)


def test_a_feature_that_is_asked_twice_is_one_feature() -> None:
    twice = BOTH_NEEDED.replace("split_feature=0 1", "split_feature=0 0")
    twice = twice.replace("threshold=0.5 0.5", "threshold=0.5 2.5")
    found = ensemble_of(twice).contributions(np.array([[0.0, 9.0], [1.0, 9.0], [3.0, 9.0]]))
    np.testing.assert_allclose(found, [[-2.0, -2.0, 6.0], [0.0, 0.0, 0.0]], atol=1e-15)


def test_a_leaf_without_training_rows_counts_for_nothing_until_it_is_reached() -> None:
    empty = ONE_SPLIT.replace("leaf_count=1 3", "leaf_count=0 4")
    found = ensemble_of(empty).contributions(np.array([[0.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_allclose(found[0], [-4.0, 0.0], atol=1e-15)


def test_a_value_at_a_threshold_goes_left_and_the_next_above_right() -> None:
    for count in range(1, 6):
        thresholds = [0.25 + number for number in range(count)]
        trees = [ONE_SPLIT.replace("=0.5", f"={threshold}") for threshold in thresholds]
        at = np.array([[threshold, 0.0] for threshold in thresholds])
        above = np.nextafter(at, np.inf)
        # A tree gives 1 on its left and 5 on its right.
        right = np.arange(count)
        found = ensemble_of(*trees)
        assert found.raw_scores(at).tolist() == (5.0 * right + 1.0 * (count - right)).tolist()
        assert found.raw_scores(above).tolist() == (found.raw_scores(at) + 4.0).tolist()


@pytest.mark.parametrize(
    ("decision", "scores"),
    [
        # By LightGBM's own reading: nothing is missing, and NaN is read as 0 …
        (0, {"nan": 1, "0": 1, "-1": 1, "1": 5}),
        # … zero and NaN are missing and go right, or left …
        (4, {"nan": 5, "0": 5, "-1": 1, "1": 5}),
        (6, {"nan": 1, "0": 1, "-1": 1, "1": 5}),
        # … NaN alone goes right, or left.
        (8, {"nan": 5, "0": 1, "-1": 1, "1": 5}),
        (10, {"nan": 1, "0": 1, "-1": 1, "1": 5}),
    ],
)
def test_missing_values_go_where_the_split_sends_them(
    decision: int, scores: dict[str, float]
) -> None:
    import lightgbm

    tree = ONE_SPLIT.replace("threshold=0.5", "threshold=0.0")
    tree = tree.replace("decision_type=2", f"decision_type={decision}")
    rows = np.array([[float(value), 0.0] for value in scores])
    assert ensemble_of(tree).raw_scores(rows).tolist() == list(scores.values())
    referee = lightgbm.Booster(model_str=model_text([tree], 2))
    assert referee.predict(rows, raw_score=True).tolist() == list(scores.values())


def test_trees_without_a_split_move_the_base_only() -> None:
    constant = "num_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\ndecision_type=\n"
    constant += "left_child=\nright_child=\nleaf_value=-0.25\nleaf_count=7\ninternal_count=\n"
    rows = np.zeros((3, 2))
    found = ensemble_of(constant, constant)
    assert found.base == -0.5
    assert found.raw_scores(rows).tolist() == [-0.5] * 3
    assert found.contributions(rows).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("depth", [1, 2, MOST_BITS, MOST_BITS + 1])
def test_paths_longer_than_a_pattern_equal_lightgbm(depth: int) -> None:
    import lightgbm

    text = model_text([chain_text(depth), chain_text(depth // 2 + 1)], depth)
    rows = (np.random.default_rng(depth).random((60, depth)) < 0.9).astype(float)
    found, referee = Ensemble.from_text(text), lightgbm.Booster(model_str=text)
    np.testing.assert_array_equal(found.raw_scores(rows), referee.predict(rows, raw_score=True))
    expected = referee.predict(rows, pred_contrib=True)[:, :-1].T
    np.testing.assert_allclose(found.contributions(rows), expected, rtol=0, atol=1e-9)


def exact_contributions(tree: Tree, row: np.ndarray) -> dict[int, Fraction]:
    """Return the Shapley values of a chain in fractions, integrating whole polynomials."""
    found = dict.fromkeys(range(len(tree.splits)), Fraction(0))
    ways: list[tuple[int, Fraction]] = []  # o and z by feature
    for i, cover in enumerate([*tree.split_covers, tree.leaf_covers[-1]]):
        here = list(ways)
        if i < len(tree.splits):
            leaf_cover, goes_on = tree.leaf_covers[i], row[i] > 0.5
            here.append((int(not goes_on), Fraction(int(leaf_cover), int(cover))))
            ways.append((int(goes_on), 1 - here[-1][1]))
        for j, (o, z) in enumerate(here):
            product = [Fraction(1)]
            for other, share in here[:j] + here[j + 1 :]:  # times share + (other - share) t
                up = [(other - share) * c for c in product]
                product = [share * a + b for a, b in zip([*product, 0], [0, *up], strict=True)]
            integral = sum(c / (power + 1) for power, c in enumerate(product))
            found[j] += Fraction(float(tree.leaf_values[i])) * (o - z) * integral
    return found


def test_very_long_paths_keep_their_digits() -> None:
    (tree,) = read_trees(model_text([chain_text(24)], 24))
    row = (np.arange(24) % 7 > 0).astype(float)
    found = Ensemble((tree,)).contributions(row[np.newaxis])[:, 0]
    expected = [float(value) for value in exact_contributions(tree, row).values()]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_and_the_cut_of_rows_change_no_bit(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ensemble_of(chain_text(9), chain_text(5), BOTH_NEEDED, features=9)
    rows = np.random.default_rng(1).random((200, 9))
    scores, contributions = found.raw_scores(rows), found.contributions(rows)
    monkeypatch.setattr(trees_room, "_SCORED_AT_ONCE", 37)
    monkeypatch.setattr(trees_room, "_FEWEST_EXPLAINED_AT_ONCE", 7)
    monkeypatch.setattr(trees_room, "_EXPLAINED_AT_ONCE", 23)
    np.testing.assert_array_equal(found.raw_scores(rows, threads=threads), scores)
    np.testing.assert_array_equal(found.contributions(rows, threads=threads), contributions)


def test_rows_in_any_layout_of_memory_give_the_same() -> None:
    found, rows = ensemble_of(chain_text(9), features=9), np.random.default_rng(2).random((70, 9))
    columns = np.asfortranarray(rows)
    np.testing.assert_array_equal(found.raw_scores(columns), found.raw_scores(rows))
    np.testing.assert_array_equal(found.contributions(columns), found.contributions(rows))


def test_no_rows_and_no_trees_are_allowed() -> None:
    found, nothing = ensemble_of(ONE_SPLIT), np.empty((0, 2))
    assert found.raw_scores(nothing).shape == (0,)
    assert found.contributions(nothing).shape == (2, 0)
    assert Ensemble(()).raw_scores(np.zeros((2, 1))).tolist() == [0.0, 0.0]
    assert Ensemble(()).contributions(np.zeros((2, 1))).tolist() == [[0.0, 0.0]]
