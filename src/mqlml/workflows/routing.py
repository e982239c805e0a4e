"""Who was handed over, in training and in what is said of the past (`model.routed`)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mqlml.config import Settings
from mqlml.dataset.build import Dataset
from mqlml.dataset.labels import days_to_micros
from mqlml.dataset.routes import EXPLORED, handed_over, routes_of, stand_in_weights
from mqlml.errors import DataError, Fault
from mqlml.features.columns import AttributeFeature
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.contestants.routed import COLUMN
from mqlml.modeling.model import Model
from mqlml.modeling.routing import as_routed_then, is_routed
from mqlml.modeling.stand_ins import if_handed
from mqlml.modeling.tournament import TournamentResult
from mqlml.tables.contracts import Tables

# Of fewer points on either side nothing can be learnt about being handed over.
_FEWEST = 50
_PART = AttributeFeature(COLUMN, COLUMN, "number", "handed over to sales", "engagement")


def routed_dataset(settings: Settings, tables: Tables, dataset: Dataset) -> Dataset:
    """Return the dataset with the column of `model.routed`; as it is where that is not asked.

    Raises DataError where handovers say nothing: nobody keeps them, or all leads are alike.
    """
    routed = settings.model.routed
    if routed is None:
        return dataset
    handed = handed_over(tables, dataset.points, within=days_to_micros(routed.within_days))
    _refuse_one_route(handed)
    plan = replace(dataset.plan, attributes=(*dataset.plan.attributes, _PART))
    matrix = dataset.matrix.assign(**{COLUMN: handed})[list(plan.columns)]
    return Dataset(dataset.points, matrix, plan)


def _refuse_one_route(handed: "np.ndarray[Any, Any]") -> None:
    count, total = int(handed.sum()), len(handed)
    if min(count, total - count) >= _FEWEST:
        return
    what = "model.routed cannot be learnt: too few leads were handed over, or too few were not"
    mend = "map a table of handovers to sources.handovers, or remove model.routed"
    found = f"{count:,} of {total:,} points of handed-over leads; {_FEWEST} on each side are needed"
    raise DataError(Fault(what, "handovers", found, mend))


def as_they_were_routed(
    bundle: Bundle, tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame
) -> tuple[Model, pd.DataFrame]:
    """Return model and matrix that tell what was expected of the points as they were routed.

    `matrix` holds the features of the points by the bundle's plan, row by row.
    """
    if not is_routed(bundle.model):
        return bundle.model, matrix
    within = days_to_micros(float(bundle.facts["routed"]["within_days"]))
    return as_routed_then(bundle.model, matrix, handed_over(tables, points, within=within))


def route_facts(
    settings: Settings, tables: Tables, dataset: Dataset, result: TournamentResult
) -> dict[str, Any]:
    """Return what the bundle keeps of routing: shares, and how good scores are for all leads."""
    routed = settings.model.routed
    if routed is None:
        return {}
    test = np.sort(result.test_rows)
    points = dataset.points.iloc[test].reset_index(drop=True)
    routes = routes_of(tables, points, within=days_to_micros(routed.within_days))
    probability = result.test_model.probability(dataset.matrix.iloc[test].reset_index(drop=True))
    judged = if_handed(result.test_labels, probability, stand_in_weights(routes))
    return {
        "routed": {
            "within_days": routed.within_days,
            "handed_over_share": float((routes != "").mean()),
            "explored_share": float((routes == EXPLORED).mean()),
            "if_handed": None if judged is None else judged.to_json(),
        }
    }
