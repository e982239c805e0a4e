"""Scores and exact Shapley values of trees, compiled by numba.

Scoring turns a block of rows into codes and lets all rows of the block take one step
at a time. Leaf values are added tree by tree, in the order in which LightGBM adds
them, so the sums are equal to the last bit.

Explaining gives the Shapley values of the game in which an unknown feature takes
each way of a split with the share of training rows that took it (path-dependent
TreeSHAP: Lundberg et al. 2020, Nature Machine Intelligence 2). With o = 1 where a
row fits all splits of feature j on the way to a leaf of value v, else 0, and z the
share of the training rows that take this way, feature i gets from the leaf

    v (o_i - z_i) ∫ ∏_{j ≠ i} (t o_j + (1 - t) z_j) dt, t from 0 to 1.

A rule of n Gauss-Legendre points integrates a polynomial of degree 2 n - 1 without
error, so the values are exact up to rounding. No step divides by what may be 0.

All compiled code is in this file: numba compiles anew when the file that holds a
function has changed, and does not look at others (the arrays' names, the rules'
numbers). Touch it when those change.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mqlml.features.compiling import compiled, compiled_once
from mqlml.modeling.trees.codes import (
    AS_ZERO,
    IS_IN,
    NAN_HIGH,
    NAN_LOW,
    ZERO_LOW,
    CodeBook,
    Codes,
    Ints,
)
from mqlml.modeling.trees.forest import Forest
from mqlml.modeling.trees.groups import MOST_BITS, Groups, Quadrature

Floats = npt.NDArray[np.float64]
CodeRows = npt.NDArray[np.unsignedinteger[Any]]

BLOCK = 64
# LightGBM reads what is nearer to zero than this, a 32-bit 1e-35, as zero.
_NEAR_ZERO = float(np.float32(1e-35))
_CATEGORIES_END = 2.0**31
# A slot's factors: for a row that fits and one that does not; then what weighs the
# product for each: `_TURN`, and `_AWAY`, which is the same for all slots.
_WAY, _FALL, _TURN, _AWAY = range(4)


class Leaves(NamedTuple):
    """What each leaf of all trees adds, and to which sum each tree adds (-1: to none)."""

    values: Floats
    sums: Ints


class Room(NamedTuple):
    """Memory for explaining: what a group's patterns have been found to give so far.

    `stamps` say for which group a pattern's line of `table` was filled; the same for
    the patterns of each of a group's leaves. `factors` are the leaves' own: by leaf, by
    what they are for (_WAY and so on), by slot and by point.
    """

    codes: CodeRows
    patterns: npt.NDArray[np.uint16]
    stamps: npt.NDArray[np.int32]
    table: Floats
    leaf_stamps: npt.NDArray[np.int32]
    leaf_table: Floats
    factors: Floats
    flags: npt.NDArray[np.uint8]
    product: Floats


def add_leaves(rows: Floats, codes: Codes, forest: Forest, leaves: Leaves, sums: Floats) -> None:
    """Add to `sums` (one line per sum, one column per row) what each row's leaves add.

    `rows` holds the features' values, row by row in memory.
    """
    block = np.empty((codes.width, BLOCK), dtype=codes.dtype)
    _add_leaves(rows, tuple(codes.book), tuple(forest), tuple(leaves), block, sums)


def explain(
    rows: Floats, codes: Codes, groups: Groups, rule: Quadrature, contributions: Floats
) -> None:
    """Add each row's Shapley values to `contributions` (one line per feature)."""
    room = _room(groups, codes, len(rows))
    found = np.zeros(contributions.shape)  # lies together in memory, unlike a part of a whole
    _explain(rows, tuple(codes.book), tuple(groups), tuple(rule), tuple(room), found)
    contributions += found


def _room(groups: Groups, codes: Codes, rows: int) -> Room:
    # Vectorised over all leaves and groups: what the largest of them need.
    slots, leaves = np.diff(groups.slot_starts), np.diff(groups.leaf_starts)
    is_one = np.repeat(leaves == 1, leaves)
    patterns = np.where(is_one, 0, 1 << np.where(is_one, 0, slots))
    ends = groups.leaf_starts
    sizes = np.concatenate([[0], np.cumsum(patterns)])
    values = np.concatenate([[0], np.cumsum(patterns * slots)])
    narrow = np.where(groups.bits <= MOST_BITS, groups.bits, 0)
    most_slots = int(slots.max(initial=1))
    most_points = (most_slots + 1) // 2
    return Room(
        codes=np.empty((codes.width, rows), dtype=codes.dtype),
        patterns=np.empty(rows, dtype=np.uint16),
        stamps=np.full(1 << int(narrow.max(initial=0)), -1, dtype=np.int32),
        table=np.empty(int(((1 << narrow) * np.diff(groups.member_starts)).max(initial=0))),
        leaf_stamps=np.full(int(np.diff(sizes[ends]).max(initial=0)), -1, dtype=np.int32),
        leaf_table=np.empty(int(np.diff(values[ends]).max(initial=0))),
        factors=np.empty((int(leaves.max(initial=1)), 4, most_slots, most_points)),
        flags=np.empty(most_slots, dtype=np.uint8),
        product=np.empty(most_points),
    )


@compiled_once
def _add_leaves(
    rows: Floats,
    book_arrays: tuple[npt.NDArray[Any], ...],
    forest_arrays: tuple[npt.NDArray[Any], ...],
    leaf_arrays: tuple[npt.NDArray[Any], ...],
    codes: CodeRows,
    sums: Floats,
) -> None:
    # Plain tuples come in: the machine code that is kept must not refer to our classes, or
    # renaming one would leave files that numba cannot read.
    book, forest, leaves = CodeBook(*book_arrays), Forest(*forest_arrays), Leaves(*leaf_arrays)
    at = np.empty(BLOCK, np.int32)
    for first in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - first)
        _encode(rows[first : first + count], book, codes)
        for tree in range(len(forest.roots)):
            if leaves.sums[tree] >= 0:
                _walk(forest, tree, codes, at, count)
                own = sums[leaves.sums[tree], first : first + count]
                for r in range(count):
                    own[r] += leaves.values[forest.leaves[at[r]]]


@compiled
def _walk(
    forest: Forest, tree: int, codes: CodeRows, at: npt.NDArray[np.int32], count: int
) -> None:
    """Set `at` to the leaves of the first `count` rows; all take a step together."""
    for r in range(count):
        at[r] = forest.roots[tree]
    for _ in range(forest.depths[tree]):
        for r in range(count):
            node = at[r]
            at[r] = forest.onward[node] + (codes[forest.columns[node], r] > forest.limits[node])


@compiled
def _encode(rows: Floats, book: CodeBook, codes: CodeRows) -> None:
    """Fill the codes of the rows, column by column."""
    count = len(rows)
    values, places = np.empty(count, np.float64), np.empty(count, np.int32)
    for i in range(len(book.features)):
        for r in range(count):
            value = rows[r, book.features[i]]
            values[r] = 0.0 if abs(value) <= _NEAR_ZERO else value
        edges = book.edges[book.edge_starts[i] : book.edge_starts[i + 1]]
        first, last = book.column_starts[i], book.column_starts[i + 1]
        if book.rules[first] == IS_IN:
            _find_categories(values, edges, places)
            for column in range(first, last):
                for r in range(count):
                    codes[column, r] = book.answers[book.answers_at[column] + places[r]]
        else:
            _count_below(values, edges, places)
            for column in range(first, last):
                _code_numbers(values, places, edges, book.rules[column], codes[column])


@compiled
def _find_categories(values: Floats, edges: Floats, places: npt.NDArray[np.int32]) -> None:
    """Set each category's place among the edges; all others have the place after the last."""
    for r in range(len(values)):
        places[r] = len(edges)
        if -1.0 < values[r] < _CATEGORIES_END:
            category = np.trunc(values[r])
            place = np.searchsorted(edges, category)
            if place < len(edges) and edges[place] == category:
                places[r] = place


@compiled
def _count_below(values: Floats, edges: Floats, places: npt.NDArray[np.int32]) -> None:
    """Set the number of edges below each value, halving the interval for all rows at once."""
    for r in range(len(values)):
        places[r] = 0
    left = len(edges)
    while left > 1:
        half = left >> 1
        for r in range(len(values)):
            places[r] += half * (edges[places[r] + half - 1] < values[r])
        left -= half
    for r in range(len(values)):
        places[r] += edges[places[r]] < values[r]


@compiled
def _code_numbers(
    values: Floats, places: npt.NDArray[np.int32], edges: Floats, rule: int, column: CodeRows
) -> None:
    """Fill one column of codes of a number, missing values by the column's rule."""
    missing = 0 if rule in (NAN_LOW, ZERO_LOW) else len(edges) + 1
    if rule == AS_ZERO:
        missing = 1
        for edge in edges:
            missing += edge < 0.0
    is_nan_only = rule in (AS_ZERO, NAN_LOW, NAN_HIGH)
    for r in range(len(values)):
        value = values[r]
        is_missing = value != value or (value == 0.0 and not is_nan_only)
        column[r] = missing if is_missing else places[r] + 1


@compiled_once
def _explain(
    rows: Floats,
    book_arrays: tuple[npt.NDArray[Any], ...],
    group_arrays: tuple[npt.NDArray[Any], ...],
    rule_arrays: tuple[npt.NDArray[Any], ...],
    room_arrays: tuple[npt.NDArray[Any], ...],
    contributions: Floats,
) -> None:
    groups, rule, room = Groups(*group_arrays), Quadrature(*rule_arrays), Room(*room_arrays)
    _encode(rows, CodeBook(*book_arrays), room.codes)
    for group in range(len(groups.bits)):
        first, last = groups.leaf_starts[group], groups.leaf_starts[group + 1]
        for leaf in range(first, last):
            _set_factors(groups, rule, leaf, room.factors[leaf - first])
        if groups.bits[group] > MOST_BITS:
            _explain_wide(groups, group, room, contributions)
            continue
        _set_patterns(groups, group, room.codes, room.patterns)
        if last - first == 1:
            _fill_single(groups, group, room)
        else:
            _fill_several(groups, group, room)
        begin = groups.member_starts[group]
        width = groups.member_starts[group + 1] - begin
        for q in range(width):
            line = contributions[groups.members[begin + q]]
            for r in range(len(line)):
                line[r] += room.table[np.int64(room.patterns[r]) * width + q]


@compiled
def _set_factors(groups: Groups, rule: Quadrature, leaf: int, factors: Floats) -> None:
    """Set what each slot of a leaf multiplies by, at each point of the leaf's rule.

    A row that fits multiplies by z + (1 - z) t, else by z (1 - t). Taking the
    feature's own factor out again and weighing by o - z leaves (1 - z) over the factor
    for a row that fits; for one that does not, -1 / (1 - t) whatever the feature.
    """
    begin = groups.slot_starts[leaf]
    count = groups.slot_starts[leaf + 1] - begin
    order = (count + 1) // 2
    for k in range(order):
        point = rule.points[rule.starts[order] + k]
        weight = rule.weights[rule.starts[order] + k]
        factors[_AWAY, 0, k] = weight / (1.0 - point)
        for j in range(count):
            share = groups.shares[begin + j]
            way = share + (1.0 - share) * point
            factors[_WAY, j, k] = way
            factors[_FALL, j, k] = share * (1.0 - point)
            factors[_TURN, j, k] = (1.0 - share) / way * weight


@compiled
def _set_patterns(
    groups: Groups, group: int, codes: CodeRows, patterns: npt.NDArray[np.uint16]
) -> None:
    """Set each row's pattern: all bits but those of failed tests."""
    patterns[:] = (1 << groups.bits[group]) - 1
    nothing = np.uint16(0)
    for test in range(groups.test_starts[group], groups.test_starts[group + 1]):
        column, limit = codes[groups.test_columns[test]], np.uint32(groups.test_limits[test])
        bit = np.uint16(1 << groups.test_bits[test])
        if_above, if_below = (nothing, bit) if groups.test_rights[test] else (bit, nothing)
        for r in range(len(patterns)):
            patterns[r] &= ~(if_above if column[r] > limit else if_below)


@compiled
def _fill_single(groups: Groups, group: int, room: Room) -> None:
    """Fill the table's lines of a group of one leaf for the patterns at hand."""
    leaf = groups.leaf_starts[group]
    count = groups.slot_starts[leaf + 1] - groups.slot_starts[leaf]
    value, factors, flags = groups.values[leaf], room.factors[0], room.flags
    stamps, table, product = room.stamps, room.table, room.product
    for pattern in room.patterns:
        if stamps[pattern] != group:
            stamps[pattern] = group
            for j in range(count):
                flags[j] = (pattern >> j) & 1
            at = np.int64(pattern) * count
            _share_leaf(value, factors, flags, product, table[at : at + count])


@compiled
def _fill_several(groups: Groups, group: int, room: Room) -> None:
    """Fill the table's lines of a group of leaves: the sum of what its leaves give."""
    width = groups.member_starts[group + 1] - groups.member_starts[group]
    stamps, table = room.stamps, room.table
    for pattern in room.patterns:
        if stamps[pattern] == group:
            continue
        stamps[pattern] = group
        line = np.int64(pattern) * width
        for q in range(width):
            table[line + q] = 0.0
        stamps_at, values_at = 0, 0
        for leaf in range(groups.leaf_starts[group], groups.leaf_starts[group + 1]):
            begin = groups.slot_starts[leaf]
            count = groups.slot_starts[leaf + 1] - begin
            failed, own = np.uint32(pattern) ^ groups.wanted[leaf], 0
            for j in range(count):
                fits = (failed & groups.masks[begin + j]) == 0
                room.flags[j] = fits
                own |= fits << j
            at = values_at + own * count
            if room.leaf_stamps[stamps_at + own] != group:
                room.leaf_stamps[stamps_at + own] = group
                factors = room.factors[leaf - groups.leaf_starts[group]]
                shares = room.leaf_table[at : at + count]
                _share_leaf(groups.values[leaf], factors, room.flags, room.product, shares)
            for j in range(count):
                table[line + groups.places[begin + j]] += room.leaf_table[at + j]
            stamps_at += 1 << count
            values_at += (1 << count) * count


@compiled
def _share_leaf(
    value: float,
    factors: Floats,
    flags: npt.NDArray[np.uint8],
    product: Floats,
    shares: Floats,
) -> None:
    """Set what each slot's feature gets from a leaf of this value, for the flags at hand."""
    order = (len(shares) + 1) // 2
    for k in range(order):
        product[k] = value
    for j in range(len(shares)):
        kind = _WAY if flags[j] else _FALL
        for k in range(order):
            product[k] *= factors[kind, j, k]
    loss = 0.0
    for k in range(order):
        loss -= product[k] * factors[_AWAY, 0, k]
    for j in range(len(shares)):
        if flags[j]:
            gain = 0.0
            for k in range(order):
                gain += product[k] * factors[_TURN, j, k]
            shares[j] = gain
        else:
            shares[j] = loss


@compiled
def _explain_wide(groups: Groups, group: int, room: Room, contributions: Floats) -> None:
    """Add what one leaf gives, row by row, where there are too many answers for patterns."""
    leaf, begin = groups.leaf_starts[group], groups.member_starts[group]
    shares = np.empty(groups.member_starts[group + 1] - begin, np.float64)
    for r in range(contributions.shape[1]):
        room.flags[: len(shares)] = 1
        for test in range(groups.test_starts[group], groups.test_starts[group + 1]):
            is_above = room.codes[groups.test_columns[test], r] > groups.test_limits[test]
            if is_above != (groups.test_rights[test] == 1):
                room.flags[groups.test_bits[test]] = 0
        _share_leaf(groups.values[leaf], room.factors[0], room.flags, room.product, shares)
        for q in range(len(shares)):
            contributions[groups.members[begin + q], r] += shares[q]
