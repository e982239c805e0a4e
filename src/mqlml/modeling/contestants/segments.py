"""One linear model per segment, each held near the pooled one: partial pooling.

A segment's log-odds are the pooled model's plus a deviation of its own, which a penalty
holds near zero and only evidence overcomes (a ridge around the pooled coefficients; Gelman
and Hill 2007, chapter 12). The search chooses how far segments may go their own way, so that
forward log loss decides between one pooled model and many. A segment without a model of its
own, a thin or a never-seen one, is scored by the pooled model.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.contestants.base_rate import FittedBaseRate, fit_base_rate
from mqlml.modeling.contestants.contestant import (
    NO_HALF_LIFE,
    Floats,
    Setting,
    TrainingRows,
    setting_of,
)
from mqlml.modeling.contestants.logistic import FittedLogistic, Logistic
from mqlml.modeling.contestants.near import held_near
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.segmenting import Segmenting

NAME = "segments"
_FILE = "segments.json"
# Strengths of the pooled model, and how far a segment may deviate from it.
_STRENGTHS = (0.03, 0.1)
_DEVIATIONS = (0.003, 0.03)

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FittedSegments:
    """A pooled linear model, and those of the segments that have their own."""

    pooled: FittedLogistic
    own: tuple[tuple[str, FittedLogistic], ...]
    by: Segmenting

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row, by its segment's model."""
        said = self.pooled.log_odds(matrix)
        for model, rows in self._models(matrix):
            said[rows] = model.log_odds(matrix.iloc[rows])
        return said

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return coefficient × distance from the average lead, by each row's own model."""
        return self._by_segment(matrix, FittedLogistic.contributions)

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        return self._by_segment(matrix, FittedLogistic.parts)

    def to_files(self) -> dict[str, bytes]:
        """Return the pooled model's file, and one of what differs in the segments."""
        own = [
            {"segment": level, "base": model.base, "coefficients": model.coefficients}
            for level, model in self.own
        ]
        return {**self.pooled.to_files(), _FILE: json_bytes({**self.by.to_json(), "own": own})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "FittedSegments":
        """Return the model that `to_files` gave."""
        pooled, values = FittedLogistic.from_files(files), json_value(files[_FILE])
        own = tuple(
            (
                one["segment"],
                replace(pooled, base=one["base"], coefficients=tuple(one["coefficients"])),
            )
            for one in values["own"]
        )
        return cls(pooled, own, Segmenting.from_json(values))

    def _by_segment(
        self,
        matrix: pd.DataFrame,
        say: Callable[[FittedLogistic, pd.DataFrame], pd.DataFrame],
    ) -> pd.DataFrame:
        whole = say(self.pooled, matrix)
        values = whole.to_numpy(np.float64, copy=True)
        for model, rows in self._models(matrix):
            values[rows] = say(model, matrix.iloc[rows]).to_numpy(np.float64)
        return pd.DataFrame(values, columns=whole.columns)

    def _models(self, matrix: pd.DataFrame) -> Iterator[tuple[FittedLogistic, Rows]]:
        names = self.by.names(matrix)
        for level, model in self.own:
            rows = np.flatnonzero(names == level)
            if len(rows):
                yield model, rows


def is_by_persona(model: object) -> bool:
    """Return whether a model has models of its own for personas, by rules it took along."""
    fitted = getattr(model, "fitted", None)
    fitted = getattr(fitted, "inner", fitted)  # one that was told who was handed over holds another
    return isinstance(fitted, FittedSegments) and bool(fitted.by.rules and fitted.own)


@dataclass(frozen=True)
class Segments:
    """Searches the strength of the pooled model and how far segments may deviate from it.

    `levels` are the segments that are large enough for a model of their own; fewer than
    `min_conversions` of either outcome among the rows of a fold, and it is pooled there.
    """

    by: Segmenting
    levels: tuple[str, ...]
    min_conversions: int
    name: str = NAME
    complexity: int = 3

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        return {setting: self.fit(rows, setting).log_odds(valid) for setting in _settings()}

    def fit(self, rows: TrainingRows, setting: Setting) -> "FittedSegments | FittedBaseRate":
        """Return the pooled coefficients and the deviations of each large segment."""
        values = dict(setting)
        pooled = Logistic().fit(rows, setting_of(c=values["c"], half_life=NO_HALF_LIFE))
        if not isinstance(pooled, FittedLogistic):
            return fit_base_rate(rows)
        names = self.by.names(rows.matrix)
        theirs = ((level, np.flatnonzero(names == level)) for level in self.levels)
        own = (
            (level, held_near(pooled, rows, mine, variance=values["deviation"]))
            for level, mine in theirs
            if self._is_large(rows.labels[mine])
        )
        return FittedSegments(pooled, tuple(own), self.by)

    def _is_large(self, labels: Floats) -> bool:
        converted = float(labels.sum())
        return min(converted, len(labels) - converted) >= self.min_conversions


def _settings() -> Iterator[Setting]:
    for strength in _STRENGTHS:
        for deviation in _DEVIATIONS:
            yield setting_of(c=strength, deviation=deviation)
