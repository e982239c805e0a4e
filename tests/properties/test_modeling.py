"""What must hold for any labels and probabilities, and for any row of a matrix."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.modeling_company import tournament

from mqlml.modeling.calibration import fit_calibration
from mqlml.modeling.metrics import calibration_curve, gains, log_loss, roc_auc

ROWS = st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.999)), min_size=2, max_size=60)
NUMBERS = st.one_of(st.just(np.nan), st.floats(-1e9, 1e9))
TEXTS = st.one_of(st.none(), st.sampled_from(["software", "ad"]), st.text(max_size=12))


def arrays(rows: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = zip(*rows, strict=True)
    return np.array(labels, dtype=float), np.array(probabilities)


@given(ROWS)
def test_turning_the_ranking_around_mirrors_roc_auc(rows: list[tuple[bool, float]]) -> None:
    labels, probabilities = arrays(rows)
    forth, back = roc_auc(labels, probabilities), roc_auc(labels, 1 - probabilities)
    if labels.min() != labels.max():
        assert abs(forth + back - 1) < 1e-9


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_changes_no_figure(rows: list[tuple[bool, float]], random: object) -> None:
    labels, probabilities = arrays(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_allclose(
        gains(labels, probabilities), gains(labels[order], probabilities[order]), atol=1e-12
    )
    assert (
        abs(log_loss(labels, probabilities) - log_loss(labels[order], probabilities[order])) < 1e-9
    )


@given(ROWS)
def test_calibration_bins_hold_every_row_once(rows: list[tuple[bool, float]]) -> None:
    labels, probabilities = arrays(rows)
    curve = calibration_curve(labels, probabilities)
    assert curve["rows"].sum() == len(rows)
    assert (curve["predicted"].diff().dropna() > 0).all()


@given(ROWS)
def test_calibration_never_turns_the_ranking_around(rows: list[tuple[bool, float]]) -> None:
    labels, probabilities = arrays(rows * 10)
    log_odds = np.log(probabilities / (1 - probabilities))
    found = fit_calibration(log_odds, log_odds, labels, "shift")
    assert found.slope == 1.0
    assert np.isfinite(found.shift)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS, TEXTS), min_size=1, max_size=8))
def test_any_row_is_scored_alone_as_in_the_batch_and_adds_up(rows: list[tuple]) -> None:
    company, _, result = tournament("logistic", "lightgbm")
    visits, budget, industry, channel = (list(column) for column in zip(*rows, strict=True))
    matrix = pd.DataFrame(
        {
            "visits": np.array(visits, dtype=float),
            "minutes": 1.0,
            "budget": np.array(budget, dtype=float),
            "constant": 1.0,
            "industry": pd.Series(industry, dtype="str"),
            "channel": pd.Series(channel, dtype="str"),
        }
    )[list(company.plan.columns)]
    for model in (result.model, result.test_model):
        batch = model.log_odds(matrix)
        assert np.isfinite(batch).all()
        np.testing.assert_allclose(model.parts(matrix).sum(axis=1), batch, atol=1e-9)
        np.testing.assert_allclose(model.contributions(matrix).sum(axis=1), batch, atol=1e-9)
        alone = [model.log_odds(matrix.iloc[[i]])[0] for i in range(len(matrix))]
        assert alone == batch.tolist()
