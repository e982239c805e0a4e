import numpy as np
import pandas as pd
import pytest

from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import Contestant, TrainingRows, setting_of
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.routed import COLUMN, with_column
from mqlml.modeling.encoders import fit_linear_encoder
from mqlml.modeling.matrix import BASE, MatrixShape
from mqlml.modeling.model import CalibratedModel, model_from_files
from mqlml.modeling.residual import Correction, FittedResidual
from mqlml.modeling.routing import as_routed_then, is_routed, routed_model
from mqlml.modeling.stand_ins import if_handed, weighted_roc_auc

OWN = MatrixShape(("size", "visits"), (), ("fit", "engagement"))
TOLD = MatrixShape((*OWN.columns, COLUMN), (), (*OWN.axes, "engagement"))
CALIBRATION = Calibration(0.0, 1.0)
SETTINGS = {
    "logistic": setting_of(c=1.0, half_life=0.0),
    "lightgbm": setting_of(start=0.1, leaves=4, l2=20.0, half_life=0.0, trees=80),
}


def funnel(leads: int = 4_000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Leads of which sales worked the busy ones; buyers are the large ones, if worked."""
    random = np.random.default_rng(3)
    matrix = pd.DataFrame(random.normal(size=(leads, 2)), columns=list(OWN.columns))
    handed = (matrix["visits"] + random.normal(size=leads) > 0.8).to_numpy(float)
    if_worked = 1 / (1 + np.exp(-(-1.0 + matrix["size"].to_numpy())))
    chance = np.where(handed > 0, if_worked, if_worked / 20)
    return matrix, handed, (random.random(leads) < chance).astype(float), if_worked


def learnt(contestant: Contestant, *, told: bool = True) -> CalibratedModel:
    matrix, handed, labels, _ = funnel()
    shape = TOLD if told else OWN
    rows = TrainingRows(
        with_column(matrix, handed) if told else matrix, labels, np.zeros(len(labels)), shape, 0
    )
    return CalibratedModel(contestant.fit(rows, SETTINGS[contestant.name]), CALIBRATION, shape)


@pytest.mark.parametrize("contestant", [Logistic(), Boosting()], ids=["logistic", "boosting"])
def test_a_routed_model_says_of_all_leads_what_it_says_of_those_that_were_handed_over(
    contestant: Contestant,
) -> None:
    matrix, handed, _, _ = funnel()
    inner = learnt(contestant)
    model = routed_model(inner)
    assert model.shape == OWN
    assert model.probability(matrix) == pytest.approx(inner.probability(with_column(matrix, 1.0)))
    again = model_from_files(model.to_files())
    assert again.probability(matrix).tolist() == model.probability(matrix).tolist()
    said = model.contributions(matrix)
    assert list(said.columns) == [*OWN.columns, BASE]
    assert said.sum(axis=1).to_numpy() == pytest.approx(model.log_odds(matrix))
    assert model.parts(matrix).sum(axis=1).to_numpy() == pytest.approx(model.log_odds(matrix))
    told, as_it_was = as_routed_then(model, matrix, handed)
    assert told.probability(as_it_was) == pytest.approx(
        inner.probability(with_column(matrix, handed))
    )


def test_a_routed_model_ranks_by_what_buyers_are_not_by_whom_sales_worked() -> None:
    matrix, _, _, if_worked = funnel()
    routed = routed_model(learnt(Logistic())).probability(matrix)
    blind = learnt(Logistic(), told=False).probability(matrix)
    busy = matrix["visits"].to_numpy()
    assert abs(np.corrcoef(routed, busy)[0, 1]) < 0.15
    assert np.corrcoef(blind, busy)[0, 1] > 0.5
    # Scores say what a lead does if sales works it: as many as there would be.
    assert routed.mean() == pytest.approx(if_worked.mean(), rel=0.15)


def test_the_correction_of_a_routed_model_is_still_asked_about_leads_as_they_were_routed() -> None:
    matrix, handed, _, _ = funnel()
    base = routed_model(learnt(Logistic()))
    encoder = fit_linear_encoder(matrix[["size"]], OWN.without(("visits",)))
    width = encoder.transform(matrix).shape[1]
    correction = Correction(encoder, (0.5,) * width, (0.0,) * width, 0.2, 1.0)
    model = CalibratedModel(FittedResidual(base, correction), Calibration(), OWN)
    assert is_routed(model)
    told, as_it_was = as_routed_then(model, matrix, handed)
    worked = np.flatnonzero(handed)
    said, scored = told.log_odds(as_it_was), model.log_odds(matrix)
    assert said[worked] == pytest.approx(scored[worked])
    assert (said[handed == 0] < scored[handed == 0] - 1).all()


def test_a_model_that_was_not_told_is_asked_as_it_is() -> None:
    matrix, handed, _, _ = funnel(200)
    model = learnt(Logistic(), told=False)
    assert not is_routed(model)
    same, given = as_routed_then(model, matrix, handed)
    assert same is model
    assert given is matrix


def test_explored_leads_tell_how_good_scores_are_for_everybody() -> None:
    matrix, _, _, if_worked = funnel(40_000)
    random = np.random.default_rng(5)
    score = if_worked + 0.1 * random.random(len(matrix))
    would = (random.random(len(matrix)) < if_worked).astype(float)
    best = score >= np.quantile(score, 0.8)
    drawn = ~best & (random.random(len(matrix)) < 0.05)
    weights = np.where(best, 1.0, np.where(drawn, (~best).sum() / drawn.sum(), 0.0))
    labels = np.where(weights > 0, would, 0.0)
    found = if_handed(labels, score, weights)
    assert found is not None
    assert found.rate == pytest.approx(would.mean(), abs=0.02)
    whole = weighted_roc_auc(would, score, np.ones(len(would)))
    assert found.roc_auc == pytest.approx(whole, abs=0.02)
    # Among those the score chose it looks far worse than it is.
    chosen = weighted_roc_auc(would[best], score[best], np.ones(int(best.sum())))
    assert chosen < whole - 0.1
    assert if_handed(labels[:20], score[:20], weights[:20]) is None
