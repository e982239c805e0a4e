import json

import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import company_plan

from mqlml.errors import SchemaError
from mqlml.modeling.matrix import MatrixShape, check_matrix, shape_of

SHAPE = MatrixShape(("visits", "industry"), ("industry",), ("engagement", "fit"))


def matrix(**columns: object) -> pd.DataFrame:
    good = {"visits": np.array([1.0]), "industry": pd.Series(["steel"], dtype="str")}
    return pd.DataFrame(good | columns)


def test_the_shape_of_a_plan_has_its_columns_kinds_and_axes() -> None:
    shape = shape_of(company_plan())
    assert shape.axis_of("visits") == "engagement"
    assert shape.axis_of("industry") == "fit"
    assert shape.is_category("channel")
    assert not shape.is_category("budget")


def test_a_matrix_of_the_plan_passes_whatever_its_column_order() -> None:
    check_matrix(matrix()[["industry", "visits"]], SHAPE)


def test_every_missing_and_unknown_column_is_named_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        check_matrix(pd.DataFrame({"visit": [1.0], "colour": ["red"]}), SHAPE)
    assert [fault.where for fault in caught.value.faults] == [
        "visits",
        "industry",
        "visit",
        "colour",
    ]
    assert "did you mean 'visit'?" in str(caught.value)


def test_a_column_given_twice_is_named() -> None:
    doubled = pd.concat([matrix(), matrix()[["visits"]]], axis=1)
    with pytest.raises(SchemaError, match="visits: feature column is given twice"):
        check_matrix(doubled, SHAPE)


def test_every_wrong_kind_is_named_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        check_matrix(matrix(visits=["many"], industry=[3.0]), SHAPE)
    assert [fault.what for fault in caught.value.faults] == [
        "column must be numeric",
        "column must be text",
    ]


def test_infinity_is_refused_and_missing_is_not() -> None:
    check_matrix(matrix(visits=[np.nan], industry=[np.nan]), SHAPE)
    with pytest.raises(SchemaError, match="visits: column holds infinity"):
        check_matrix(matrix(visits=[np.inf]), SHAPE)


def test_a_shape_without_a_column_keeps_the_rest() -> None:
    assert SHAPE.without(["industry"]) == MatrixShape(("visits",), (), ("engagement",))


def test_a_shape_survives_json() -> None:
    assert MatrixShape.from_json(json.loads(json.dumps(SHAPE.to_json()))) == SHAPE
