from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import tournament

from mqlml.modeling.assurance import Assurance, log_odds_of
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.intervals import FILE, Scored, Spread, measure_spread, spread_from_files

SURE = Assurance(0.0, 1.0, 0.0, 0.0, 0.0, 100)


@pytest.fixture(scope="module")
def measured():
    """Return a company, its model, and the spread of its scores, placed with certainty."""
    company, _, result = tournament("base_rate", "logistic")
    return company, result.model, spread_of(result, company, SURE)


def spread_of(result, company, assurance) -> Spread | None:
    matrix = company.matrix.iloc[result.relearnt.rows].reset_index(drop=True)
    model = result.model
    scored = Scored(matrix, model.probability(matrix), model.shape, model.calibration.slope)
    return measure_spread(result.relearnt, scored, assurance)


def test_an_interval_holds_its_score_and_lies_between_nought_and_one(measured):
    company, model, spread = measured
    said = model.probability(company.matrix)
    low, high = spread.bounds(company.matrix, said)
    assert ((low > 0) & (low < said) & (said < high) & (high < 1)).all()


def test_the_width_follows_how_much_relearnt_models_differ(measured):
    company, model, spread = measured
    _, _, result = tournament("base_rate", "logistic")
    said = np.array([one.log_odds(company.matrix) for one in result.relearnt.models])
    apart = said.std(axis=0, ddof=1)
    low, high = spread.bounds(company.matrix, model.probability(company.matrix))
    width = log_odds_of(high) - log_odds_of(low)
    assert np.corrcoef(np.log(width), np.log(apart))[0, 1] > 0.5


def test_what_the_latest_labels_leave_open_widens_every_interval(measured):
    company, model, spread = measured
    said = model.probability(company.matrix)
    # A shift known to one and a half log-odds makes a lead of 50 % one of 7 to 93 % at least.
    unsure = replace(spread, assurance=replace(SURE, shift_variance=1.5**2))
    low, high = unsure.bounds(company.matrix, said)
    sure_low, sure_high = spread.bounds(company.matrix, said)
    assert ((low < sure_low) & (high > sure_high)).all()
    half = 1.6448536269514722 * 1.5
    assert (log_odds_of(high) - log_odds_of(said) >= half - 1e-9).all()
    assert probability_of(np.array([half]))[0] == pytest.approx(0.92, abs=0.005)


def test_one_lead_alone_gets_the_interval_it_gets_in_a_batch(measured):
    company, model, spread = measured
    said = model.probability(company.matrix)
    low, high = spread.bounds(company.matrix, said)
    for row in (0, 17, 400):
        alone = spread.bounds(company.matrix.iloc[[row]], said[[row]])
        assert (alone[0][0], alone[1][0]) == (low[row], high[row])


def test_it_comes_back_from_its_files_and_older_files_have_none(measured):
    company, model, spread = measured
    files = spread.to_files()
    said = model.probability(company.matrix)
    back = spread_from_files(files)
    assert back.to_files() == files
    np.testing.assert_array_equal(
        back.bounds(company.matrix, said), spread.bounds(company.matrix, said)
    )
    assert spread_from_files({n: f for n, f in files.items() if n != FILE}) is None


def test_values_never_seen_and_missing_have_an_interval_too(measured):
    company, model, spread = measured
    odd = company.matrix.head(2).copy()
    odd["industry"] = pd.Series(["space", None], dtype="str")
    odd["budget"] = np.nan
    low, high = spread.bounds(odd, model.probability(odd))
    assert (low < high).all()


def test_a_model_that_says_the_same_of_everybody_has_no_interval():
    company, _, result = tournament("base_rate")
    alike = replace(result.relearnt, models=(result.model.fitted,) * 3)
    assert spread_of(replace(result, relearnt=alike), company, SURE) is None
