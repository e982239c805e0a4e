import numpy as np
import pandas as pd
import pytest
from tests.trainings import tiny_plan

from mqlml.modeling.dependence import COLUMNS, partial_dependence

PLAN = tiny_plan()


class Sum:
    """A model: a tenth for each visit, plus a tenth of the budget, three tenths for steel."""

    def probability(self, matrix):
        steel = (matrix["industry"] == "steel").to_numpy() * 0.3
        visits = matrix["visits"].fillna(0).to_numpy()
        return 0.1 * visits + 0.1 * matrix["budget"].to_numpy() + steel


def leads(count=100):
    step = np.arange(count)
    return pd.DataFrame(
        {
            "visits": (step % 4).astype(float),
            "budget": (step % 2).astype(float),
            "industry": pd.Series(["steel" if i % 5 == 0 else "food" for i in step], dtype="str"),
        }
    )


def dependence(matrix, *columns):
    return partial_dependence(Sum(), matrix, PLAN, columns, seed=1)


def test_the_mean_moves_as_the_column_does_and_all_else_stays():
    found = dependence(leads(), "visits")
    # Without visits half the leads have .1 of budget and a fifth .3 of steel: .11 on average.
    assert list(found["mean"]) == pytest.approx([0.11, 0.21, 0.31, 0.41])
    assert list(found["value"]) == ["0", "1", "2", "3"]
    assert list(found["rows"]) == [25] * 4
    assert found["is_supported"].all()
    # Sorted they are 40 of 0, 40 of .1, 10 of .3 and 10 of .4: nine tenths lie just above .3.
    assert found["low"][0] == pytest.approx(0.0)
    assert found["high"][0] == pytest.approx(0.31)


def test_levels_come_by_how_many_leads_have_them():
    found = dependence(leads(), "industry")
    assert list(found["value"]) == ["food", "steel"]
    assert list(found["rows"]) == [80, 20]
    assert found["mean"][1] - found["mean"][0] == pytest.approx(0.3)


def test_a_value_that_few_leads_have_is_marked():
    matrix = leads()
    matrix.loc[0, "visits"] = 50.0
    found = dependence(matrix, "visits").set_index("value")
    assert not found.loc["50", "is_supported"]
    assert found.loc["50", "rows"] == 1
    assert found.loc["2", "is_supported"]


def test_missing_is_a_value_of_its_own_and_comes_last():
    matrix = leads()
    matrix.loc[:29, "visits"] = np.nan
    found = dependence(matrix, "visits")
    assert found["value"].iloc[-1] == "missing"
    assert found["rows"].iloc[-1] == 30
    assert found["mean"].iloc[-1] == pytest.approx(found["mean"].iloc[0])


def test_a_column_that_never_varies_has_no_rows():
    matrix = leads().assign(visits=2.0)
    assert dependence(matrix, "visits").empty
    assert list(dependence(matrix).columns) == list(COLUMNS)
