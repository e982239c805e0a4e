"""Regularised logistic regression on the linear design matrix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from mqlml.modeling.encoders import LinearEncoder, fit_linear_encoder
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import AXES, MatrixShape

NAME = "logistic"
FILE = "logistic.json"
# Strong on purpose: on five public tables no forward folds asked for a weaker
# penalty by more than one standard error, and weak ones follow a drifting calendar.
_STRENGTHS = (0.01, 0.03, 0.1)

# Newton's steps are few and exact, and cost rows × columns²; beyond this many operations
# a step, or so many columns, many cheap steps are faster.
_NEWTON_COST, _NEWTON_COLUMNS = 5e9, 400
_MOST_DESIGN_CELLS = 40_000_000
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class FittedLogistic:
    """Coefficients of design columns around the training rows' average lead."""

    encoder: LinearEncoder
    coefficients: tuple[float, ...]
    centre: tuple[float, ...]
    base: float
    shape: MatrixShape

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row."""
        weights = np.array(self.coefficients)
        said = [self.base + (away * weights).sum(axis=1) for away in self._away(matrix)]
        return np.concatenate([np.empty(0), *said])

    def _away(self, matrix: pd.DataFrame) -> Iterator[Floats]:
        """Yield how far rows are from the average lead, some at a time."""
        centre = np.array(self.centre)
        for design in _designs(self.encoder, matrix):
            design -= centre
            yield design

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return coefficient × distance from the average lead, summed by plan column."""
        position = {name: i for i, name in enumerate(self.shape.columns)}
        summed = np.zeros((len(matrix), len(position)))
        first = 0
        for away in self._away(matrix):
            part = summed[first : first + len(away)]
            pieces = (away * np.array(self.coefficients)).T
            for piece, source in zip(pieces, self.encoder.sources, strict=True):
                part[:, position[source]] += piece
            first += len(away)
        return frame_of(summed, self.shape.columns, self.base)

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        axes = np.array([self.shape.axis_of(source) for source in self.encoder.sources], dtype=str)
        weights = {axis: np.where(axes == axis, np.array(self.coefficients), 0.0) for axis in AXES}
        said: dict[str, list[Floats]] = {axis: [np.empty(0)] for axis in AXES}
        # Row by row, never by a matrix product: a lead alone gets what it gets in a batch.
        for away in self._away(matrix):
            for axis in AXES:
                said[axis].append((away * weights[axis]).sum(axis=1))
        parts = {"base": np.full(len(matrix), self.base)}
        parts |= {axis: np.concatenate(pieces) for axis, pieces in said.items()}
        return pd.DataFrame(parts)

    def to_files(self) -> dict[str, bytes]:
        """Return the one file that holds it."""
        values = {
            "base": self.base,
            "centre": self.centre,
            "coefficients": self.coefficients,
            "encoder": self.encoder.to_json(),
            "shape": self.shape.to_json(),
        }
        return {FILE: json_bytes(values)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "FittedLogistic":
        """Return the model that `to_files` gave."""
        values = json_value(files[FILE])
        return cls(
            encoder=LinearEncoder.from_json(values["encoder"]),
            coefficients=tuple(values["coefficients"]),
            centre=tuple(values["centre"]),
            base=values["base"],
            shape=MatrixShape.from_json(values["shape"]),
        )


@dataclass(frozen=True)
class Logistic:
    """Searches the strength of regularisation and the half-life of weights, and what is `drawn`."""

    half_lives: tuple[float, ...] = (NO_HALF_LIFE,)
    strengths: tuple[float, ...] = _STRENGTHS
    drawn: tuple[Setting, ...] = ()
    name: str = NAME
    complexity: int = 2

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        found: dict[Setting, Floats] = {}
        for window, settings in by_window(self._settings()).items():
            found |= _searched(rows.latest(window), settings, valid)
        return found

    def fit(self, rows: TrainingRows, setting: Setting) -> "FittedLogistic | FittedBaseRate":
        """Return the coefficients learnt from `rows` under one setting."""
        rows = rows.latest(window_of(setting))
        if not rows.can_learn:
            return fit_base_rate(rows)
        encoder = fit_linear_encoder(rows.matrix, rows.shape)
        # A line through so many rows does not turn any more; their design would fill the memory.
        rows = rows.drawn(_MOST_DESIGN_CELLS // max(len(encoder.sources), 1))
        design = encoder.transform(rows.matrix)
        coefficients, intercept = _solve(design, rows, setting)
        centre = design.mean(axis=0)
        return FittedLogistic(
            encoder=encoder,
            coefficients=tuple(coefficients.tolist()),
            centre=tuple(centre.tolist()),
            base=intercept + float((centre * coefficients).sum()),
            shape=rows.shape,
        )

    def _settings(self) -> Iterator[Setting]:
        for half_life in self.half_lives:
            for strength in self.strengths:
                yield setting_of(c=strength, half_life=half_life)
        yield from self.drawn


def _searched(
    rows: TrainingRows, settings: Sequence[Setting], valid: pd.DataFrame
) -> dict[Setting, Floats]:
    if not rows.can_learn:
        return dict.fromkeys(settings, fit_base_rate(rows).log_odds(valid))
    encoder = fit_linear_encoder(rows.matrix, rows.shape)
    design = encoder.transform(rows.matrix)
    solved = {setting: _solve(design, rows, setting) for setting in settings}
    del design  # before the judged rows' one, which may be larger
    said: dict[Setting, list[Floats]] = {setting: [np.empty(0)] for setting in settings}
    for part in _designs(encoder, valid):
        for setting, (coefficients, intercept) in solved.items():
            said[setting].append(np.asarray(part @ coefficients + intercept))
    return {setting: np.concatenate(parts) for setting, parts in said.items()}


def _designs(encoder: LinearEncoder, matrix: pd.DataFrame) -> Iterator[Floats]:
    """Yield the rows' design, some rows at a time: a design is wide."""
    for first in range(0, len(matrix), _ROWS_AT_ONCE):
        yield encoder.transform(matrix.iloc[first : first + _ROWS_AT_ONCE])


def _solve(design: Floats, rows: TrainingRows, setting: Setting) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    values = dict(setting)
    if design.shape[1] == 0:
        return np.zeros(0), fit_base_rate(rows).intercept
    rows_count, columns = design.shape
    is_small = rows_count * columns**2 < _NEWTON_COST and columns <= _NEWTON_COLUMNS
    kind, tolerance = ("newton-cholesky", 1e-6) if is_small else ("lbfgs", 1e-5)
    solver = LogisticRegression(C=values["c"], solver=kind, max_iter=2_000, tol=tolerance)
    solver.fit(design, rows.labels, sample_weight=rows.weights(values["half_life"]))
    return np.asarray(solver.coef_[0], dtype=np.float64), float(solver.intercept_[0])
