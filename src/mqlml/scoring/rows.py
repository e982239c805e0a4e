"""The rows that rules look at: features, and attributes as people wrote them."""

from typing import Any

import numpy as np
import pandas as pd

from mqlml.features.known_values import KnownValues, known_values
from mqlml.tables.contracts import Attribute, ColumnType, Known, Tables


def rule_rows(tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return one row per point: the matrix's columns, then attributes known at the point.

    An attribute of the same name replaces a text column of the matrix (people
    write `country = 'Germany'`, the feature holds "germany"), never a number
    (people write `company_size >= 50`, the attribute may hold "51-200").
    Attributes known only with the outcome, and times, are not there.
    """
    numbers = {name for name in matrix if pd.api.types.is_numeric_dtype(matrix[name].dtype)}
    attributes = {
        spec.name: _values(known_values(tables, points, spec.name), spec)
        for spec in tables.attribute_specs
        if spec.known in {Known.CREATION, Known.DATED}
        and spec.type is not ColumnType.TIME
        and spec.name not in numbers
    }
    plain = matrix.drop(columns=[name for name in attributes if name in matrix.columns])
    extra = pd.DataFrame(attributes, index=range(len(points)))
    return pd.concat([plain.reset_index(drop=True), extra], axis=1)


def _values(known: KnownValues, spec: Attribute) -> "pd.Series[Any]":
    distinct: pd.Series[Any] = pd.Series([*known.distinct, None], dtype="object")
    if spec.type is ColumnType.TEXT:
        return distinct.astype("str").take(known.codes).reset_index(drop=True)
    if spec.type is ColumnType.FLAG:
        return distinct.astype("boolean").take(known.codes).reset_index(drop=True)
    # Dated values are kept as text, whatever they are.
    numbers = pd.to_numeric(distinct, errors="coerce").to_numpy(dtype=np.float64)
    return pd.Series(numbers[known.codes])
