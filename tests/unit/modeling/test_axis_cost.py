from dataclasses import replace

import numpy as np
from tests.modeling_company import Company, make_company, split_company, tournament

from mqlml.modeling.calibration import probability_of
from mqlml.modeling.metrics import roc_auc_gain
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import AxisCost, run_tournament


def crossed(leads: int = 3_000) -> Company:
    """Return a company where many visits speak for software firms and against all others."""
    company = make_company(leads)
    is_software = company.matrix["industry"].eq("software").to_numpy()
    visits = company.matrix["visits"].to_numpy() - 2
    chance = probability_of(np.where(is_software, 1.5, -1.5) * visits - 0.5)
    labels = (np.random.default_rng(9).random(leads) < chance).astype(float)
    return replace(company, points=company.points.assign(label=labels))


def cost_of(company: Company) -> AxisCost | None:
    settings = ModelSettings(contestants=("lightgbm",))
    return run_tournament(company, split_company(company), settings, seed=3).axis_cost


def test_where_behaviour_means_another_thing_for_others_apart_axes_lose_much() -> None:
    cost = cost_of(crossed())
    assert cost is not None
    assert cost.roc_auc > 0.1
    assert 0.05 < cost.low < cost.roc_auc < cost.high


def test_where_the_axes_add_up_keeping_them_apart_loses_nearly_nothing() -> None:
    cost = cost_of(make_company(3_000))
    assert cost is not None
    assert abs(cost.roc_auc) < 0.01
    assert cost.low < 0.005


def test_a_linear_model_loses_nothing() -> None:
    _, _, result = tournament("logistic")
    assert result.winner == "logistic"
    assert result.axis_cost is None


def test_without_columns_of_a_second_axis_there_is_nothing_to_keep_apart() -> None:
    company = crossed(900)
    settings = ModelSettings(contestants=("lightgbm",), drop=("visits", "minutes", "channel"))
    assert run_tournament(company, split_company(company), settings, seed=3).axis_cost is None


def test_the_gain_of_a_perfect_ranking_over_a_reversed_one_is_one() -> None:
    labels = np.array([0.0, 1.0, 0.0, 1.0])
    gain, low, high = roc_auc_gain(labels, labels, 1 - labels)
    assert gain == 1.0
    assert low <= gain <= high
    assert np.isnan(roc_auc_gain(np.zeros(3), np.arange(3.0), np.arange(3.0))[0])
