import numpy as np
import pytest
from tests.model_texts import chain_text, model_text

from mqlml.errors import BundleError
from mqlml.modeling.trees.text import MISSING_NAN, MISSING_ZERO, Split, read_trees

CATEGORIES = """num_leaves=3
num_cat=1
split_feature=1 0
split_gain=1 1
threshold=0 -2.5
decision_type=1 6
left_child=-1 -2
right_child=1 -3
leaf_value=1 2 4.5
leaf_weight=1 1 1
leaf_count=1 1 2
internal_value=0 0
internal_weight=0 0
internal_count=4 3
cat_boundaries=0 2
cat_threshold=5 2
is_linear=0
shrinkage=1
"""


def test_a_tree_is_read_with_splits_leaves_and_covers() -> None:
    (tree,) = read_trees(model_text([CATEGORIES], 2))
    # Bits 0 and 2 of the first word and bit 1 of the second; 6 = zero is missing, goes left.
    assert tree.splits == (
        Split(1, 0.0, (0, 2, 33), 0, is_left_default=False),
        Split(0, -2.5, None, MISSING_ZERO, is_left_default=True),
    )
    assert tree.left.tolist() == [-1, -2]
    assert tree.right.tolist() == [1, -3]
    assert tree.leaf_values.tolist() == [1.0, 2.0, 4.5]
    assert tree.leaf_covers.tolist() == [1.0, 1.0, 2.0]
    assert tree.split_covers.tolist() == [4.0, 3.0]
    assert tree.average == 3.0


def test_a_missing_value_that_goes_right_is_told_from_one_that_goes_left() -> None:
    (tree,) = read_trees(
        model_text([CATEGORIES.replace("decision_type=1 6", "decision_type=1 8")], 2)
    )
    assert (tree.splits[1].missing, tree.splits[1].is_left_default) == (MISSING_NAN, False)


def test_a_tree_of_one_leaf_is_its_value() -> None:
    leaf = "num_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\ndecision_type=\nleft_child=\n"
    leaf += "right_child=\nleaf_value=-0.25\nleaf_count=\ninternal_count=\nis_linear=0\n"
    (tree,) = read_trees(model_text([leaf], 1))
    assert (tree.splits, tree.average) == ((), -0.25)


def test_numbers_are_read_to_the_last_bit() -> None:
    text = chain_text(1).replace("threshold=0.5", "threshold=0.35326447950496193")
    (tree,) = read_trees(model_text([text], 1))
    assert tree.splits[0].threshold == 0.35326447950496193
    np.testing.assert_array_equal(tree.leaf_values, [0.1, -1.1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cut short"),
        (model_text([chain_text(2)], 2).partition("end of trees")[0], "cut short"),
        (
            model_text([chain_text(2)], 2).replace("iteration=1", "iteration=3"),
            "one tree per round",
        ),
        (model_text([chain_text(2)], 2).replace("label", "average_output\nlabel"), "one tree per"),
        (model_text([chain_text(2).replace("linear=0", "linear=1")], 2), "linear"),
        (model_text([chain_text(2).replace("leaf_value=", "leaf=")], 2), "leaf_value"),
        (model_text([chain_text(2).replace("left_child=-1 ", "left_child=")], 2), "length"),
        (model_text([chain_text(2).replace("threshold=0.5", "threshold=half")], 2), "half"),
    ],
)
def test_what_is_not_a_model_of_summed_trees_is_refused(text: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        read_trees(text)
