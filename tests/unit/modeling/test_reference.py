import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import make_company

from mqlml.modeling.files import json_bytes
from mqlml.modeling.reference import (
    category_reference,
    number_reference,
    reference_distributions,
    weekly_rates,
)
from mqlml.timeline import MICROS_PER_WEEK


def test_a_number_is_kept_as_deciles_with_a_tenth_each() -> None:
    found = number_reference(np.arange(100, dtype=float))
    assert len(found["edges"]) == 9
    assert found["shares"] == pytest.approx([0.1] * 10)
    assert found["missing"] == 0.0


def test_shares_are_of_known_values_and_missing_is_of_all() -> None:
    found = number_reference(np.array([0.0, 0.0, 1.0, np.nan]))
    assert sum(found["shares"]) == pytest.approx(1.0)
    assert found["missing"] == 0.25


def test_equal_values_make_one_edge() -> None:
    found = number_reference(np.array([3.0, 3.0]))
    assert found["edges"] == [3.0]
    assert found["shares"] == [0.0, 1.0]


def test_a_number_that_is_never_known_has_no_edges() -> None:
    assert number_reference(np.array([np.nan]))["missing"] == 1.0
    assert number_reference(np.array([]))["missing"] == 0.0


def test_a_category_keeps_its_fifty_most_frequent_levels() -> None:
    values = pd.Series([f"level{i}" for i in range(60)] + ["level7", None], dtype="str")
    found = category_reference(values)
    assert found["levels"][0] == "level7"
    assert len(found["levels"]) == 50
    assert found["shares"][0] == pytest.approx(2 / 62)
    assert found["missing"] == pytest.approx(1 / 62)
    assert found["other"] == pytest.approx(10 / 62)


def test_an_empty_category_has_no_levels() -> None:
    found = category_reference(pd.Series([], dtype="str"))
    assert (found["levels"], found["missing"], found["other"]) == ([], 0.0, 0.0)


def test_weekly_rates_count_labelled_rows_only() -> None:
    points = pd.DataFrame(
        {
            "as_of": [0, 5, MICROS_PER_WEEK, MICROS_PER_WEEK],
            "label": [1.0, 0.0, 1.0, np.nan],
        }
    )
    assert weekly_rates(points) == [[0, 2, 1], [MICROS_PER_WEEK, 1, 1]]


def test_the_reference_describes_every_column_and_the_score() -> None:
    company = make_company(100)
    found = reference_distributions(
        company.matrix, company.plan, points=company.points, probabilities=np.linspace(0, 1, 100)
    )
    assert list(found["columns"]) == list(company.plan.columns)
    assert found["columns"]["industry"]["kind"] == "category"
    assert found["columns"]["budget"]["kind"] == "number"
    assert found["base_rate"] == company.points["label"].mean()
    assert json_bytes(found) == json_bytes(found)


def test_the_typical_value_is_the_median_of_what_is_known_by_most() -> None:
    assert number_reference(np.array([0.0, 0.0, 0.0, 1.0, 9.0]))["typical"] == 0.0
    assert number_reference(np.array([2.0, 4.0, np.nan]))["typical"] == 2.0
    assert number_reference(np.array([2.0, np.nan, np.nan]))["typical"] is None
    assert number_reference(np.array([np.nan]))["typical"] is None
