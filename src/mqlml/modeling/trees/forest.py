"""Trees as flat arrays in which rows walk from the root to a leaf without a branch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mqlml.modeling.trees.codes import Codes, Ints
from mqlml.modeling.trees.text import Tree

Small = npt.NDArray[np.int32]


class Forest(NamedTuple):
    """The nodes of all trees, tree by tree, a tree's root first.

    From node n a row goes on to `onward[n]`, or one further if its code in
    `columns[n]` is above `limits[n]`. A leaf leads to itself, and `leaves[n]` is its
    number among the leaves of all trees. After `depths[t]` steps each row of tree t
    is at its leaf.
    """

    roots: Ints
    depths: Ints
    columns: Small
    limits: Small
    onward: Small
    leaves: Small


def plant(trees: Sequence[Tree], codes: Codes) -> Forest:
    """Return the trees as flat arrays, their splits asking for the codes' columns."""
    nodes: list[tuple[int, int, int, int]] = []
    roots, depths, leaf_start = [], [], 0
    for number, tree in enumerate(trees):
        roots.append(len(nodes))
        own, depth = _nodes(tree, codes, number, len(nodes), leaf_start)
        nodes += own
        depths.append(depth)
        leaf_start += len(tree.leaf_values)
    table = np.array(nodes, dtype=np.int32).reshape(-1, 4)
    columns, limits, onward, leaves = (np.ascontiguousarray(c) for c in table.T)
    starts, steps = np.array(roots, dtype=np.int64), np.array(depths, dtype=np.int64)
    return Forest(starts, steps, columns, limits, onward, leaves)


def _nodes(
    tree: Tree, codes: Codes, number: int, root: int, leaf_start: int
) -> tuple[list[tuple[int, int, int, int]], int]:
    """Return a tree's nodes, level by level with siblings side by side, and its depth."""
    columns, limits = codes.columns[number], codes.limits[number]
    order = [0 if tree.splits else -1]
    depths = [0]
    found = []
    for position, node in enumerate(order):  # grows as it is walked
        if node < 0:
            found.append((0, np.iinfo(np.int32).max, root + position, leaf_start - 1 - node))
            continue
        found.append((int(columns[node]), int(limits[node]), root + len(order), -1))
        order += [int(tree.left[node]), int(tree.right[node])]
        depths += [depths[position] + 1] * 2
    return found, max(depths)
