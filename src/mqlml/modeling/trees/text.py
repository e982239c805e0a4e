"""LightGBM's own model text → trees, without LightGBM."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mqlml.errors import BundleError, Fault

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_TREE = "Tree="
_END = "end of trees"
_WORD_BITS = 32
_IS_CATEGORY, _IS_LEFT_DEFAULT, _MISSING_SHIFT, _MISSING_MASK = 1, 2, 2, 3
# What a split takes for a missing value, as the text numbers it.
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2


@dataclass(frozen=True)
class Split:
    """A node's question: left if the value is at most `threshold`, or one of `categories`.

    `missing` says what counts as a missing value, `is_left_default` where it goes.
    """

    feature: int
    threshold: float
    categories: tuple[int, ...] | None
    missing: int
    is_left_default: bool


@dataclass(frozen=True)
class Tree:
    """One tree: its splits with both children, and its leaves with values and covers.

    A child is the number of a split, or of a leaf as -1 - number. Covers are the
    training rows of a split or a leaf. A tree of one leaf has no splits.
    """

    splits: tuple[Split, ...]
    left: Ints
    right: Ints
    split_covers: Floats
    leaf_values: Floats
    leaf_covers: Floats

    @property
    def average(self) -> float:
        """Return the mean leaf value over the training rows."""
        total = float(self.leaf_covers.sum())
        if len(self.leaf_values) == 1 or total == 0:
            return float(self.leaf_values[0])
        return float((self.leaf_values * self.leaf_covers).sum() / total)


def read_trees(text: str) -> tuple[Tree, ...]:
    """Return the trees of a LightGBM model text, in the order in which they are added up.

    Raises:
        BundleError: the text is not one, is cut short, or adds its trees up in
            another way (several classes, averaged forests, linear leaves).
    """
    head, *blocks = text.partition(_END)[0].split(_TREE)
    settings = _settings(head)
    if _END not in text or "tree" not in head.splitlines()[:1]:
        raise _unreadable("the text is cut short or is not a model of LightGBM")
    if settings.get("num_tree_per_iteration") != "1" or "average_output" in head.splitlines():
        raise _unreadable("only models that sum one tree per round can be read")
    try:
        return tuple(_tree(_settings(block)) for block in blocks)
    except (KeyError, ValueError, IndexError) as error:
        raise _unreadable(f"{type(error).__name__}: {error}") from error


def _unreadable(found: str) -> BundleError:
    return BundleError(Fault("trees cannot be read", "booster.txt", found, "train again"))


def _settings(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, sign, value in pairs if sign}


def _tree(settings: dict[str, str]) -> Tree:
    if settings.get("is_linear", "0") != "0":
        raise ValueError("leaves with linear models")
    leaves = int(settings["num_leaves"])
    values, covers = _floats(settings, "leaf_value"), _floats(settings, "leaf_count")
    left, right = _ints(settings, "left_child"), _ints(settings, "right_child")
    splits = tuple(_splits(settings))
    split_covers = _floats(settings, "internal_count")
    if leaves == 1 and not len(covers):
        covers = np.ones(1)
    sizes = {len(left), len(right), len(splits), len(split_covers), leaves - 1}
    if len(sizes) > 1 or len(values) != leaves or len(covers) != leaves:
        raise ValueError("a tree whose lists differ in length")
    return Tree(splits, left, right, split_covers, values, covers)


def _splits(settings: dict[str, str]) -> Iterator[Split]:
    levels = list(_category_sets(settings))
    features = _ints(settings, "split_feature").tolist()
    thresholds = _floats(settings, "threshold").tolist()
    decisions = _ints(settings, "decision_type").tolist()
    for feature, threshold, decision in zip(features, thresholds, decisions, strict=True):
        is_category = bool(decision & _IS_CATEGORY)
        yield Split(
            feature=feature,
            threshold=threshold,
            categories=levels[int(threshold)] if is_category else None,
            missing=(decision >> _MISSING_SHIFT) & _MISSING_MASK,
            is_left_default=bool(decision & _IS_LEFT_DEFAULT),
        )


def _category_sets(settings: dict[str, str]) -> Iterator[tuple[int, ...]]:
    """Yield the categories of each set, kept as bits of 32-bit words."""
    if int(settings["num_cat"]) == 0:
        return
    starts = _ints(settings, "cat_boundaries").tolist()
    words = _ints(settings, "cat_threshold").tolist()
    for first, end in pairwise(starts):
        yield tuple(
            _WORD_BITS * (position - first) + bit
            for position in range(first, end)
            for bit in range(_WORD_BITS)
            if words[position] >> bit & 1
        )


def _ints(settings: dict[str, str], name: str) -> Ints:
    return np.array([int(word) for word in settings[name].split()], dtype=np.int64)


def _floats(settings: dict[str, str], name: str) -> Floats:
    return np.array([float(word) for word in settings[name].split()], dtype=np.float64)
