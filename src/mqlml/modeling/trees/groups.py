"""What exact Shapley values of trees need to know, leaf by leaf, as flat arrays.

For a leaf, a row enters only by which features of the path would lead it there: one
yes or no for each. Rows that agree in them get the same shares of the leaf, so
shares are worked out once for each pattern of answers. Neighbouring leaves whose
answers fit a few bits together make a group, and a row looks its shares up once for
all of them. See `kernel.explain` for the formula.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mqlml.modeling.trees.codes import Codes, Ints
from mqlml.modeling.trees.text import Tree

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint32]

# Groups of several leaves have at most this many answers: beyond it there are more
# patterns than rows to share them.
GROUP_BITS = 11
# A single leaf with more answers than this is worked out for every row anew.
MOST_BITS = 16


class Groups(NamedTuple):
    """Groups of leaves, one after another; `*_starts` tell where each one's items begin.

    Tests: a row passes if (code in column > limit) equals `test_rights`; it keeps the
    bit `test_bits` of its pattern if it passes all tests of that bit. Members: the
    features that get a share. Leaves: value, and the bits that a row needs to reach it.
    Slots: one for each feature on a leaf's path, with the bits that concern it, its
    place among the members and the share of the training rows that take this way.
    """

    bits: Ints
    test_starts: Ints
    test_columns: Ints
    test_limits: Ints
    test_rights: npt.NDArray[np.uint8]
    test_bits: Ints
    member_starts: Ints
    members: Ints
    leaf_starts: Ints
    values: Floats
    wanted: Bits
    slot_starts: Ints
    masks: Bits
    places: Ints
    shares: Floats


class Quadrature(NamedTuple):
    """Gauss-Legendre points and weights on [0, 1], n of them from `starts[n]`."""

    starts: Ints
    points: Floats
    weights: Floats


@dataclass(frozen=True)
class _Step:
    """One split on the way to a leaf: the bit it sets and how many rows go on."""

    feature: int
    column: int
    limit: int
    is_right: bool
    share: float


@dataclass(frozen=True)
class _Group:
    tests: tuple[tuple[int, int, bool, int], ...]
    bits: int
    members: tuple[int, ...]
    leaves: tuple["_Leaf", ...]


@dataclass(frozen=True)
class _Leaf:
    """A leaf's value, needed bits, and per feature its bits, place and share."""

    value: float
    wanted: int
    slots: tuple[tuple[int, int, float], ...]


def quadrature(most_points: int) -> Quadrature:
    """Return the rules with 1 to `most_points` points, each exact up to degree 2 n - 1."""
    rules = [np.polynomial.legendre.leggauss(n) for n in range(1, most_points + 1)]
    return Quadrature(
        starts=_starts([0, *range(1, most_points + 1)]),
        points=np.concatenate([0.5 * (points + 1.0) for points, _ in rules]),
        weights=np.concatenate([0.5 * weights for _, weights in rules]),
    )


def group_leaves(trees: Sequence[Tree], codes: Codes) -> Groups:
    """Return the leaves of all trees in groups; trees of one leaf have none."""
    groups = [
        group
        for number, tree in enumerate(trees)
        if tree.splits
        for group in _Grouping(tree, codes.columns[number], codes.limits[number]).groups()
    ]
    tests = [test for group in groups for test in group.tests]
    leaves = [leaf for group in groups for leaf in group.leaves]
    slots = [slot for leaf in leaves for slot in leaf.slots]
    return Groups(
        bits=_ints(group.bits for group in groups),
        test_starts=_starts(len(group.tests) for group in groups),
        test_columns=_ints(column for column, _, _, _ in tests),
        test_limits=_ints(limit for _, limit, _, _ in tests),
        test_rights=np.array([is_right for _, _, is_right, _ in tests], dtype=np.uint8),
        test_bits=_ints(bit for _, _, _, bit in tests),
        member_starts=_starts(len(group.members) for group in groups),
        members=_ints(feature for group in groups for feature in group.members),
        leaf_starts=_starts(len(group.leaves) for group in groups),
        values=np.array([leaf.value for leaf in leaves], dtype=np.float64),
        wanted=np.array([leaf.wanted for leaf in leaves], dtype=np.uint32),
        slot_starts=_starts(len(leaf.slots) for leaf in leaves),
        masks=np.array([mask for mask, _, _ in slots], dtype=np.uint32),
        places=_ints(place for _, place, _ in slots),
        shares=np.array([share for _, _, share in slots], dtype=np.float64),
    )


class _Grouping:
    """Cuts one tree into the largest subtrees whose answers fit the bits of a group."""

    def __init__(self, tree: Tree, columns: Ints, limits: Ints) -> None:
        self._tree = tree
        self._columns, self._limits = columns.tolist(), limits.tolist()
        self._left, self._right = tree.left.tolist(), tree.right.tolist()
        self._sizes = self._split_counts()

    def groups(self) -> Iterator[_Group]:
        """Yield the groups from left to right."""
        waiting: list[tuple[int, tuple[_Step, ...]]] = [(0, ())]
        while waiting:
            node, path = waiting.pop()
            answers = len({step.feature for step in path}) + self._size(node)
            if node < 0 or answers <= GROUP_BITS:
                yield self._group(node, path)
            else:
                children = [(child, (*path, step)) for child, step in self._children(node)]
                waiting += reversed(children)

    def _split_counts(self) -> list[int]:
        """Return the number of splits at and below each split."""
        order = [0]
        for node in order:  # grows as it is walked
            order += [c for c in (self._left[node], self._right[node]) if c >= 0]
        counts = [1] * len(order)
        for node in reversed(order):
            children = (self._left[node], self._right[node])
            counts[node] += sum(counts[child] for child in children if child >= 0)
        return counts

    def _size(self, node: int) -> int:
        return self._sizes[node] if node >= 0 else 0

    def _children(self, node: int) -> Iterator[tuple[int, _Step]]:
        feature = self._tree.splits[node].feature
        for child, is_right in ((self._left[node], False), (self._right[node], True)):
            share = self._cover(child) / (self._cover(node) or 1.0)
            yield (
                child,
                _Step(feature, self._columns[node], self._limits[node], is_right, share),
            )

    def _cover(self, node: int) -> float:
        covers = self._tree.split_covers if node >= 0 else self._tree.leaf_covers
        return float(covers[node if node >= 0 else -1 - node])

    def _group(self, root: int, path: tuple[_Step, ...]) -> _Group:
        slots = {f: i for i, f in enumerate(dict.fromkeys(step.feature for step in path))}
        found = list(self._below(root))
        splits = dict.fromkeys(node for _, ways in found for node, _ in ways)
        bit_of = {node: len(slots) + i for i, node in enumerate(splits)}
        above = [(s.column, s.limit, s.is_right, slots[s.feature]) for s in path]
        below = [(self._columns[n], self._limits[n], True, bit) for n, bit in bit_of.items()]
        members = tuple(dict.fromkeys([*slots, *(self._tree.splits[n].feature for n in splits)]))
        leaves = []
        for leaf, ways in found:
            answers = [(step, slots[step.feature], True) for step in path]
            answers += [(step, bit_of[node], step.is_right) for node, step in ways]
            leaves.append(_leaf(float(self._tree.leaf_values[-1 - leaf]), answers, members))
        return _Group((*above, *below), len(slots) + len(splits), members, tuple(leaves))

    def _below(self, root: int) -> Iterator[tuple[int, tuple[tuple[int, _Step], ...]]]:
        """Yield the leaves at and below a node, each with the splits and steps from there."""
        waiting: list[tuple[int, tuple[tuple[int, _Step], ...]]] = [(root, ())]
        while waiting:
            node, ways = waiting.pop()
            if node < 0:
                yield node, ways
                continue
            children = [(child, (*ways, (node, step))) for child, step in self._children(node)]
            waiting += reversed(children)


def _leaf(value: float, answers: list[tuple[_Step, int, bool]], members: Sequence[int]) -> _Leaf:
    """Return a leaf from its steps, each with its bit and whether the bit must be set."""
    masks: dict[int, int] = {}
    shares: dict[int, float] = {}
    wanted = 0
    for step, bit, is_set in answers:
        masks[step.feature] = masks.get(step.feature, 0) | 1 << bit
        shares[step.feature] = shares.get(step.feature, 1.0) * step.share
        wanted |= is_set << bit
    if wanted >> MOST_BITS:  # no pattern is made of so many answers
        wanted, masks = 0, dict.fromkeys(masks, 0)
    slots = tuple((masks[f], members.index(f), shares[f]) for f in masks)
    return _Leaf(value, wanted, slots)


def _starts(counts: Iterable[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(_ints(counts))]).astype(np.int64)


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
