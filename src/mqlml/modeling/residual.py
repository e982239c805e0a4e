"""A correction on top of a model: its log-odds stretched and shifted, plus a few columns' own.

After an abrupt change of what makes leads convert, most of what the old model knows still
holds, and there are few conversions to learn the rest from. So the old model stays inside, and
the rest is little: a shift, a stretch, and some columns with coefficients held near 0. What it
says still adds up column by column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from mqlml.modeling.calibration import Floats
from mqlml.modeling.encoders import LinearEncoder
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import AXES, BASE, MatrixShape

NAME = "residual"
FILE = "residual.json"
_INNER = "base-"


class Corrected(Protocol):
    """The model inside: calibrated log-odds that add up."""

    @property
    def shape(self) -> MatrixShape:
        """Return the shape of its matrices."""
        ...

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row."""
        ...

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per plan column and `__base`; rows sum to the log-odds."""
        ...

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold it."""
        ...


@dataclass(frozen=True)
class Correction:
    """Log-odds = shift + stretch × old log-odds + Σ coefficient × (design column − centre).

    Coefficients are of the encoder's design columns, 0 for those that say nothing new.
    """

    encoder: LinearEncoder
    coefficients: tuple[float, ...]
    centre: tuple[float, ...]
    shift: float
    stretch: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the plan's columns that are corrected, the most first."""
        size: dict[str, float] = {}
        for source, value in zip(self.encoder.sources, self.coefficients, strict=True):
            size[source] = size.get(source, 0.0) + abs(value)
        ranked = sorted(size, key=lambda name: (-size[name], name))
        return tuple(name for name in ranked if size[name] > 0)

    def pieces(self, matrix: pd.DataFrame) -> Floats:
        """Return coefficient × distance from the centre per row and design column."""
        away = self.encoder.transform(matrix) - np.array(self.centre)
        return np.asarray(away * np.array(self.coefficients), dtype=np.float64)


@dataclass(frozen=True)
class FittedResidual:
    """A model and the correction of what it says."""

    base: Corrected
    correction: Correction

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        return NAME

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row."""
        own = self.correction.pieces(matrix).sum(axis=1)
        old = self.correction.stretch * self.base.log_odds(matrix)
        return np.asarray(self.correction.shift + old + own, dtype=np.float64)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per plan column and `__base`; rows sum to the log-odds."""
        found = self.base.contributions(matrix) * self.correction.stretch
        for piece, source in zip(
            self.correction.pieces(matrix).T, self.correction.encoder.sources, strict=True
        ):
            found[source] += piece
        found[BASE] += self.correction.shift
        return found

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        parts = self.base.parts(matrix) * self.correction.stretch
        pieces, sources = self.correction.pieces(matrix), self.correction.encoder.sources
        axes = np.array([self.base.shape.axis_of(source) for source in sources], dtype=str)
        parts["base"] += self.correction.shift
        for axis in AXES:
            parts[axis] += np.where(axes == axis, pieces, 0.0).sum(axis=1)
        return parts

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold it, those of the model inside under names of their own."""
        values = {
            "centre": self.correction.centre,
            "coefficients": self.correction.coefficients,
            "encoder": self.correction.encoder.to_json(),
            "shift": self.correction.shift,
            "stretch": self.correction.stretch,
        }
        inner = {f"{_INNER}{name}": content for name, content in self.base.to_files().items()}
        return {FILE: json_bytes(values), **inner}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], base: Corrected) -> "FittedResidual":
        """Return the model that `to_files` gave, around the model of its `inner_files`."""
        values = json_value(files[FILE])
        correction = Correction(
            encoder=LinearEncoder.from_json(values["encoder"]),
            coefficients=tuple(values["coefficients"]),
            centre=tuple(values["centre"]),
            shift=values["shift"],
            stretch=values["stretch"],
        )
        return cls(base, correction)


def inner_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the model inside, by the names that it gave them."""
    return {name[len(_INNER) :]: files[name] for name in files if name.startswith(_INNER)}
