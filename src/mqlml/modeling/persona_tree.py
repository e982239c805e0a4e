"""Groups of leads that differ in what they do, told by what they are.

A regression tree with many outputs (De'ath 2002, Multivariate regression trees, Ecology
83:1105): it splits leads by attributes so that within a group they do the same. How many
groups there are is decided by leads that came later than those that made the tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Floats
from mqlml.modeling.persona_rules import MISSING, REST, Among, Between, Condition, roundest

Rows = npt.NDArray[np.intp]

MOST_GROUPS = 6
_LEAST_LEADS = 50
_LEAST_SHARE = 0.05
# Of a category, values with fewer leads than this share are told together.
_RARE_SHARE = 0.01
_DEPTH = 3


@dataclass(frozen=True)
class Explained:
    """How much of what later leads do so many groups explain: mean over folds, and its error."""

    groups: int
    share: float
    standard_error: float


@dataclass(frozen=True)
class Groups:
    """The groups' conditions, the group of each lead, and what each number of groups explains.

    With nothing to tell apart there are no conditions, and every lead is of group 0.
    """

    conditions: tuple[tuple[Condition, ...], ...]
    group_of: Rows
    explained: tuple[Explained, ...]


def learn_groups(
    attributes: pd.DataFrame,
    behaviour: Floats,
    folds: Sequence[tuple[Rows, Rows]],
    *,
    groups: int | None = None,
) -> Groups:
    """Return the groups of leads, one row each in `attributes` and `behaviour`.

    Args:
        attributes: what leads are: numbers, and categories as text (missing is a value).
        behaviour: what they do, one column a habit, on scales that may be compared.
        folds: earlier and later leads, as positions; the smallest number of groups within
            one standard error of the best is taken, none if none beats one group.
        groups: how many there shall be at most, whatever later leads say.
    """
    shares = np.array([list(_shares(attributes, behaviour, *fold)) for fold in folds])
    explained = tuple(
        Explained(size, float(by_fold.mean()), _standard_error(by_fold))
        for size, by_fold in zip(_SIZES, shares.T, strict=True)
    )
    best = int(np.argmax(shares.mean(axis=0)))
    lost = shares[:, [best]] - shares
    good = next(
        one
        for one, by_fold in zip(explained, lost.T, strict=True)
        if by_fold.mean() <= _standard_error(by_fold)
    )
    if groups is None and good.share <= good.standard_error:
        return Groups((), np.zeros(len(attributes), dtype=np.intp), explained)
    tree = _Tree.learn(attributes, behaviour, groups or good.groups)
    return Groups(tree.conditions(), tree.group_of(attributes), explained)


_SIZES = tuple(range(2, MOST_GROUPS + 1))


def _standard_error(by_fold: Floats) -> float:
    return float(by_fold.std(ddof=1) / np.sqrt(len(by_fold))) if len(by_fold) > 1 else 0.0


def _shares(
    attributes: pd.DataFrame, behaviour: Floats, earlier: Rows, later: Rows
) -> Iterator[float]:
    """Yield, by number of groups, the share of later leads' differences that groups explain."""
    known, new = attributes.iloc[earlier], attributes.iloc[later]
    everyone = behaviour[earlier].mean(axis=0)
    alike = ((behaviour[later] - everyone) ** 2).sum()
    for size in _SIZES:
        tree = _Tree.learn(known, behaviour[earlier], size)
        away = ((behaviour[later] - tree.expected(new)) ** 2).sum()
        yield float(1.0 - away / alike) if alike > 0 else 0.0


@dataclass(frozen=True)
class _Code:
    """How a column becomes a number: a category's levels in the order of what their leads do."""

    column: str
    levels: tuple[str, ...] | None
    filled: float = 0.0
    has_gaps: bool = False

    def coded(self, column: "pd.Series[Any]") -> Floats:
        if self.levels is None:
            numbers = column.to_numpy(np.float64, na_value=np.nan)
            return np.where(np.isnan(numbers), self.filled, numbers)
        place = {value: float(i) for i, value in enumerate(self.levels)}
        rest = place.get(REST, (len(place) - 1) / 2)  # what nobody had while it was learnt
        texts = column.astype("object").where(column.notna(), MISSING)
        return np.asarray([place.get(text, rest) for text in texts], dtype=np.float64)


@dataclass(frozen=True)
class _Tree:
    """A fitted tree, the codes of its columns, and what the leads it learnt from look like."""

    codes: tuple[_Code, ...]
    fitted: Any
    coded: Floats

    @classmethod
    def learn(cls, attributes: pd.DataFrame, behaviour: Floats, groups: int) -> "_Tree":
        from sklearn.tree import DecisionTreeRegressor

        direction = _direction(behaviour)
        codes = tuple(_code(attributes[name], direction) for name in attributes)
        coded = _coded(codes, attributes)
        least = max(_LEAST_LEADS, int(np.ceil(_LEAST_SHARE * len(attributes))))
        tree = DecisionTreeRegressor(
            max_leaf_nodes=groups, max_depth=_DEPTH, min_samples_leaf=least, random_state=0
        )
        return cls(codes, tree.fit(coded, behaviour), coded)

    def expected(self, attributes: pd.DataFrame) -> Floats:
        """Return what leads of these attributes do, by their group."""
        said = np.asarray(self.fitted.predict(_coded(self.codes, attributes)))
        return said.reshape(len(attributes), -1)

    def group_of(self, attributes: pd.DataFrame) -> Rows:
        """Return each lead's group, counted as `conditions` lists them."""
        leaves = self.fitted.apply(_coded(self.codes, attributes))
        place = {leaf: group for group, (leaf, _) in enumerate(self._paths())}
        return np.array([place[leaf] for leaf in leaves], dtype=np.intp)

    def conditions(self) -> tuple[tuple[Condition, ...], ...]:
        """Return each group's conditions."""
        return tuple(tuple(path.values()) for _, path in self._paths())

    def _paths(
        self, node: int = 0, path: Mapping[str, Condition] | None = None
    ) -> Iterator[tuple[int, Mapping[str, Condition]]]:
        tree, path = self.fitted.tree_, path or {}
        if tree.children_left[node] < 0:
            yield node, path
            return
        code = self.codes[tree.feature[node]]
        threshold = self._bound(tree.feature[node], float(tree.threshold[node]))
        before = path.get(code.column) or _anything(code)
        for child, is_low in ((tree.children_left[node], True), (tree.children_right[node], False)):
            narrowed = _narrowed(before, code, threshold, is_low=is_low)
            yield from self._paths(int(child), {**path, code.column: narrowed})

    def _bound(self, place: int, threshold: float) -> float:
        """Return a bound that splits the leads as `threshold` does; of numbers the roundest."""
        values = self.coded[:, place]
        if self.codes[place].levels is not None:
            return threshold
        return roundest(values[values <= threshold].max(), values[values > threshold].min())


def _direction(behaviour: Floats) -> Floats:
    """Return along one number how leads differ most (the first principal component)."""
    away = behaviour - behaviour.mean(axis=0)
    _, vectors = np.linalg.eigh(away.T @ away)
    along = vectors[:, -1]
    return np.asarray(away @ (along * np.sign(along[np.argmax(np.abs(along))])))


def _code(column: "pd.Series[Any]", direction: Floats) -> _Code:
    name = str(column.name)
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        is_missing = np.isnan(numbers)
        middle = float(np.median(numbers[~is_missing])) if not is_missing.all() else 0.0
        return _Code(name, None, middle, has_gaps=bool(is_missing.any()))
    texts = column.astype("object").where(column.notna(), MISSING).to_numpy()
    per_value = pd.Series(direction).groupby(texts).agg(["mean", "size"])
    common = per_value[per_value["size"] >= max(_RARE_SHARE * len(texts), 2)]
    rare = ~np.isin(texts, common.index.to_numpy(dtype=object))
    means = {str(value): float(mean) for value, mean in common["mean"].items()}
    if rare.any():
        means[REST] = float(direction[rare].mean())
    # Equal means come by name, so that the same leads give the same order.
    return _Code(name, tuple(sorted(means, key=lambda value: (means[value], value))))


def _coded(codes: Sequence[_Code], attributes: pd.DataFrame) -> Floats:
    return np.column_stack([code.coded(attributes[code.column]) for code in codes])


def _anything(code: _Code) -> Condition:
    if code.levels is None:
        return Between(code.column, filled=code.filled if code.has_gaps else None)
    return Among(code.column, code.levels, ())


def _narrowed(before: Condition, code: _Code, bound: float, *, is_low: bool) -> Condition:
    """Return the condition on one side of a bound."""
    if isinstance(before, Between):
        return replace(before, high=bound) if is_low else replace(before, low=bound)
    order = {value: place for place, value in enumerate(code.levels or ())}
    inside = tuple(v for v in before.inside if (order[v] <= bound) == is_low)
    return Among(code.column, inside, tuple(v for v in order if v not in inside))
