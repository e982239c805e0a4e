"""The rows that rules look at: features, and attributes as people wrote them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.features.arrays import Ints
from mqlml.features.known_values import KnownValues, known_values
from mqlml.tables.contracts import Attribute, ColumnType, Known, Tables


@dataclass(frozen=True)
class RuleAttributes:
    """The attributes that rules may look at, as known at each point of some points."""

    known: Mapping[str, tuple[Attribute, KnownValues]]

    def beside(self, matrix: pd.DataFrame, points: Ints) -> pd.DataFrame:
        """Return the rows that rules look at for some of the points, whose matrix is given.

        An attribute of the same name replaces a text column of the matrix (people
        write `country = 'Germany'`, the feature holds "germany"), never a number
        (people write `company_size >= 50`, the attribute may hold "51-200").
        """
        numbers = {name for name in matrix if pd.api.types.is_numeric_dtype(matrix[name].dtype)}
        attributes = {
            name: _values(KnownValues(values.codes[points], values.distinct), spec)
            for name, (spec, values) in self.known.items()
            if name not in numbers
        }
        plain = matrix.drop(columns=[name for name in attributes if name in matrix.columns])
        extra = pd.DataFrame(attributes, index=range(len(points)))
        return pd.concat([plain.reset_index(drop=True), extra], axis=1)


def rule_attributes(tables: Tables, points: pd.DataFrame) -> RuleAttributes:
    """Return the attributes known at the points, but times and what is known with the outcome."""
    return RuleAttributes(
        {
            spec.name: (spec, known_values(tables, points, spec.name))
            for spec in tables.attribute_specs
            if spec.known in {Known.CREATION, Known.DATED} and spec.type is not ColumnType.TIME
        }
    )


def rule_rows(tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return one row per point: the matrix's columns, then attributes known at the point.

    See `RuleAttributes` for what becomes of attributes named as columns are.
    """
    return rule_attributes(tables, points).beside(matrix, np.arange(len(points)))


def _values(known: KnownValues, spec: Attribute) -> "pd.Series[Any]":
    distinct: pd.Series[Any] = pd.Series([*known.distinct, None], dtype="object")
    if spec.type is ColumnType.TEXT:
        return distinct.astype("str").take(known.codes).reset_index(drop=True)
    if spec.type is ColumnType.FLAG:
        return distinct.astype("boolean").take(known.codes).reset_index(drop=True)
    # Dated values are kept as text, whatever they are.
    numbers = pd.to_numeric(distinct, errors="coerce").to_numpy(dtype=np.float64)
    return pd.Series(numbers[known.codes])
