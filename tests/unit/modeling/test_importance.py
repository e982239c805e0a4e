import numpy as np
import pytest
from tests.modeling_company import Company, make_company, tournament

from mqlml.modeling.importance import importance
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import run_tournament


def test_what_drives_conversion_comes_first_with_its_direction() -> None:
    company, _, result = tournament("logistic")
    found = importance(result.model, company.matrix, company.plan).set_index("column")
    assert found.index[0] == "visits"
    assert found.loc["visits", "direction"] == 1
    assert found.loc["visits", "axis"] == "engagement"
    assert found.loc["industry", "direction"] == 0
    assert found.loc["constant", "importance"] == 0
    assert found.loc["constant", "direction"] == 0
    assert found["importance"].is_monotonic_decreasing
    assert found.loc["visits", "sentence"] == company.plan.describe("visits").sentence


def test_importance_is_the_mean_size_of_contributions() -> None:
    company, _, result = tournament("logistic")
    found = importance(result.model, company.matrix, company.plan).set_index("column")
    sizes = result.model.contributions(company.matrix)["visits"].abs()
    assert found.loc["visits", "importance"] == pytest.approx(sizes.mean())


def test_large_tables_are_explained_on_a_part_drawn_by_seed() -> None:
    _, _, result = tournament("logistic")
    large = make_company(2_500)
    first, again, other = (
        importance(result.model, large.matrix, large.plan, seed=seed) for seed in (0, 0, 1)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_a_column_that_is_never_known_has_no_direction() -> None:
    company, _, result = tournament("logistic")
    unknown = company.matrix.assign(visits=np.nan)
    found = importance(result.model, unknown, company.plan).set_index("column")
    assert found.loc["visits", "direction"] == 0


def test_a_column_that_helps_when_small_has_a_negative_direction() -> None:
    company, split, _ = tournament("logistic")
    turned = Company(
        company.points, company.matrix.assign(visits=-company.matrix["visits"]), company.plan
    )
    result = run_tournament(turned, split, ModelSettings(contestants=("logistic",)), seed=0)
    found = importance(result.model, turned.matrix, turned.plan).set_index("column")
    assert found.loc["visits", "direction"] == -1
