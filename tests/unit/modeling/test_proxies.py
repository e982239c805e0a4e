import numpy as np
import pandas as pd
import pytest

from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.proxies import ProxyFigures, measure_proxies

SHAPE = MatrixShape(("hobby", "visits", "noise"), ("hobby",), ("fit", "engagement", "engagement"))


def leads(count=1200, seed=1):
    """Return a matrix whose hobby follows a hidden group, with the group and a number."""
    draw = np.random.default_rng(seed)
    group = draw.random(count) < 0.4
    hobby = np.where(draw.random(count) < 0.9, np.where(group, "chess", "golf"), "none")
    visits = draw.poisson(3, count).astype(float)
    matrix = pd.DataFrame(
        {"hobby": pd.Series(hobby, dtype="str"), "visits": visits, "noise": draw.normal(size=count)}
    )
    names = pd.Series(np.where(group, "a", "b"), dtype="str")
    return matrix, names, pd.Series(2 * visits + draw.normal(size=count))


def test_a_group_that_a_feature_stands_for_is_told_well_and_the_feature_is_named():
    matrix, names, _ = leads()
    found = measure_proxies(matrix, SHAPE, names, seed=0)
    assert (found.measure, found.words) == ("ROC-AUC", "well")
    assert found.low < found.told < found.high
    assert [proxy.column for proxy in found.proxies] == ["hobby"]


def test_a_number_is_told_by_the_feature_it_was_made_of():
    matrix, _, number = leads()
    found = measure_proxies(matrix, SHAPE, number, seed=0)
    # Of the spread 4 × 3 + 1 the feature tells twelve thirteenths.
    assert found.measure == "R²"
    assert found.told == pytest.approx(12 / 13, abs=0.03)
    assert found.proxies[0].column == "visits"


def test_a_group_drawn_by_chance_is_hardly_told_and_has_no_proxy():
    matrix, _, _ = leads()
    drawn = pd.Series(np.random.default_rng(9).choice(["a", "b", "c"], len(matrix)), dtype="str")
    found = measure_proxies(matrix, SHAPE, drawn, seed=0)
    assert found.words == "hardly"
    assert found.low < 0.5 < found.high


def test_too_few_leads_or_one_group_alone_are_not_measured():
    matrix, names, number = leads()
    assert measure_proxies(matrix.head(199), SHAPE, names.head(199), seed=0).measure == ""
    alike = pd.Series(["a"] * len(matrix), dtype="str")
    assert measure_proxies(matrix, SHAPE, alike, seed=0) == ProxyFigures(1200)
    assert measure_proxies(matrix, SHAPE, number * 0.0, seed=0).words == "not measured"


def test_equal_arguments_give_equal_figures():
    matrix, names, _ = leads(500)
    first, second = (measure_proxies(matrix, SHAPE, names, seed=4) for _ in range(2))
    assert first == second
    assert first.to_json()["words"] == "well"
