import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import make_company, split_company

from mqlml.errors import ConfigError
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.contestants.contestant import TrainingRows, setting_of
from mqlml.modeling.contestants.segments import FittedSegments, Segments
from mqlml.modeling.metrics import log_loss
from mqlml.modeling.model import model_from_files
from mqlml.modeling.rungs import PersonaSegments, Rung, segments_of, standing_of
from mqlml.modeling.segmenting import Segmenting
from mqlml.modeling.settings import ModelSettings, SegmentSettings
from mqlml.modeling.tournament import contestants_of, material_of, run_tournament

COMPANY = make_company(1200)
INDUSTRY = Segmenting("industry")
SOFTWARE_AND_STEEL = Segments(INDUSTRY, ("software", "steel"), 20)
FREE = setting_of(c=0.1, deviation=0.03)


def opposed(leads: int = 1500) -> tuple[pd.DataFrame, np.ndarray]:
    """Return leads whose visits speak for software and against steel."""
    company = make_company(leads)
    is_steel = (company.matrix["industry"] == "steel").to_numpy()
    sign = np.where(is_steel, -1.5, 1.5)
    truth = sign * (company.matrix["visits"].to_numpy() - 2)
    random = np.random.default_rng(4)
    return company.matrix, (random.random(leads) < probability_of(truth)).astype(float)


def rows_of(matrix: pd.DataFrame, industry: str) -> np.ndarray:
    return np.flatnonzero(INDUSTRY.names(matrix) == industry)


def rows_with(matrix: pd.DataFrame, labels: np.ndarray) -> TrainingRows:
    rows = COMPANY.training_rows()
    return TrainingRows(matrix, labels, np.zeros(len(labels)), rows.shape, seed=0)


def test_segments_that_differ_are_told_apart_and_a_pooled_model_cannot() -> None:
    matrix, labels = opposed()
    fitted = SOFTWARE_AND_STEEL.fit(rows_with(matrix, labels), FREE)
    steel = rows_of(matrix, "steel")
    own = log_loss(labels[steel], probability_of(fitted.log_odds(matrix)[steel]))
    pooled = log_loss(labels[steel], probability_of(fitted.pooled.log_odds(matrix)[steel]))
    assert own < pooled - 0.15


def test_the_weaker_the_deviation_the_nearer_to_the_pooled_model() -> None:
    matrix, labels = opposed()
    apart = []
    for deviation in (1e-9, 0.003, 0.03):
        setting = setting_of(c=0.1, deviation=deviation)
        fitted = SOFTWARE_AND_STEEL.fit(rows_with(matrix, labels), setting)
        steel = rows_of(matrix, "steel")
        away = fitted.own[1][1].coefficients - np.array(fitted.pooled.coefficients)
        apart.append(float(np.abs(away).max()))
        assert len(steel)
    assert apart[0] < 1e-5
    assert apart[0] < apart[1] < apart[2]


def test_a_segment_without_a_model_of_its_own_is_scored_by_the_pooled_one() -> None:
    fitted = SOFTWARE_AND_STEEL.fit(COMPANY.training_rows(), FREE)
    food = COMPANY.matrix.iloc[rows_of(COMPANY.matrix, "food")]
    np.testing.assert_array_equal(fitted.log_odds(food), fitted.pooled.log_odds(food))
    strange = food.assign(industry=pd.Series([None] * len(food), index=food.index, dtype="str"))
    np.testing.assert_array_equal(fitted.log_odds(strange), fitted.pooled.log_odds(strange))


def test_a_segment_with_few_conversions_in_the_rows_is_pooled_there() -> None:
    rows = COMPANY.training_rows()
    software = rows_of(rows.matrix, "software")
    labels = rows.labels.copy()
    labels[software] = 0
    labels[software[:19]] = 1
    fitted = SOFTWARE_AND_STEEL.fit(replace(rows, labels=labels), FREE)
    assert [level for level, _ in fitted.own] == ["steel"]


def test_parts_and_contributions_sum_to_the_log_odds_of_each_segment() -> None:
    fitted = SOFTWARE_AND_STEEL.fit(COMPANY.training_rows(), FREE)
    said = fitted.log_odds(COMPANY.matrix)
    np.testing.assert_allclose(fitted.parts(COMPANY.matrix).sum(axis=1), said, atol=1e-9)
    found = fitted.contributions(COMPANY.matrix)
    np.testing.assert_allclose(found.sum(axis=1), said, atol=1e-9)
    assert list(found.columns)[-1] == "__base"


def test_a_lead_alone_gets_what_it_gets_in_a_batch() -> None:
    fitted = SOFTWARE_AND_STEEL.fit(COMPANY.training_rows(), FREE)
    said = fitted.log_odds(COMPANY.matrix)
    assert [fitted.log_odds(COMPANY.matrix.iloc[[i]])[0] for i in range(9)] == said[:9].tolist()


def test_files_restore_the_same_models() -> None:
    fitted = SOFTWARE_AND_STEEL.fit(COMPANY.training_rows(), FREE)
    files = fitted.to_files()
    restored = FittedSegments.from_files(files)
    assert restored.to_files() == files
    np.testing.assert_array_equal(
        restored.log_odds(COMPANY.matrix), fitted.log_odds(COMPANY.matrix)
    )


def test_segments_win_where_they_differ_and_the_bundle_holds_them() -> None:
    matrix, labels = opposed()
    company = make_company(1500)
    company = replace(company, points=company.points.assign(label=labels))
    settings = ModelSettings(
        contestants=("logistic",), segments=SegmentSettings(column="industry", min_leads=100)
    )
    result = run_tournament(company, split_company(company), settings, seed=0)
    assert result.winner == "segments"
    assert {segment.scored_by for segment in result.segments} == {
        "its own model, held near the pooled one"
    }
    again = model_from_files(result.model.to_files())
    np.testing.assert_array_equal(again.probability(matrix), result.model.probability(matrix))


PERSONAS = Segmenting(
    rules={"maker": "industry IN ('Steel AG', 'food')", "coder": "industry = 'software'"},
    spelled={"industry": {"steel": "Steel AG"}},
)


def test_personas_are_told_by_the_first_rule_that_holds_of_values_as_people_wrote_them() -> None:
    industry = ["steel", "food", "software", "Steel AG", None, "other"]
    matrix = pd.DataFrame({"industry": pd.Series(industry, dtype="str")})
    names = ["maker", "maker", "coder", "maker", "other", "other"]
    assert list(PERSONAS.names(matrix)) == names
    first = Segmenting(rules={"all": "industry IS NOT NULL", **PERSONAS.rules})
    assert set(first.names(matrix)) == {"all", "other"}


def test_models_by_persona_win_where_personas_differ_and_the_bundle_tells_them() -> None:
    matrix, labels = opposed()
    company = make_company(1500)
    company = replace(company, points=company.points.assign(label=labels))
    rules = {"maker": "industry = 'steel'", "coder": "industry = 'software'"}
    asked = PersonaSegments(personas=True, min_leads=100, by=Segmenting(rules=rules))
    settings = ModelSettings(contestants=("logistic",), segments=asked)
    result = run_tournament(company, split_company(company), settings, seed=0)
    assert result.winner == "segments"
    assert {segment.segment for segment in result.segments} == {"maker", "coder", "other"}
    again = model_from_files(result.model.to_files())
    np.testing.assert_array_equal(again.probability(matrix), result.model.probability(matrix))
    # The order of the rules, the first that holds decides, survives the way through JSON.
    by = Segmenting.from_json(json.loads(json.dumps(PERSONAS.to_json(), sort_keys=True)))
    assert list(by.rules) == ["maker", "coder"]
    assert by == PERSONAS


def test_the_pooled_model_wins_where_segments_do_not_differ() -> None:
    settings = ModelSettings(
        contestants=("logistic",), segments=SegmentSettings(column="industry", min_leads=100)
    )
    result = run_tournament(COMPANY, split_company(COMPANY), settings, seed=0)
    assert result.winner == "logistic"
    assert {segment.scored_by for segment in result.segments} == {"pooled model"}
    assert "not clearly better" in result.segments[0].why


def test_a_segment_says_how_many_leads_conversions_and_months_it_lacks() -> None:
    material = material_of(COMPANY, ModelSettings(), 0)
    settings = SegmentSettings(column="industry", min_leads=10_000, min_conversions=5, min_months=2)
    rungs = segments_of(material, np.arange(100), settings)
    assert {rung.segment for rung in rungs} == {"software", "steel", "food"}
    assert [rung.leads for rung in rungs] == sorted((rung.leads for rung in rungs), reverse=True)
    first = rungs[0]
    # A hundred leads, a day apart, since 1970-01-01: January to the tenth of April.
    assert first.months == 4
    assert first.why == f"leads: {first.leads} of 10000, {10_000 - first.leads:,} more are needed"
    assert not first.is_large


def test_fewer_than_two_large_segments_have_no_models_of_their_own() -> None:
    settings = ModelSettings(segments=SegmentSettings(column="industry"))
    rungs = [Rung("software", 900, 90, 9, is_large=True), Rung("steel", 9, 9, 9, is_large=False)]
    names = [c.name for c in contestants_of(settings, 100, rungs)]
    assert names == ["base_rate", "logistic", "lightgbm"]


def test_a_thin_segment_is_scored_by_the_pooled_model_beside_large_ones() -> None:
    thin = Rung("steel", 9, 9, 9, is_large=False, why="leads: 9 of 300, 291 more are needed")
    large = Rung("software", 900, 90, 9, is_large=True)
    placed = standing_of([large, thin], "segments")
    assert [rung.scored_by for rung in placed] == [
        "its own model, held near the pooled one",
        "pooled model",
    ]
    assert placed[1].why == thin.why
    assert standing_of([large], "base_rate")[0].scored_by == "base rate"


def test_segments_need_a_column_of_text() -> None:
    material = material_of(COMPANY, ModelSettings(), 0)
    with pytest.raises(ConfigError) as caught:
        segments_of(material, np.arange(100), SegmentSettings(column="visits"))
    assert caught.value.faults[0].what == "no category to segment by"
