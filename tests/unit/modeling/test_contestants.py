import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import RULES, company_plan, make_company

from mqlml.errors import ConfigError
from mqlml.modeling.contestants.base_rate import BaseRate, FittedBaseRate
from mqlml.modeling.contestants.boosting import Boosting, FittedBoosting
from mqlml.modeling.contestants.contestant import Contestant, Fitted, TrainingRows, setting_of
from mqlml.modeling.contestants.logistic import FittedLogistic, Logistic
from mqlml.modeling.contestants.points_rules import FittedPointsRules, PointsRules, points_of
from mqlml.modeling.matrix import MatrixShape, shape_of
from mqlml.modeling.metrics import roc_auc
from mqlml.modeling.settings import PointsRule

SMALL_TREES = setting_of(start=0, leaves=4, l2=5, half_life=0, trees=20)
ON_LINEAR = setting_of(start=0.1, leaves=4, l2=5, half_life=0, trees=20)
CASES = {
    "base_rate": (BaseRate(), setting_of()),
    "points_rules": (PointsRules(RULES), setting_of()),
    "logistic": (Logistic(), setting_of(c=0.1, half_life=0)),
    "lightgbm": (Boosting(), SMALL_TREES),
    "lightgbm on a linear start": (Boosting(), ON_LINEAR),
}
RESTORED = {
    "base_rate": FittedBaseRate,
    "points_rules": FittedPointsRules,
    "logistic": FittedLogistic,
    "lightgbm": FittedBoosting,
}
COMPANY = make_company()
every_contestant = pytest.mark.parametrize(
    ("contestant", "setting"), CASES.values(), ids=list(CASES)
)


def fitted(name: str) -> Fitted:
    contestant, setting = CASES[name]
    return contestant.fit(COMPANY.training_rows(), setting)


@every_contestant
def test_parts_sum_to_the_log_odds(contestant: Contestant, setting: tuple) -> None:
    model = contestant.fit(COMPANY.training_rows(), setting)
    parts = model.parts(COMPANY.matrix)
    assert list(parts.columns) == ["base", "fit", "engagement"]
    np.testing.assert_allclose(parts.sum(axis=1), model.log_odds(COMPANY.matrix), atol=1e-9)


@every_contestant
def test_contributions_sum_to_the_log_odds_and_to_the_parts(
    contestant: Contestant, setting: tuple
) -> None:
    model = contestant.fit(COMPANY.training_rows(), setting)
    found, parts = model.contributions(COMPANY.matrix), model.parts(COMPANY.matrix)
    shape = shape_of(COMPANY.plan)
    fit = [name for name in shape.columns if shape.axis_of(name) == "fit"]
    np.testing.assert_allclose(found.sum(axis=1), model.log_odds(COMPANY.matrix), atol=1e-9)
    np.testing.assert_allclose(found[fit].sum(axis=1), parts["fit"], atol=1e-9)
    np.testing.assert_allclose(found["__base"], parts["base"], atol=1e-9)


@every_contestant
def test_files_restore_the_same_model(contestant: Contestant, setting: tuple) -> None:
    model = contestant.fit(COMPANY.training_rows(), setting)
    files = model.to_files()
    restored = RESTORED[model.kind].from_files(files)
    assert restored.to_files() == files
    np.testing.assert_array_equal(restored.log_odds(COMPANY.matrix), model.log_odds(COMPANY.matrix))


@every_contestant
def test_the_same_rows_and_seed_give_the_same_bytes(contestant: Contestant, setting: tuple) -> None:
    first, again = (contestant.fit(COMPANY.training_rows(), setting) for _ in range(2))
    assert first.to_files() == again.to_files()


@every_contestant
def test_search_says_what_fit_would(contestant: Contestant, setting: tuple) -> None:
    del setting
    rows = COMPANY.training_rows()
    found = contestant.search(rows, COMPANY.matrix)
    tried = list(found)[-1]
    model = contestant.fit(rows, tried)
    np.testing.assert_allclose(found[tried], model.log_odds(COMPANY.matrix), atol=1e-9)


@every_contestant
def test_too_few_conversions_give_the_base_rate(contestant: Contestant, setting: tuple) -> None:
    labels = np.zeros(50)
    labels[:4] = 1
    rows = TrainingRows(
        COMPANY.matrix.iloc[:50], labels, np.zeros(50), shape_of(COMPANY.plan), seed=0
    )
    expected = np.log(4.5 / 46.5)
    model = contestant.fit(rows, setting)
    assert model.log_odds(COMPANY.matrix[:2]).tolist() == pytest.approx([expected] * 2)
    for said in contestant.search(rows, COMPANY.matrix[:2]).values():
        assert said.tolist() == pytest.approx([expected] * 2)


@pytest.mark.parametrize("name", ["points_rules", "logistic", "lightgbm"])
def test_a_real_pattern_is_found(name: str) -> None:
    said = fitted(name).log_odds(COMPANY.matrix)
    assert roc_auc(COMPANY.points["label"].to_numpy(), said) > 0.7


@pytest.mark.parametrize("name", ["logistic", "lightgbm", "lightgbm on a linear start"])
def test_never_seen_and_missing_values_are_scored(name: str) -> None:
    strange = pd.DataFrame(
        {
            "visits": [np.nan, 1e12],
            "minutes": [np.nan, -5.0],
            "budget": [np.nan, 0.0],
            "constant": [np.nan, 7.0],
            "industry": pd.Series([None, "a new one"], dtype="str"),
            "channel": pd.Series([None, "🦄"], dtype="str"),
        }
    )[list(COMPANY.plan.columns)]
    assert np.isfinite(fitted(name).log_odds(strange)).all()


def test_no_tree_sees_both_axes() -> None:
    model = fitted("lightgbm")
    moved = COMPANY.matrix.assign(visits=0.0, minutes=0.0)
    before, after = model.parts(COMPANY.matrix), model.parts(moved)
    np.testing.assert_array_equal(before["fit"], after["fit"])
    assert (before["engagement"] != after["engagement"]).any()


def test_a_column_declared_to_rise_never_falls() -> None:
    shape = MatrixShape(("x",), (), ("fit",))
    x = np.tile(np.arange(20.0), 20)
    labels = (np.random.default_rng(0).random(400) < np.where(x > 10, 0.3, 0.6)).astype(float)
    rows = TrainingRows(pd.DataFrame({"x": x}), labels, np.zeros(400), shape, 0)
    steps = pd.DataFrame({"x": np.arange(20.0)})
    free = Boosting().fit(rows, SMALL_TREES).log_odds(steps)
    rising = Boosting(monotone=(("x", 1),)).fit(rows, SMALL_TREES).log_odds(steps)
    assert free[0] > free[-1]
    assert (np.diff(rising) >= 0).all()


def test_a_declared_direction_rules_out_the_linear_start() -> None:
    settings = Boosting(monotone=(("visits", 1),)).search(
        COMPANY.training_rows(), COMPANY.matrix[:1]
    )
    assert {dict(setting)["start"] for setting in settings} == {0.0}


def test_a_column_without_information_contributes_nothing() -> None:
    for name in ("logistic", "lightgbm"):
        assert (fitted(name).contributions(COMPANY.matrix)["constant"] == 0).all()


def test_a_matrix_without_information_gives_the_base_rate() -> None:
    shape = MatrixShape(("x",), (), ("fit",))
    labels = np.array([1.0] * 10 + [0.0] * 30)
    rows = TrainingRows(pd.DataFrame({"x": np.ones(40)}), labels, np.zeros(40), shape, 0)
    model = Logistic().fit(rows, setting_of(c=0.1, half_life=0))
    assert model.log_odds(rows.matrix)[0] == pytest.approx(np.log(10.5 / 30.5))
    trees = Boosting().fit(rows, SMALL_TREES)
    np.testing.assert_allclose(
        trees.parts(rows.matrix).sum(axis=1), trees.log_odds(rows.matrix), atol=1e-9
    )


def test_newer_rows_weigh_more_with_a_half_life() -> None:
    shape = MatrixShape(("x",), (), ("fit",))
    rows = TrainingRows(
        pd.DataFrame({"x": [0.0, 1.0]}), np.array([0.0, 1.0]), np.array([10.0, 0.0]), shape, 0
    )
    assert rows.weights(10.0).tolist() == [0.5, 1.0]
    assert rows.weights(0.0).tolist() == [1.0, 1.0]


def test_an_old_regime_is_forgotten_with_a_half_life() -> None:
    shape = MatrixShape(("x",), (), ("fit",))
    x = np.tile([0.0, 1.0], 200)
    labels = np.concatenate([1 - x[:200], x[200:]])
    rows = TrainingRows(pd.DataFrame({"x": x}), labels, np.arange(400.0)[::-1].copy(), shape, 0)
    steps = pd.DataFrame({"x": [0.0, 1.0]})
    equal = Logistic().fit(rows, setting_of(c=0.1, half_life=0)).log_odds(steps)
    forgetful = Logistic().fit(rows, setting_of(c=0.1, half_life=50)).log_odds(steps)
    assert equal[1] - equal[0] == pytest.approx(0.0, abs=1e-6)
    assert forgetful[1] - forgetful[0] > 1.0


def test_points_are_added_where_rules_hold() -> None:
    matrix = COMPANY.matrix.iloc[:3].assign(
        visits=[3.0, 2.0, np.nan],
        industry=pd.Series(["software", None, "steel"], dtype="str"),
        budget=[np.nan, 2.0, 0.0],
    )
    assert points_of(RULES, matrix).tolist() == [[10, 20, 0], [0, 0, -5], [0, 0, 0]]


def test_a_rule_about_both_axes_is_shared_by_its_columns() -> None:
    rule = PointsRule(when="visits > 2 AND industry = 'software'", points=10)
    model = FittedPointsRules((rule,), 0.1, (0.0,), -1.0, shape_of(company_plan()))
    matrix = COMPANY.matrix.iloc[:1].assign(
        visits=[5.0], industry=pd.Series(["software"], dtype="str")
    )
    parts = model.parts(matrix)
    assert parts.iloc[0].tolist() == pytest.approx([-1.0, 0.5, 0.5])


def test_a_rule_about_nothing_belongs_to_the_base() -> None:
    model = FittedPointsRules(
        (PointsRule(when="1 = 1", points=10),), 0.1, (0.0,), -1.0, shape_of(company_plan())
    )
    assert model.parts(COMPANY.matrix[:1]).iloc[0].tolist() == pytest.approx([0.0, 0.0, 0.0])


def test_rules_that_never_hold_give_the_base_rate() -> None:
    never = PointsRules((PointsRule(when="visits > 1000", points=1),))
    assert isinstance(never.fit(COMPANY.training_rows(), setting_of()), FittedBaseRate)


def test_a_rule_about_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'visits'"):
        points_of((PointsRule(when="visit > 1", points=1),), COMPANY.matrix)


def test_both_ways_to_solve_find_the_same_coefficients(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = setting_of(c=0.1, half_life=100)
    few_steps = Logistic().fit(COMPANY.training_rows(), setting).log_odds(COMPANY.matrix)
    monkeypatch.setattr("mqlml.modeling.contestants.logistic._NEWTON_COST", 0.0)
    cheap_steps = Logistic().fit(COMPANY.training_rows(), setting).log_odds(COMPANY.matrix)
    np.testing.assert_allclose(cheap_steps, few_steps, atol=1e-3)


@pytest.mark.parametrize("name", ["logistic", "lightgbm on a linear start"])
def test_a_model_says_the_same_however_many_rows_it_takes_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contestant, _ = CASES[name]
    rows, learnt = COMPANY.training_rows(), fitted(name)

    def said() -> list[np.ndarray]:
        searched = contestant.search(rows, COMPANY.matrix)
        every = [learnt.log_odds(COMPANY.matrix), learnt.parts(COMPANY.matrix).to_numpy()]
        return every + [searched[setting] for setting in sorted(searched)]

    at_once = said()
    for module in ("logistic", "boosting"):
        monkeypatch.setattr(f"mqlml.modeling.contestants.{module}._ROWS_AT_ONCE", 64)
    for one, same in zip(said(), at_once, strict=True):
        np.testing.assert_array_equal(one, same)


def test_boosting_learnt_again_from_its_own_start_is_the_same_model() -> None:
    rows, setting = COMPANY.training_rows(), ON_LINEAR
    fitted = Boosting().fit(rows, setting)
    assert isinstance(fitted, FittedBoosting)
    assert fitted.start is not None
    again = Boosting().fit_again(rows, setting, fitted)
    assert again.to_files() == fitted.to_files()
