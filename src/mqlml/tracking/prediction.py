"""What a model in MLflow answers: one row of figures per row of the plan's columns."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mqlml.features.plan import Plan
from mqlml.modeling.bundle import Bundle, load_bundle
from mqlml.modeling.grades import GradeCuts

Scorer = Callable[[pd.DataFrame], pd.DataFrame]


def load_scorer(folder: Path) -> Scorer:
    """Return the function that answers for the bundle in `folder`; BundleError if it is unsound."""
    return partial(predict, load_bundle(folder))


def predict(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame:
    """Return probability, score, grade, fit_part and engagement_part, by the frame's index.

    Columns beyond the plan's are ignored. A model without grade cuts grades nothing.

    Raises:
        SchemaError: A column of the plan is missing or is not of its kind.
    """
    matrix = _matrix(frame, bundle.plan)
    probability = bundle.model.probability(matrix)
    parts = bundle.model.parts(matrix)
    answer = pd.DataFrame(
        {
            "probability": probability,
            "score": np.round(100 * probability, 1),
            "grade": _grades(bundle, parts).to_numpy(),
            "fit_part": parts["fit"].to_numpy(),
            "engagement_part": parts["engagement"].to_numpy(),
        },
        index=frame.index,
    )
    return answer.astype({"grade": "str"})


def _matrix(frame: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the plan's columns in its order; whole numbers become floats, texts `str`."""
    present = [column for column in plan.columns if column in frame.columns]
    matrix = frame[present].reset_index(drop=True)
    kinds = {
        column: "str" if column in plan.categories else "float64"
        for column in present
        if column in plan.categories or pd.api.types.is_numeric_dtype(matrix[column].dtype)
    }
    return matrix.astype(kinds)


def _grades(bundle: Bundle, parts: pd.DataFrame) -> "pd.Series[str]":
    cuts = bundle.facts.get("grade_cuts")
    if cuts is None:
        return pd.Series([None] * len(parts), dtype="str")
    return GradeCuts.from_json(cuts).grades(parts)
