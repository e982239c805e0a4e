"""Gradient boosting whose log-odds are base + fit + engagement, exactly.

No tree sees columns of both axes, so every tree belongs to one axis and the sum
of an axis's trees is that axis's part. Each tree is measured against its own
average over the training rows; the averages together are the base.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mqlml.modeling.contestants.base_rate import FittedBaseRate, fit_base_rate
from mqlml.modeling.contestants.contestant import (
    NO_HALF_LIFE,
    Floats,
    Setting,
    TrainingRows,
    by_window,
    frame_of,
    setting_of,
    window_of,
)
from mqlml.modeling.contestants.logistic import FILE as LOGISTIC_FILE
from mqlml.modeling.contestants.logistic import FittedLogistic, Logistic
from mqlml.modeling.encoders import TreeEncoder, fit_tree_encoder
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import AXES, MatrixShape
from mqlml.modeling.trees.ensemble import Ensemble
from mqlml.modeling.trees.text import Tree

NAME = "lightgbm"
_TEXT_FILE = "booster.txt"
_FILE = "boosting.json"

_LEARNING_RATE = 0.1
_COLUMN_SHARE = 0.7
_TREE_COUNTS = (10, 20, 40, 80, 160)
# Trees that each say less need more of them.
_SLOW_TREE_COUNTS = (40, 80, 160, 320)
# What trees start from (0: nothing; else a linear model of this strength, which
# carries trends beyond what training saw), leaves, shrinkage. Small trees, strongly
# shrunk: real tables are small and drift.
_SHAPES = ((0.0, 4, 20.0), (0.1, 4, 20.0), (0.0, 12, 8.0))
_FORGETTING_SHAPES = _SHAPES[:2]
_MOST_ROWS_IN_SMALLEST_LEAF = 100
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class FittedBoosting:
    """A booster's text with the encoder of its matrix, and the linear model it starts from."""

    text: str
    encoder: TreeEncoder
    start: FittedLogistic | None
    shape: MatrixShape

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    @cached_property
    def _ensemble(self) -> Ensemble:
        return Ensemble.from_text(self.text)

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row; without a start, LightGBM's raw score to the bit."""
        pieces = [self._ensemble.raw_scores(codes) for codes in self._codes(matrix)]
        said = np.concatenate([np.empty(0), *pieces])
        return said + self.start.log_odds(matrix) if self.start else said

    def _codes(self, matrix: pd.DataFrame) -> Iterator[Floats]:
        """Yield the rows' codes, some rows at a time: of a large table they are large."""
        for first in range(0, len(matrix), _ROWS_AT_ONCE):
            yield self.encoder.transform(matrix.iloc[first : first + _ROWS_AT_ONCE])

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the exact TreeSHAP values by column and `__base`."""
        values = self._ensemble.contributions(self.encoder.transform(matrix))
        frame = frame_of(values.T, self.shape.columns, self._ensemble.base)
        return frame + self.start.contributions(matrix) if self.start else frame

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        trees = self._ensemble.trees
        away = [tree.leaf_values - tree.average for tree in trees]
        axes = [_axis_of(tree, self.shape) for tree in trees]
        pieces = [self._ensemble.sums(c, away, axes, len(AXES)) for c in self._codes(matrix)]
        sums = np.concatenate([np.empty((len(AXES), 0)), *pieces], axis=1)
        found = pd.DataFrame(
            {
                "base": np.full(len(matrix), self._ensemble.base),
                **dict(zip(AXES, sums, strict=True)),
            }
        )
        return found + self.start.parts(matrix) if self.start else found

    def to_files(self) -> dict[str, bytes]:
        """Return LightGBM's own text, the encoder's JSON, and the linear model's."""
        values = {"encoder": self.encoder.to_json(), "shape": self.shape.to_json()}
        start = self.start.to_files() if self.start else {}
        return {_TEXT_FILE: self.text.encode(), _FILE: json_bytes(values), **start}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "FittedBoosting":
        """Return the model that `to_files` gave."""
        values = json_value(files[_FILE])
        return cls(
            text=files[_TEXT_FILE].decode(),
            encoder=TreeEncoder.from_json(values["encoder"]),
            start=FittedLogistic.from_files(files) if LOGISTIC_FILE in files else None,
            shape=MatrixShape.from_json(values["shape"]),
        )


@dataclass(frozen=True)
class Boosting:
    """Searches the size of the trees, their shrinkage and number, and the half-life of weights.

    `drawn` are settings beyond the usual ones (`space.drawn_trees`), without a number of trees.

    With `is_free` a tree may see columns of both axes: a yardstick of what keeping the
    axes apart costs, whose parts do not add up.
    """

    half_lives: tuple[float, ...] = (NO_HALF_LIFE,)
    monotone: tuple[tuple[str, int], ...] = ()
    is_free: bool = False
    drawn: tuple[Setting, ...] = ()
    name: str = NAME
    complexity: int = 4

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        found: dict[Setting, Floats] = {}
        for window, shapes in by_window(self._shapes()).items():
            found |= self._searched(rows.latest(window), shapes, valid)
        return found

    def _searched(
        self, rows: TrainingRows, shapes: Sequence[Setting], valid: pd.DataFrame
    ) -> dict[Setting, Floats]:
        if not rows.can_learn:
            constant = fit_base_rate(rows).log_odds(valid)
            return {_with_trees(s, count): constant for s in shapes for count in _counts_of(s)}
        data = _Data(fit_tree_encoder(rows.matrix, rows.shape), rows)
        encoded = data.encoder.transform(valid)
        found: dict[Setting, Floats] = {}
        for shape in shapes:
            start, counts = _start(rows, shape), _counts_of(shape)
            booster = self._train(data, start, _with_trees(shape, counts[-1]))
            first = start.log_odds(valid) if start else np.zeros(len(valid))
            staged = _staged(booster, encoded, counts)
            found |= {_with_trees(shape, n): first + said for n, said in staged.items()}
        return found

    def fit(self, rows: TrainingRows, setting: Setting) -> "FittedBoosting | FittedBaseRate":
        """Return the booster learnt from `rows` under one setting."""
        rows = rows.latest(window_of(setting))
        if not rows.can_learn:
            return fit_base_rate(rows)
        return self._fitted(rows, setting, _start(rows, setting))

    def fit_again(
        self, rows: TrainingRows, setting: Setting, fitted: FittedBoosting
    ) -> FittedBoosting:
        """Return what `fit` does, by the start of a model fitted to these rows and setting."""
        return self._fitted(rows.latest(window_of(setting)), setting, fitted.start)

    def _fitted(
        self, rows: TrainingRows, setting: Setting, start: FittedLogistic | None
    ) -> FittedBoosting:
        data = _Data(fit_tree_encoder(rows.matrix, rows.shape), rows)
        booster = self._train(data, start, setting)
        return FittedBoosting(booster.model_to_string(), data.encoder, start, rows.shape)

    def _shapes(self) -> Iterator[Setting]:
        for half_life in self.half_lives:
            shapes = _SHAPES if half_life == NO_HALF_LIFE else _FORGETTING_SHAPES
            for start, leaves, shrinkage in shapes:
                if start and self.monotone:
                    continue  # a linear start could run against the declared direction
                yield setting_of(start=start, leaves=leaves, l2=shrinkage, half_life=half_life)
        yield from self.drawn

    def _train(self, data: "_Data", start: FittedLogistic | None, setting: Setting) -> Any:
        import lightgbm

        values, rows = dict(setting), data.rows
        parameters = {
            "objective": "binary",
            "learning_rate": values.get("rate", _LEARNING_RATE),
            "num_leaves": int(values["leaves"]),
            "lambda_l2": values["l2"],
            "min_data_in_leaf": _smallest_leaf(values, len(rows.labels)),
            "cat_smooth": 20.0,
            "cat_l2": 20.0,
            "feature_fraction": values.get("columns", _COLUMN_SHARE),
            "boost_from_average": start is None,
            "seed": rows.seed,
            **({} if self.is_free else _axes_apart(rows.shape)),
            **_directions(rows.shape, dict(self.monotone)),
            **_REPEATABLE,
        }
        prepared = data.prepared(start, values["half_life"])
        return lightgbm.train(parameters, prepared, num_boost_round=int(values["trees"]))


@dataclass(frozen=True)
class _Data:
    """Training rows in LightGBM's form, binned once for all settings."""

    encoder: TreeEncoder
    rows: TrainingRows

    @cached_property
    def _plain(self) -> Any:
        return self._binned(None)

    @cached_property
    def _started(self) -> Any:
        # LightGBM does not take a start back from rows that once had one: they are
        # kept apart. Equal rows have equal bins, so none are made only to be taken over.
        return self._binned(self.__dict__.get("_plain"))

    def _binned(self, reference: Any) -> Any:
        import lightgbm

        # The codes are not kept beside the bins: of a large table they are most of the memory.
        return lightgbm.Dataset(
            self.encoder.transform(self.rows.matrix),
            label=self.rows.labels,
            reference=reference,
            feature_name=[f"c{i}" for i in range(len(self.encoder.columns))],
            categorical_feature=list(self.encoder.category_positions),
            params=_REPEATABLE,
        ).construct()

    def prepared(self, start: FittedLogistic | None, half_life: float) -> Any:
        """Return the binned rows with weights, and what the linear model says of them."""
        rows = self._started if start else self._plain
        if start:
            rows.set_init_score(start.log_odds(self.rows.matrix))
        rows.set_weight(self.rows.weights(half_life))
        return rows


def _start(rows: TrainingRows, setting: Setting) -> FittedLogistic | None:
    """Return the linear model that the trees correct, None to start from the base rate."""
    values = dict(setting)
    if values["start"] == 0:
        return None
    linear = setting_of(c=values["start"], half_life=values["half_life"])
    fitted = Logistic().fit(rows, linear)
    return fitted if isinstance(fitted, FittedLogistic) else None


_REPEATABLE = {
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
    "max_bin": 127,
    "feature_pre_filter": False,
}


def _counts_of(shape: Setting) -> tuple[int, ...]:
    is_slow = dict(shape).get("rate", _LEARNING_RATE) < _LEARNING_RATE
    return _SLOW_TREE_COUNTS if is_slow else _TREE_COUNTS


def _smallest_leaf(values: Mapping[str, float], rows: int) -> int:
    """Return how many rows a leaf has at least; of a small table never more than a hundredth."""
    most = max(10, rows // 100)
    return min(int(values.get("smallest", _MOST_ROWS_IN_SMALLEST_LEAF)), most)


def _with_trees(shape: Setting, count: int) -> Setting:
    return (*shape, ("trees", float(count)))


def _staged(booster: Any, encoded: Floats, counts: Sequence[int]) -> dict[int, Floats]:
    """Return the log-odds after each of the tree counts, each tree evaluated once."""
    found, total, before = {}, np.zeros(len(encoded)), 0
    for count in counts:
        step = {"start_iteration": before, "num_iteration": count - before}
        total = total + booster.predict(encoded, raw_score=True, num_threads=1, **step)
        found[count], before = total, count
    return found


def _axes_apart(shape: MatrixShape) -> dict[str, Any]:
    """Return LightGBM's parameter that keeps columns of different axes in different trees."""
    groups = [[i for i, own in enumerate(shape.axes) if own == axis] for axis in AXES]
    return {"interaction_constraints": groups} if all(groups) else {}


def _directions(shape: MatrixShape, monotone: Mapping[str, int]) -> dict[str, Any]:
    """Return LightGBM's parameter that keeps directions as declared."""
    if not any(monotone.values()):
        return {}
    return {"monotone_constraints": [monotone.get(name, 0) for name in shape.columns]}


def _axis_of(tree: Tree, shape: MatrixShape) -> int:
    """Return the place of a tree's axis among AXES, -1 for a tree without a split."""
    return AXES.index(shape.axes[tree.splits[0].feature]) if tree.splits else -1
