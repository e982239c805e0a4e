from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.trainings import saved_bundle, tiny_bundle, tiny_matrix

from mqlml.errors import SchemaError
from mqlml.tracking.library import hushed
from mqlml.tracking.prediction import load_scorer, predict


def test_the_answer_is_the_models_own_with_score_grade_and_parts(tmp_path):
    bundle, matrix = tiny_bundle(), tiny_matrix(6)
    answer = load_scorer(saved_bundle(tmp_path / "b"))(matrix)
    probability = bundle.model.probability(matrix)
    parts = bundle.model.parts(matrix)
    assert answer["probability"].tolist() == probability.tolist()
    assert answer["score"].tolist() == [round(100 * p, 1) for p in probability]
    assert answer["fit_part"].tolist() == parts["fit"].tolist()
    assert answer["engagement_part"].tolist() == parts["engagement"].tolist()
    assert answer["grade"].str.fullmatch("[A-D][1-4]").all()


def test_order_of_columns_extra_columns_and_kinds_of_numbers_do_not_matter():
    bundle = tiny_bundle()
    plain = tiny_matrix(6).assign(visits=[1.0, 2.0, 3.0, 4.0, 0.0, 1.0])
    other = plain[["industry", "budget", "visits"]].assign(
        note="x", visits=plain["visits"].astype("int64"), industry=plain["industry"].astype(object)
    )
    pd.testing.assert_frame_equal(predict(bundle, plain), predict(bundle, other))


def test_the_answer_keeps_the_callers_index():
    frame = tiny_matrix(3).set_index(pd.Index(["x", "y", "z"]))
    assert predict(tiny_bundle(), frame).index.tolist() == ["x", "y", "z"]


def test_a_missing_column_and_text_for_a_number_are_named():
    with pytest.raises(SchemaError, match="budget"):
        predict(tiny_bundle(), tiny_matrix(3).drop(columns="budget"))
    with pytest.raises(SchemaError, match="budget"):
        predict(tiny_bundle(), tiny_matrix(3).assign(budget="many"))


def test_a_model_without_grade_cuts_grades_nothing():
    bundle = replace(tiny_bundle(), facts={})
    answer = predict(bundle, tiny_matrix(3))
    assert answer["grade"].isna().all()
    assert np.isfinite(answer["score"]).all()


def test_the_code_beside_the_bundle_gives_the_same_answer(tmp_path):
    with hushed():
        from mqlml.tracking.pyfunc_model import LeadScorer
    scorer = LeadScorer()
    scorer.load_context(SimpleNamespace(artifacts={"bundle": str(saved_bundle(tmp_path / "b"))}))
    matrix = tiny_matrix(4)
    pd.testing.assert_frame_equal(scorer.predict(None, matrix), predict(tiny_bundle(), matrix))
