"""Corrections of a champion: in a few columns where few changed, in all where many did."""

import numpy as np

from mqlml.modeling.adjustment import Evidence, correct, out_of_fold, recalibrate
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.young_labels import mature_outcomes


def evidence(changed: int, size: float, *, rows: int = 3000, columns: int = 40) -> Evidence:
    rng = np.random.default_rng(3)
    design = rng.normal(size=(rows, columns))
    offset = -2.0 + 0.5 * rng.normal(size=rows)
    truth = probability_of(offset + size * design[:, :changed].sum(axis=1))
    labels = (rng.random(rows) < truth).astype(float)
    return Evidence(offset, design, mature_outcomes(labels), np.arange(rows))


def test_where_two_columns_changed_a_dozen_at_most_are_corrected() -> None:
    coefficients = correct(evidence(2, 0.8), 0).coefficients
    assert np.count_nonzero(coefficients) <= 12
    assert set(np.argsort(-np.abs(coefficients))[:2]) == {0, 1}


def test_where_thirty_columns_changed_more_than_a_dozen_are_corrected() -> None:
    found = evidence(30, 0.25)
    coefficients = correct(found, 0).coefficients
    assert np.count_nonzero(coefficients) > 12
    # Every column that changed counts more, as it should.
    assert (coefficients[:30] > 0).mean() > 0.9
    corrected, shifted = (
        found.outcomes.losses(probability_of(out_of_fold(found, fit, seed=0))).mean()
        for fit in (correct, recalibrate)
    )
    assert corrected < shifted - 0.02
