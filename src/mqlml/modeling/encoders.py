"""Feature matrix → numbers for a model; fitted on training rows, stored as JSON.

Two encodings: a design matrix for linear models (categories one-hot with pooled
rare levels, numbers winsorised, logged when skewed, standardised, bent at
quantile knots) and a code matrix for trees. Missing and never-seen values are
values of their own, so no row is ever refused.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.matrix import MatrixShape

Floats = npt.NDArray[np.float64]

MISSING = "(missing)"
OTHER = "(other)"
_WINSOR_SHARES = (0.005, 0.995)
_KNOT_SHARES = (0.25, 0.5, 0.75)
_BEYOND = 1.0
_SKEW_TO_LOG = 1.0
_FEWEST_DISTINCT_FOR_KNOTS = 8


@dataclass(frozen=True)
class NumberCode:
    """How one number becomes design columns: value, hinges at `knots`, missing indicator."""

    column: str
    low: float
    high: float
    is_logged: bool
    mean: float
    scale: float
    knots: tuple[float, ...]
    has_missing: bool

    @property
    def width(self) -> int:
        """Return how many design columns the number takes."""
        return 1 + len(self.knots) + self.has_missing

    def transform(self, values: Floats) -> Floats:
        """Return the design columns; a missing value is average, plus its indicator."""
        is_missing = np.isnan(values)
        z = (self._bent(values) - self.mean) / self.scale
        z[is_missing] = 0.0
        hinges = [np.where(is_missing, 0.0, np.maximum(z - knot, 0.0)) for knot in self.knots]
        indicator = [is_missing.astype(np.float64)] if self.has_missing else []
        return np.column_stack([z, *hinges, *indicator])

    def _bent(self, values: Floats) -> Floats:
        bent = np.log1p(np.maximum(values, 0.0)) if self.is_logged else values
        return np.clip(bent, self.low, self.high)


@dataclass(frozen=True)
class CategoryCode:
    """How one category becomes codes or one-hot columns: `levels` first, then (other).

    Without enough pooled rows to learn from, (other) has no design column: a
    never-seen value then neither raises nor lowers the score.
    """

    column: str
    levels: tuple[str, ...]
    has_other: bool

    @property
    def width(self) -> int:
        """Return how many design columns the category takes."""
        return len(self.levels) + self.has_other

    def codes(self, values: "pd.Series[Any]") -> npt.NDArray[np.int64]:
        """Return the position of each value's level; never-seen values get the last code."""
        texts, places = _texts(values)
        found = pd.Index(self.levels).get_indexer(pd.Index(texts))
        codes = np.where(found < 0, len(self.levels), found).astype(np.int64)
        return codes[places]

    def transform(self, values: "pd.Series[Any]") -> Floats:
        """Return one column of zeros and ones per level, and one for all other values."""
        return np.eye(len(self.levels) + 1)[self.codes(values), : self.width]


@dataclass(frozen=True)
class LinearEncoder:
    """The design matrix of linear models."""

    numbers: tuple[NumberCode, ...]
    categories: tuple[CategoryCode, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the plan column behind each design column."""
        codes: list[NumberCode | CategoryCode] = [*self.numbers, *self.categories]
        return tuple(code.column for code in codes for _ in range(code.width))

    def transform(self, matrix: pd.DataFrame) -> Floats:
        """Return the design matrix, one row per row of `matrix`."""
        # Filled code by code: blocks beside the whole would take its memory twice.
        filled, first = np.empty((len(matrix), len(self.sources))), 0
        for block in self._blocks(matrix):
            filled[:, first : first + block.shape[1]] = block
            first += block.shape[1]
        return filled

    def _blocks(self, matrix: pd.DataFrame) -> Iterator[Floats]:
        yield from (code.transform(numbers_of(matrix, code.column)) for code in self.numbers)
        yield from (code.transform(matrix[code.column]) for code in self.categories)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "LinearEncoder":
        """Return the encoder that `to_json` gave."""
        numbers = tuple(NumberCode(**{**n, "knots": tuple(n["knots"])}) for n in values["numbers"])
        return cls(numbers, _categories_from(values["categories"]))


@dataclass(frozen=True)
class TreeEncoder:
    """The matrix of tree models: numbers as they are, categories as codes."""

    columns: tuple[str, ...]
    categories: tuple[CategoryCode, ...]

    @property
    def category_positions(self) -> tuple[int, ...]:
        """Return which matrix columns hold category codes."""
        names = {code.column for code in self.categories}
        return tuple(i for i, name in enumerate(self.columns) if name in names)

    def transform(self, matrix: pd.DataFrame) -> Floats:
        """Return the matrix, one row per row of `matrix`; missing numbers stay NaN."""
        by_name = {code.column: code for code in self.categories}
        filled = np.empty((len(matrix), len(self.columns)))
        for i, name in enumerate(self.columns):
            code = by_name.get(name)
            filled[:, i] = code.codes(matrix[name]) if code else numbers_of(matrix, name)
        return filled

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TreeEncoder":
        """Return the encoder that `to_json` gave."""
        return cls(tuple(values["columns"]), _categories_from(values["categories"]))


def fit_linear_encoder(matrix: pd.DataFrame, shape: MatrixShape) -> LinearEncoder:
    """Return the linear encoder of the training rows `matrix`; constant columns get no part."""
    numbers = [
        _fit_number(name, numbers_of(matrix, name))
        for name in shape.columns
        if not shape.is_category(name)
    ]
    fewest = _fewest_rows(len(matrix))
    categories = [_fit_category(matrix[name], fewest) for name in shape.categories]
    return LinearEncoder(
        tuple(code for code in numbers if code is not None),
        tuple(code for code in categories if _varies(matrix[code.column])),
    )


def _varies(values: "pd.Series[Any]") -> bool:
    texts, _ = _texts(values)
    return bool((texts != texts[:1]).any())


def fit_tree_encoder(matrix: pd.DataFrame, shape: MatrixShape) -> TreeEncoder:
    """Return the tree encoder of the training rows `matrix`."""
    fewest = _fewest_rows(len(matrix))
    categories = tuple(_fit_category(matrix[name], fewest) for name in shape.categories)
    return TreeEncoder(shape.columns, categories)


def numbers_of(matrix: pd.DataFrame, column: str) -> Floats:
    """Return a number column as a fresh float array, missing as NaN."""
    return matrix[column].to_numpy(dtype=np.float64, na_value=np.nan, copy=True)


def _fewest_rows(rows: int) -> int:
    # Below this a level's own effect is noise: it is pooled with the other rare ones.
    return max(10, round(0.001 * rows))


def _fit_number(column: str, values: Floats) -> NumberCode | None:
    known = values[~np.isnan(values)]
    has_missing = bool(len(known) < len(values))
    if len(np.unique(known)) < 2 and not (has_missing and len(known)):
        return None
    is_logged = bool(known.min() >= 0) and _skewness(known) > _SKEW_TO_LOG
    bent = np.log1p(known) if is_logged else known
    low, high = _limits(bent)
    inside = np.clip(bent, low, high)
    mean, scale = float(inside.mean()), float(inside.std()) or 1.0
    knots = _knots((inside - mean) / scale)
    return NumberCode(column, low, high, is_logged, mean, scale, knots, has_missing)


def _limits(values: Floats) -> tuple[float, float]:
    """Return where values are cut: one bulk width beyond the bulk of the training values.

    Cutting at the bulk itself would forbid a trend to go on (a rate that falls
    below all it was before); not cutting at all would let one absurd value rule.
    """
    low, high = (float(q) for q in np.quantile(values, _WINSOR_SHARES))
    if low == high:  # a rare value beside one common value would be cut away
        low, high = float(values.min()), float(values.max())
    width = _BEYOND * (high - low)
    return low - width, high + width


def _skewness(values: Floats) -> float:
    spread = float(values.std())
    if not spread > 0:
        return 0.0
    z = (values - values.mean()) / spread
    return float((z * z * z).mean())  # a power of three is many times slower


def _knots(z: Floats) -> tuple[float, ...]:
    if len(np.unique(z)) < _FEWEST_DISTINCT_FOR_KNOTS:
        return ()
    knots = np.unique(np.quantile(z, _KNOT_SHARES))
    return tuple(float(knot) for knot in knots if z.min() < knot < z.max())


def _fit_category(values: "pd.Series[Any]", fewest_rows: int) -> CategoryCode:
    counts: Counter[str] = Counter()
    texts, places = _texts(values)
    for text, count in zip(texts, np.bincount(places, minlength=len(texts)), strict=True):
        counts[text] += int(count)  # two values may read the same
    ranked = sorted((-count, level) for level, count in counts.items())
    often = tuple(level for count, level in ranked if -count >= fewest_rows)
    pooled = sum(-count for count, _ in ranked if -count < fewest_rows)
    return CategoryCode(str(values.name), often, pooled >= fewest_rows)


def _texts(values: "pd.Series[Any]") -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Return the texts that occur, and for each value the place of its text among them."""
    if isinstance(values.dtype, pd.StringDtype):
        places, occurring = pd.factorize(values, use_na_sentinel=False)
    else:  # 1 and True are equal and read differently: each by itself
        places, occurring = np.arange(len(values)), pd.Index(values, dtype=values.dtype)
    is_missing = occurring.isna()
    texts = [MISSING if no else str(one) for one, no in zip(occurring, is_missing, strict=True)]
    return np.array(texts, dtype=object), places


def _categories_from(values: Sequence[dict[str, Any]]) -> tuple[CategoryCode, ...]:
    return tuple(CategoryCode(c["column"], tuple(c["levels"]), c["has_other"]) for c in values)
