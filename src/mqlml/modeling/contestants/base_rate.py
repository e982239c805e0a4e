"""The contestant that knows nothing of a lead: the share of conversions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

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

NAME = "base_rate"
_FILE = "base_rate.json"


@dataclass(frozen=True)
class FittedBaseRate:
    """The same log-odds for every lead."""

    intercept: float
    shape: MatrixShape

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the base rate's log-odds for each row."""
        return np.full(len(matrix), self.intercept)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return zero for every column and the whole log-odds as `__base`."""
        columns = self.shape.columns
        return frame_of(np.zeros((len(matrix), len(columns))), columns, self.intercept)

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; only base is not zero."""
        return parts_of(self.contributions(matrix), self.shape)

    def to_files(self) -> dict[str, bytes]:
        """Return the one file that holds it."""
        return {_FILE: json_bytes({"intercept": self.intercept, "shape": self.shape.to_json()})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "FittedBaseRate":
        """Return the model that `to_files` gave."""
        values = json_value(files[_FILE])
        return cls(values["intercept"], MatrixShape.from_json(values["shape"]))


@dataclass(frozen=True)
class BaseRate:
    """The contestant every other one must beat."""

    name: str = NAME
    complexity: int = 0

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the base rate's log-odds; there is nothing to search."""
        return {setting_of(): self.fit(rows, setting_of()).log_odds(valid)}

    def fit(self, rows: TrainingRows, setting: Setting) -> FittedBaseRate:
        """Return the share of conversions in `rows`."""
        del setting
        return fit_base_rate(rows)


def fit_base_rate(rows: TrainingRows) -> FittedBaseRate:
    """Return the share of conversions, half a case away from never and always."""
    positives, count = float(rows.labels.sum()), len(rows.labels)
    odds = (positives + 0.5) / (count - positives + 0.5)
    return FittedBaseRate(float(np.log(odds)), rows.shape)
