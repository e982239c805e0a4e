from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import Company, make_company, split_company

from mqlml.modeling.contestants.base_rate import FittedBaseRate
from mqlml.modeling.contestants.contestant import TrainingRows, setting_of
from mqlml.modeling.contestants.guided import Guided
from mqlml.modeling.contestants.logistic import FittedLogistic, Logistic
from mqlml.modeling.contestants.near import held_near
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import material_of, run_tournament

SETTING = setting_of(c=0.03, share=1.0)
ASKED = ModelSettings(contestants=("logistic",), acceptance=True)


def company(*, leads: int, base: float, agreeing: bool, judged: float = 0.7) -> Company:
    """Return leads of whom sales judges a part, by what makes them convert or by chance."""
    made = make_company(leads, base=base, strength=0.6)
    rng = np.random.default_rng(8)
    matrix = made.matrix
    lean = 0.8 * (matrix["visits"] - 2) + 1.2 * (matrix["industry"] == "software")
    lean = lean - 0.8 * (matrix["channel"] == "ad") + 0.5 * matrix["budget"].fillna(-1)
    chance = 1 / (1 + np.exp(-1.5 * lean)) if agreeing else np.full(leads, 0.5)
    accepted = (rng.random(leads) < chance).astype(float)
    accepted[rng.random(leads) > judged] = np.nan
    return Company(made.points.assign(accepted=accepted), matrix, made.plan)


def rows_of(made: Company, **settings: object) -> object:
    asked = ASKED.model_copy(update=settings)
    return material_of(made, asked, 3).training(np.arange(len(made.points)))


def test_where_sales_accepts_what_converts_few_conversions_are_enough() -> None:
    made = company(leads=1_500, base=-4.5, agreeing=True)
    result = run_tournament(made, split_company(made), ASKED, seed=3)
    losses = {one.name: one.log_loss for one in result.contestants}
    assert list(losses) == ["base_rate", "logistic", "logistic_acceptance"]
    assert losses["logistic_acceptance"] < losses["logistic"]
    said = result.probabilities_by_contestant
    assert set(said) == set(losses)


def test_where_sales_judges_by_chance_the_plain_learner_stays() -> None:
    made = company(leads=900, base=-1.0, agreeing=False)
    assert run_tournament(made, split_company(made), ASKED, seed=3).winner == "logistic"


def test_it_is_a_plain_logistic_regression_in_the_end() -> None:
    made = company(leads=600, base=-1.0, agreeing=True)
    fitted = Guided().fit(rows_of(made), SETTING)
    assert isinstance(fitted, FittedLogistic)
    said = fitted.log_odds(made.matrix)
    np.testing.assert_allclose(fitted.contributions(made.matrix).sum(axis=1), said)
    np.testing.assert_allclose(fitted.parts(made.matrix).sum(axis=1), said)
    again = FittedLogistic.from_files(fitted.to_files())
    np.testing.assert_array_equal(again.log_odds(made.matrix), said)


def test_a_half_share_lies_between_none_and_all_where_conversions_say_little() -> None:
    made = company(leads=600, base=-1.0, agreeing=True)
    rows = rows_of(made)
    tight = [
        np.array(Guided().fit(rows, setting_of(c=1e-7, share=share)).coefficients)
        for share in (0.0, 0.5, 1.0)
    ]
    np.testing.assert_allclose(tight[0], 0, atol=1e-3)
    np.testing.assert_allclose(tight[1], tight[2] / 2, atol=1e-3)
    assert np.abs(tight[2]).max() > 0.2


@pytest.mark.parametrize("judged", [0.0, 0.1])
def test_without_enough_verdicts_it_is_the_learner_without_them(judged: float) -> None:
    made = company(leads=600, base=-1.0, agreeing=True, judged=judged)
    rows = rows_of(made)
    plain = Logistic().fit(rows, setting_of(c=0.03, half_life=0))
    assert Guided().fit(rows, SETTING).to_files() == plain.to_files()


def test_verdicts_of_rows_it_does_not_learn_from_change_nothing() -> None:
    made = company(leads=600, base=-1.0, agreeing=True)
    turned = made.points["accepted"].to_numpy(copy=True)
    turned[400:] = 1 - turned[400:]
    other = Company(made.points.assign(accepted=turned), made.matrix, made.plan)
    files = [
        Guided().fit(material_of(c, ASKED, 3).training(np.arange(400)), SETTING).to_files()
        for c in (made, other)
    ]
    assert files[0] == files[1]


def test_without_conversions_there_is_the_base_rate() -> None:
    made = company(leads=300, base=-1.0, agreeing=True)
    none = Company(made.points.assign(label=0.0), made.matrix, made.plan)
    assert isinstance(Guided().fit(rows_of(none), SETTING), FittedBaseRate)


def test_nobody_asks_for_verdicts_unless_the_config_does() -> None:
    made = company(leads=300, base=-1.0, agreeing=True)
    assert rows_of(made, acceptance=False).accepted is None
    without = Company(made.points.drop(columns="accepted"), made.matrix, made.plan)
    assert rows_of(without).accepted is None


def test_rare_conversions_in_many_columns_are_learnt_to_the_summit() -> None:
    rng = np.random.default_rng(3)
    matrix = pd.DataFrame(rng.normal(size=(4_000, 60)), columns=[f"c{i}" for i in range(60)])
    lean = matrix["c0"] + matrix["c1"] - 6 * (matrix["c2"] > 1)
    labels = (rng.random(4_000) < 1 / (1 + np.exp(4 - lean))).astype(float)
    shape = MatrixShape(tuple(matrix.columns), (), ("fit",) * 60)
    rows = TrainingRows(matrix, labels, np.zeros(4_000), shape, 0)
    plain = Logistic().fit(rows, setting_of(c=0.03, half_life=0))
    assert isinstance(plain, FittedLogistic)
    away = replace(plain, base=9.0, coefficients=(0.0,) * len(plain.coefficients))
    found = held_near(away, rows, np.arange(4_000), variance=0.03)
    # At the summit what the rows pull and what the penalty holds are equal.
    design = found.encoder.transform(matrix) - np.array(found.centre)
    pull = design.T @ (labels - 1 / (1 + np.exp(-found.log_odds(matrix))))
    np.testing.assert_allclose(pull, np.array(found.coefficients) / 0.03, atol=1e-6)
    assert np.abs(found.coefficients).max() > 0.2
