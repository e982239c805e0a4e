"""Values → small whole numbers that all splits of a forest can compare.

A column of codes answers the splits of one feature that treat missing values
alike, or one set of categories. Every split then reads "right if code > limit":
a number's code is one more than the thresholds below it, and a missing value's
is below or above all others, wherever its splits send it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mqlml.modeling.trees.text import MISSING_NAN, MISSING_ZERO, Split, Tree

Ints = npt.NDArray[np.int64]

# How a column codes missing values: those that are NaN, or NaN and zero; lowest or
# highest. AS_ZERO: NaN is read as 0. IS_IN: 0 for the categories of a set, else 1.
AS_ZERO, NAN_LOW, NAN_HIGH, ZERO_LOW, ZERO_HIGH, IS_IN = range(6)
_RULES = {
    (MISSING_NAN, True): NAN_LOW,
    (MISSING_NAN, False): NAN_HIGH,
    (MISSING_ZERO, True): ZERO_LOW,
    (MISSING_ZERO, False): ZERO_HIGH,
}
# A column: feature, rule, and the set of categories if the rule is IS_IN.
_Column = tuple[int, int, tuple[int, ...]]


class CodeBook(NamedTuple):
    """How rows become codes, as flat arrays.

    Feature f has the sorted edges (thresholds or categories) from `edge_starts[f]`
    and the columns from `column_starts[f]`. A column of categories has its codes by
    position of the category among the edges, then of all others, from `answers_at`.
    """

    features: Ints
    edge_starts: Ints
    edges: npt.NDArray[np.float64]
    column_starts: Ints
    rules: Ints
    answers_at: Ints
    answers: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Codes:
    """The code book, and for each tree the column and limit of each split."""

    book: CodeBook
    columns: tuple[Ints, ...]
    limits: tuple[Ints, ...]

    @property
    def width(self) -> int:
        """Return how many columns of codes a row has."""
        return len(self.book.rules)

    @property
    def dtype(self) -> "np.dtype[np.unsignedinteger]":
        """Return the narrowest type that holds every code."""
        return narrowest(int(np.diff(self.book.edge_starts).max(initial=0)))


def narrowest(edges: int) -> "np.dtype[np.unsignedinteger]":
    """Return the narrowest type for the codes of a feature with this many edges."""
    return np.dtype(np.uint16 if edges + 1 <= np.iinfo(np.uint16).max else np.uint32)


def code_splits(trees: Sequence[Tree]) -> Codes:
    """Return the codes that the trees' splits need."""
    splits = [split for tree in trees for split in tree.splits]
    wanted = sorted({_column(split) for split in splits})
    place = {column: position for position, column in enumerate(wanted)}
    edges = _edges(splits)
    rank = {f: {edge: i for i, edge in enumerate(found)} for f, found in edges.items()}

    def limit(split: Split) -> int:
        return 0 if split.categories is not None else rank[split.feature][split.threshold] + 1

    return Codes(
        _book(wanted, edges),
        tuple(_ints(place[_column(split)] for split in tree.splits) for tree in trees),
        tuple(_ints(limit(split) for split in tree.splits) for tree in trees),
    )


def _column(split: Split) -> _Column:
    if split.categories is not None:
        return split.feature, IS_IN, split.categories
    return split.feature, _RULES.get((split.missing, split.is_left_default), AS_ZERO), ()


def _edges(splits: Iterable[Split]) -> dict[int, list[float]]:
    found: dict[int, set[float]] = {}
    for split in splits:
        own = found.setdefault(split.feature, set())
        own.update([split.threshold] if split.categories is None else split.categories)
    return {feature: sorted(found[feature]) for feature in sorted(found)}


def _book(columns: Sequence[_Column], edges: dict[int, list[float]]) -> CodeBook:
    answers: list[int] = []
    answers_at = []
    for feature, rule, categories in columns:
        answers_at.append(len(answers))
        if rule == IS_IN:
            inside = set(categories)
            answers += [int(edge not in inside) for edge in edges[feature]] + [1]
    owners = [feature for feature, _, _ in columns]
    return CodeBook(
        features=_ints(edges),
        edge_starts=_starts(len(own) for own in edges.values()),
        edges=np.array([edge for own in edges.values() for edge in own], dtype=np.float64),
        column_starts=_starts(owners.count(feature) for feature in edges),
        rules=_ints(rule for _, rule, _ in columns),
        answers_at=_ints(answers_at),
        answers=np.array(answers, dtype=np.uint8),
    )


def _starts(counts: Iterable[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(_ints(counts))]).astype(np.int64)


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
