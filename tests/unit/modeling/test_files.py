import numpy as np

from mqlml.modeling.files import json_bytes, json_value


def test_equal_values_have_equal_bytes_whatever_the_order_of_keys() -> None:
    assert json_bytes({"b": 1, "a": (1, 2)}) == json_bytes({"a": [1, 2], "b": 1})


def test_floats_come_back_exactly() -> None:
    assert json_value(json_bytes([0.1 + 0.2])) == [0.1 + 0.2]


def test_numpy_values_become_plain_and_what_is_no_number_becomes_null() -> None:
    value = {"a": np.float64(0.5), "b": np.array([1, 2]), "c": np.nan, "d": float("inf"), 3: "é"}
    assert json_value(json_bytes(value)) == {"a": 0.5, "b": [1, 2], "c": None, "d": None, "3": "é"}
