"""What a model says of many leads, and why, worked out some thousands of leads at a time.

A lead's figures depend on that lead alone, so the cut changes none of them, and what
is needed on the way (codes, contributions of every column) never exceeds one part.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.model import Model
from mqlml.scoring.reasons import reasons_of
from mqlml.scoring.settings import ReasonsFrom, ScoreSettings

Floats = npt.NDArray[np.float64]

LEADS_AT_ONCE = 32_768
# Bands from the lowest; a hand raiser goes to sales whatever the score.
_BANDS = (Outcome.COLD, Outcome.WARM, Outcome.MQL, Outcome.HAND_RAISER)


def model_figures(model: Model, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return `probability`, `base`, `fit` and `engagement`, one row per row of the matrix.

    Raises SchemaError if the matrix is not the plan's.
    """
    parts = _parts(matrix, np.arange(len(matrix)))
    found = [model.parts(part).assign(probability=model.probability(part)) for part in parts]
    return pd.concat(found, ignore_index=True)


def score_bounds(
    bundle: Bundle, matrix: pd.DataFrame, probability: Floats
) -> tuple[Floats, Floats]:
    """Return the ends of each probability's 90 % interval; NaN if the bundle has none."""
    if bundle.spread is None:
        return np.full(len(matrix), np.nan), np.full(len(matrix), np.nan)
    rows = np.arange(len(matrix))
    firsts = range(0, max(len(rows), 1), LEADS_AT_ONCE)
    parts = zip(
        _parts(matrix, rows), (probability[i : i + LEADS_AT_ONCE] for i in firsts), strict=True
    )
    bounds = [bundle.spread.bounds(part, said) for part, said in parts]
    low, high = (np.concatenate(ends) for ends in zip(*bounds, strict=True))
    return low, high


def reasons_where_wanted(
    bundle: Bundle, matrix: pd.DataFrame, outcome: "pd.Series[Any]", settings: ScoreSettings
) -> pd.DataFrame:
    """Return `reasons_up` and `reasons_down` by `reasons_of`, one row per row of the matrix.

    Leads below the band `settings.reasons_from` are not explained, and have empty
    texts. From "cold" on all leads are explained, disqualified ones too.
    """
    wanted = np.flatnonzero(is_explained(outcome, settings.reasons_from))
    found = pd.concat(
        [_reasons(bundle, part, settings.reasons) for part in _parts(matrix, wanted)],
        ignore_index=True,
    )
    return found.set_axis(wanted).reindex(range(len(matrix)), fill_value="")


def is_explained(outcome: "pd.Series[Any]", lowest: ReasonsFrom) -> npt.NDArray[np.bool_]:
    """Return which leads get reasons, by the lowest band that does."""
    if lowest == "cold":
        return np.ones(len(outcome), dtype=bool)
    above = _BANDS[_BANDS.index(Outcome(lowest)) :]
    return np.asarray(outcome.isin([band.value for band in above]), dtype=bool)


def _reasons(bundle: Bundle, matrix: pd.DataFrame, limit: int) -> pd.DataFrame:
    contributions = bundle.model.contributions(matrix)
    typical = _typical(bundle.facts)
    return reasons_of(contributions, matrix, bundle.plan, limit=limit, typical=typical)


def _typical(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the usual values of training's leads, none if an older mqlml wrote the facts."""
    columns = facts.get("reference", {}).get("columns", {})
    values = {name: column.get("typical") for name, column in columns.items()}
    return {name: value for name, value in values.items() if value is not None}


def _parts(matrix: pd.DataFrame, rows: npt.NDArray[np.int64]) -> Iterator[pd.DataFrame]:
    """Yield these rows of the matrix in parts; one empty part if there are none."""
    for first in range(0, max(len(rows), 1), LEADS_AT_ONCE):
        yield matrix.iloc[rows[first : first + LEADS_AT_ONCE]].reset_index(drop=True)
