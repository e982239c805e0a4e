"""A published model: a fitted contestant and its calibration, in log-odds that add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from mqlml.errors import BundleError, Fault
from mqlml.modeling.calibration import Calibration, Floats, probability_of
from mqlml.modeling.contestants.base_rate import FittedBaseRate
from mqlml.modeling.contestants.boosting import FittedBoosting
from mqlml.modeling.contestants.contestant import Fitted
from mqlml.modeling.contestants.logistic import FittedLogistic
from mqlml.modeling.contestants.points_rules import FittedPointsRules
from mqlml.modeling.contestants.routed import KIND as ROUTED
from mqlml.modeling.contestants.routed import FittedRouted, inner_of
from mqlml.modeling.contestants.segments import FittedSegments
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import BASE, MatrixShape, check_matrix
from mqlml.modeling.residual import NAME as RESIDUAL
from mqlml.modeling.residual import FittedResidual, inner_files

_FILE = "model.json"


class Model(Protocol):
    """What scoring, reports and the bundle need of a model. Rows come back in the given order."""

    @property
    def name(self) -> str:
        """Return the name of the contestant that it is."""
        ...

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the calibrated log-odds of each row."""
        ...

    def probability(self, matrix: pd.DataFrame) -> Floats:
        """Return the calibrated probability of each row."""
        ...

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit, engagement; each row sums to its log-odds."""
        ...

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per plan column and `__base`; each row sums to its log-odds."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold the model, by name."""
        ...


@dataclass(frozen=True)
class CalibratedModel:
    """The one kind of model there is: any contestant, stretched and shifted by calibration.

    Every method raises SchemaError if the matrix is not the plan's: missing or
    unknown columns, text for a number, infinity.
    """

    fitted: Fitted
    calibration: Calibration
    shape: MatrixShape

    @property
    def name(self) -> str:
        """Return the name of the contestant that it is."""
        return self.fitted.kind

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the calibrated log-odds of each row."""
        check_matrix(matrix, self.shape)
        return self.calibration.apply(self.fitted.log_odds(matrix))

    def probability(self, matrix: pd.DataFrame) -> Floats:
        """Return the calibrated probability of each row."""
        return probability_of(self.log_odds(matrix))

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit, engagement; each row sums to its log-odds."""
        check_matrix(matrix, self.shape)
        parts = self.fitted.parts(matrix) * self.calibration.slope
        parts["base"] += self.calibration.shift
        return parts

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per plan column and `__base`; each row sums to its log-odds."""
        check_matrix(matrix, self.shape)
        found = self.fitted.contributions(matrix) * self.calibration.slope
        found[BASE] += self.calibration.shift
        return found.reindex(columns=[*self.shape.columns, BASE], fill_value=0.0)

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold the model, by name."""
        values = {
            "kind": self.fitted.kind,
            "shape": self.shape.to_json(),
            "shift": self.calibration.shift,
            "slope": self.calibration.slope,
        }
        return {_FILE: json_bytes(values), **self.fitted.to_files()}


def model_from_files(files: Mapping[str, bytes]) -> CalibratedModel:
    """Return the model that `to_files` gave; BundleError if its kind is unknown here."""
    values = json_value(files[_FILE])
    calibration = Calibration(values["shift"], values["slope"])
    shape = MatrixShape.from_json(values["shape"])
    return CalibratedModel(_fitted_from(values["kind"], files), calibration, shape)


def _fitted_from(kind: str, files: Mapping[str, bytes]) -> Fitted:
    if kind == "base_rate":
        return FittedBaseRate.from_files(files)
    if kind == "points_rules":
        return FittedPointsRules.from_files(files)
    if kind == "logistic":
        return FittedLogistic.from_files(files)
    if kind == "segments":
        return FittedSegments.from_files(files)
    if kind == "lightgbm":
        return FittedBoosting.from_files(files)
    if kind == RESIDUAL:
        return FittedResidual.from_files(files, model_from_files(inner_files(files)))
    if kind == ROUTED:
        return FittedRouted(_fitted_from(*inner_of(files)))
    raise BundleError(Fault("unknown kind of model", _FILE, kind, "update mqlml"))
