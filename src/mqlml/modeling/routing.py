"""Models that learnt who was handed over: made, and asked of leads as they were routed."""

from dataclasses import replace

import pandas as pd

from mqlml.modeling.contestants.routed import COLUMN, FittedRouted, Floats, with_column
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.model import CalibratedModel, Model
from mqlml.modeling.residual import Corrected, FittedResidual
from mqlml.modeling.tournament import TournamentResult

# What sales does to a lead belongs to neither side of it; the grade's cuts are made with it in.
_AXIS = "engagement"


def routed_model(model: CalibratedModel) -> CalibratedModel:
    """Return a model fitted with `COLUMN` as one that takes the plan's own matrices."""
    return replace(model, fitted=FittedRouted(model.fitted), shape=model.shape.without((COLUMN,)))


def routed_result(result: TournamentResult) -> TournamentResult:
    """Return a tournament played with `COLUMN`, its models as `routed_model` gives them.

    Figures of folds and test stay those of leads as they were routed.
    """
    relearnt = tuple(FittedRouted(fitted) for fitted in result.relearnt.models)
    ranks = result.ranks[result.ranks["column"] != COLUMN].reset_index(drop=True)
    return replace(
        result,
        test_model=routed_model(result.test_model),
        model=routed_model(result.model),
        relearnt=replace(result.relearnt, models=relearnt),
        ranks=ranks,
    )


def is_routed(model: Model) -> bool:
    """Return whether the model learnt who was handed over, or corrects one that did."""
    return _told(model) is not None


def as_routed_then(
    model: Model, matrix: pd.DataFrame, handed_over: Floats
) -> tuple[Model, pd.DataFrame]:
    """Return model and matrix that say what was to be expected of leads as they were routed.

    Scores say what a lead would do if sales worked it; what leads did is judged by this. Of
    a model that did not learn who was handed over both come back as they are.
    """
    told = _told(model)
    return (model, matrix) if told is None else (told, with_column(matrix, handed_over))


def _told(model: Model | Corrected) -> CalibratedModel | None:
    """Return the model that is to be told who was handed over; None if it never learnt that."""
    if not isinstance(model, CalibratedModel):
        return None
    fitted = model.fitted
    if isinstance(fitted, FittedRouted):
        own = model.shape
        shape = MatrixShape((*own.columns, COLUMN), own.categories, (*own.axes, _AXIS))
        return replace(model, fitted=fitted.inner, shape=shape)
    if isinstance(fitted, FittedResidual):
        base = _told(fitted.base)
        if base is not None:
            return replace(model, fitted=replace(fitted, base=base), shape=base.shape)
    return None
