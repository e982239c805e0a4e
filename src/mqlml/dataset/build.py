"""The built table: points, their feature matrix, and the plan that made it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.dataset.labels import Labels
from mqlml.features.plan import Plan


@dataclass(frozen=True)
class Dataset:
    """Points and features of the same rows in the same order.

    `points` as `training_points` gives them; `matrix` has the plan's columns.
    Raises ValueError if the two do not belong together.
    """

    points: pd.DataFrame
    matrix: pd.DataFrame
    plan: Plan

    def __post_init__(self) -> None:
        if len(self.points) != len(self.matrix):
            raise ValueError(f"{len(self.points)} points, but {len(self.matrix)} matrix rows")
        if tuple(self.matrix.columns) != self.plan.columns:
            raise ValueError("the matrix does not have the plan's columns in their order")

    @property
    def labels(self) -> Labels:
        """Return 1, 0 or NaN per row."""
        return np.asarray(self.points["label"], dtype=np.float64)
