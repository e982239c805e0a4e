"""A champion with a correction around it is a model like any other."""

import numpy as np
import pytest
from tests.trainings import tiny_bundle, tiny_matrix, tiny_plan

from mqlml.modeling.adjustment import (
    Evidence,
    Learnt,
    correct,
    corrected_model,
    encoded,
    out_of_fold,
    recalibrate,
    recalibrated_model,
)
from mqlml.modeling.bundle import Bundle, load_bundle, save_bundle
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.matrix import BASE
from mqlml.modeling.model import model_from_files
from mqlml.modeling.young_labels import mature_outcomes


@pytest.fixture(scope="module")
def model():
    return tiny_bundle().model


def corrected(model, stretch=0.8):
    matrix = tiny_matrix()
    design = encoded(matrix, model, ("visits", "industry"))
    coefficients = np.linspace(-0.4, 0.6, design.design.shape[1])
    learnt = Learnt(-0.3, stretch, coefficients)
    return corrected_model(model, learnt, design), learnt, design


def test_it_says_shift_and_stretch_and_the_corrected_columns(model) -> None:
    matrix = tiny_matrix()
    changed, learnt, design = corrected(model)
    expected = learnt.log_odds(model.log_odds(matrix), design.design)
    assert changed.log_odds(matrix) == pytest.approx(expected)


def test_reasons_and_parts_add_up_to_the_score(model) -> None:
    matrix = tiny_matrix()
    changed, _, _ = corrected(model)
    log_odds = changed.log_odds(matrix)
    said = changed.contributions(matrix)
    assert list(said.columns) == [*tiny_plan().columns, BASE]
    assert said.sum(axis=1).to_numpy() == pytest.approx(log_odds)
    assert changed.parts(matrix).sum(axis=1).to_numpy() == pytest.approx(log_odds)
    untouched = model.contributions(matrix)["budget"] * 0.8
    assert said["budget"].to_numpy() == pytest.approx(untouched.to_numpy())


def test_it_comes_back_from_its_files_even_around_another_one(model, tmp_path) -> None:
    matrix = tiny_matrix()
    once, _, _ = corrected(model)
    twice, _, _ = corrected(once, stretch=1.1)
    for number, changed in enumerate((once, twice)):
        assert model_from_files(changed.to_files()).log_odds(matrix).tolist() == (
            changed.log_odds(matrix).tolist()
        )
        old = tiny_bundle()
        bundle = Bundle(changed, old.plan, old.criteria, [], old.facts, old.name)
        save_bundle(bundle, tmp_path / str(number))
        loaded = load_bundle(tmp_path / str(number))
        assert loaded.model.name == "residual"
        assert not [p for p in (tmp_path / str(number)).iterdir() if p.suffix == ".pkl"]


def test_a_recalibrated_model_is_the_model_itself(model) -> None:
    matrix = tiny_matrix()
    changed = recalibrated_model(model, Learnt(0.5, 0.9, np.zeros(0)))
    assert changed.name == model.name
    assert changed.log_odds(matrix) == pytest.approx(0.5 + 0.9 * model.log_odds(matrix))


def evidence(effect: float, *, seed: int = 0, rows: int = 4000) -> Evidence:
    """Return leads of whom the third of ten columns says more than the old model knows."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(rows, 10))
    offset = -2.0 + design[:, 0]
    labels = (rng.random(rows) < probability_of(offset + effect * design[:, 2])).astype(float)
    return Evidence(offset, design, mature_outcomes(labels), np.arange(rows) // 2)


def test_the_column_that_counts_anew_is_found() -> None:
    learnt = correct(evidence(0.8), 0)
    assert int(np.argmax(np.abs(learnt.coefficients))) == 2
    assert learnt.coefficients[2] == pytest.approx(0.8, abs=0.15)
    assert learnt.stretch == pytest.approx(1.0, abs=0.15)


def test_where_nothing_changed_little_is_learnt() -> None:
    learnt = correct(evidence(0.0), 0)
    assert np.abs(learnt.coefficients).max() < 0.12
    assert (learnt.shift, learnt.stretch) == pytest.approx((0.0, 1.0), abs=0.25)


def test_what_is_said_of_a_lead_comes_from_others_alone() -> None:
    given = evidence(0.8, rows=600)
    said = out_of_fold(given, recalibrate, seed=0)
    flipped = given.outcomes.came.copy()
    flipped[:2] = 1 - flipped[:2]
    other = Evidence(given.offset, given.design, mature_outcomes(flipped), given.leads)
    again = out_of_fold(other, recalibrate, seed=0)
    assert again[:2].tolist() == said[:2].tolist()
    assert (again[2:] != said[2:]).any()
