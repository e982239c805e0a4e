"""The hand-made scoring sheet: points by rules, turned into a probability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.modeling.contestants.base_rate import FittedBaseRate, fit_base_rate
from mqlml.modeling.contestants.contestant import (
    Floats,
    Setting,
    TrainingRows,
    frame_of,
    parts_of,
    setting_of,
)
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.settings import PointsRule
from mqlml.tables.expressions import columns_of, evaluate

NAME = "points_rules"
_FILE = "points_rules.json"
# Keeps the slope finite when points separate the classes; far too weak to be felt otherwise.
_STRENGTH = 100.0


@dataclass(frozen=True)
class FittedPointsRules:
    """Log-odds = base + slope × (points − average points)."""

    rules: tuple[PointsRule, ...]
    slope: float
    centre: tuple[float, ...]
    base: float
    shape: MatrixShape

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row."""
        return np.asarray(self.base + self._pieces(matrix).sum(axis=1), dtype=np.float64)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return each rule's points above average, shared by the columns it reads."""
        position = {name: i for i, name in enumerate(self.shape.columns)}
        summed = np.zeros((len(matrix), len(position)))
        base = np.full(len(matrix), self.base)
        for rule, piece in zip(self.rules, self._pieces(matrix).T, strict=True):
            read = columns_of(rule.when)
            for name in read:
                summed[:, position[name]] += piece / len(read)
            if not read:
                base += piece
        frame = frame_of(summed, self.shape.columns, 0.0)
        frame[frame.columns[-1]] = base
        return frame

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        return parts_of(self.contributions(matrix), self.shape)

    def to_files(self) -> dict[str, bytes]:
        """Return the one file that holds it."""
        values = {
            "base": self.base,
            "centre": self.centre,
            "rules": [rule.model_dump() for rule in self.rules],
            "shape": self.shape.to_json(),
            "slope": self.slope,
        }
        return {_FILE: json_bytes(values)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "FittedPointsRules":
        """Return the model that `to_files` gave."""
        values = json_value(files[_FILE])
        return cls(
            rules=tuple(PointsRule.model_validate(rule) for rule in values["rules"]),
            slope=values["slope"],
            centre=tuple(values["centre"]),
            base=values["base"],
            shape=MatrixShape.from_json(values["shape"]),
        )

    def _pieces(self, matrix: pd.DataFrame) -> Floats:
        away = points_of(self.rules, matrix) - np.array(self.centre)
        return np.asarray(self.slope * away, dtype=np.float64)


@dataclass(frozen=True)
class PointsRules:
    """The rules as given; only what a point is worth in log-odds is learnt."""

    rules: tuple[PointsRule, ...]
    name: str = NAME
    complexity: int = 1

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows; there is nothing to search."""
        return {setting_of(): self.fit(rows, setting_of()).log_odds(valid)}

    def fit(self, rows: TrainingRows, setting: Setting) -> "FittedPointsRules | FittedBaseRate":
        """Return the rules with the slope that `rows` give their points."""
        from sklearn.linear_model import LogisticRegression

        del setting
        points = points_of(self.rules, rows.matrix)
        total = points.sum(axis=1)
        spread = float(total.std())
        if not rows.can_learn or spread == 0:
            return fit_base_rate(rows)
        solver = LogisticRegression(C=_STRENGTH, solver="newton-cholesky", tol=1e-8)
        solver.fit(((total - total.mean()) / spread).reshape(-1, 1), rows.labels)
        return FittedPointsRules(
            rules=self.rules,
            slope=float(solver.coef_[0, 0]) / spread,
            centre=tuple(points.mean(axis=0).tolist()),
            base=float(solver.intercept_[0]),
            shape=rows.shape,
        )


def points_of(rules: Sequence[PointsRule], matrix: pd.DataFrame) -> Floats:
    """Return one column per rule: its points where its condition holds, else 0."""
    read = sorted({name for rule in rules for name in columns_of(rule.when)})
    texts = {f"model.points_rules[{i}]": rule.when for i, rule in enumerate(rules)}
    # A rule about a column that is not there is refused with all names at hand.
    is_known = set(read) <= set(matrix.columns)
    holds = evaluate(matrix[read] if is_known else matrix, texts).to_numpy(dtype=np.float64)
    return np.asarray(holds * np.array([rule.points for rule in rules]), dtype=np.float64)
