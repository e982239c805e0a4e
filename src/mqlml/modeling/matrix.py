"""What a model needs to know of its feature matrix: columns, kinds and axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.errors import Fault, SchemaError, nearest
from mqlml.features.plan import Plan

AXES = ("fit", "engagement")
BASE = "__base"


@dataclass(frozen=True)
class MatrixShape:
    """The columns of a feature matrix in order, each with its kind and axis."""

    columns: tuple[str, ...]
    categories: tuple[str, ...]
    axes: tuple[str, ...]

    def axis_of(self, column: str) -> str:
        """Return the axis of `column`."""
        return self.axes[self.columns.index(column)]

    def is_category(self, column: str) -> bool:
        """Return whether `column` holds text."""
        return column in self.categories

    def without(self, dropped: Sequence[str]) -> "MatrixShape":
        """Return the shape without the `dropped` columns."""
        kept = [i for i, name in enumerate(self.columns) if name not in dropped]
        return MatrixShape(
            tuple(self.columns[i] for i in kept),
            tuple(name for name in self.categories if name not in dropped),
            tuple(self.axes[i] for i in kept),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the shape as JSON values."""
        return {"columns": self.columns, "categories": self.categories, "axes": self.axes}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "MatrixShape":
        """Return the shape that `to_json` gave."""
        return cls(*(tuple(values[key]) for key in ("columns", "categories", "axes")))


def shape_of(plan: Plan) -> MatrixShape:
    """Return the shape of the matrices that `plan` makes."""
    columns = tuple(plan.columns)
    categories = tuple(name for name in columns if name in set(plan.categories))
    return MatrixShape(columns, categories, tuple(plan.describe(c).axis for c in columns))


def check_matrix(matrix: pd.DataFrame, shape: MatrixShape) -> None:
    """Raise one SchemaError naming every way in which `matrix` is not of `shape`."""
    present = [str(name) for name in matrix.columns]
    missing = [name for name in shape.columns if name not in present]
    faults = [
        Fault("feature column is missing", name, nearest(name, present), "compute it by the plan")
        for name in missing
    ]
    faults += [
        Fault("unknown feature column", name, nearest(name, shape.columns), "remove it")
        for name in present
        if name not in shape.columns
    ]
    faults += [
        Fault("feature column is given twice", name, "", "keep one")
        for name in sorted({name for name in present if present.count(name) > 1})
    ]
    if not faults:
        faults = [fault for name in shape.columns for fault in _kind_faults(matrix[name], shape)]
    if faults:
        raise SchemaError(*faults)


def _kind_faults(values: "pd.Series[Any]", shape: MatrixShape) -> list[Fault]:
    name = str(values.name)
    is_number = pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != np.dtype(bool)
    if shape.is_category(name):
        if is_number and not values.isna().all():
            return [Fault("column must be text", name, str(values.dtype), "give it as text")]
        return []
    if not is_number:
        return [Fault("column must be numeric", name, str(values.dtype), "give it as float64")]
    if np.isinf(values.to_numpy(np.float64, na_value=np.nan)).any():
        return [Fault("column holds infinity", name, "inf", "give missing values as NaN")]
    return []
