"""How surely a lead's probability is known: an interval around its score.

The interval is for the chance that leads with the very same features convert, not for what
this one lead will do. At 90 % it is meant to hold that chance for nine leads in ten: where
the truth is known (planted companies, `make bench-intervals`) coverage is the share of
leads whose true chance lies within its interval.

Two things make it wide. What another sample of leads would have taught (the spread of the
log-odds over re-learnings), and how surely the latest labels place the log-odds as a whole
(`assurance`). Keeping twenty models would make scoring twenty times as dear; so the spread
is learnt from the features by a few small trees, and these travel in the bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.assurance import Assurance, assurance_from_json, log_odds_of
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.encoders import TreeEncoder, fit_tree_encoder
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.relearning import Relearnt
from mqlml.modeling.trees.ensemble import Ensemble

Floats = npt.NDArray[np.float64]

FILE, _TEXT_FILE = "interval.json", "interval.txt"
_Z_90 = 1.6448536269514722
# Re-learnings share the winner's simplifications: they differ less from one another than
# from the truth. Measured on planted companies of the tuning seeds of `bench-intervals`.
_WIDENED = 1.3
_TAUGHT_ROWS = 2_000
_TREES = 30
_LEAST_SPREAD = 1e-3
_PARAMETERS = {
    "objective": "regression",
    "num_leaves": 8,
    "learning_rate": 0.2,
    "min_data_in_leaf": 30,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Spread:
    """How far each lead's log-odds might be off: trees for the spread, and the assurance."""

    text: str
    encoder: TreeEncoder
    assurance: Assurance

    @cached_property
    def _ensemble(self) -> Ensemble:
        return Ensemble.from_text(self.text)

    def bounds(self, matrix: pd.DataFrame, probability: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of the 90 % interval, around each probability.

        A row's interval depends on that row alone.
        """
        log_odds = log_odds_of(probability)
        spread = np.exp(self._ensemble.raw_scores(_encoded(self.encoder, matrix, log_odds)))
        half = _Z_90 * _WIDENED * np.sqrt(spread**2 + _placing_variance(self.assurance, log_odds))
        low, high = probability_of(log_odds - half), probability_of(log_odds + half)
        return np.minimum(low, probability), np.maximum(high, probability)

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold it, by name."""
        values = {"encoder": self.encoder.to_json(), "assurance": self.assurance.to_json()}
        return {FILE: json_bytes(values), _TEXT_FILE: self.text.encode()}


def spread_from_files(files: Mapping[str, bytes]) -> Spread | None:
    """Return what `to_files` gave; None if the files hold none, as those of older versions."""
    if FILE not in files:
        return None
    values: dict[str, Any] = json_value(files[FILE])
    return Spread(
        files[_TEXT_FILE].decode(),
        TreeEncoder.from_json(values["encoder"]),
        assurance_from_json(values["assurance"]),
    )


@dataclass(frozen=True)
class Scored:
    """Rows, what the model in use says of them, and the slope that it was calibrated with."""

    matrix: pd.DataFrame
    probability: Floats
    shape: MatrixShape
    slope: float


def measure_spread(relearnt: Relearnt, scored: Scored, assurance: Assurance) -> Spread | None:
    """Return how the spread over re-learnings follows from the features; None if there is none.

    Re-learnings had `relearnt.share` of the rows, and their variance is taken to shrink as
    rows grow. A model that says the same of everybody has no spread of its own.
    """
    import lightgbm

    rows = np.arange(0, len(scored.matrix), max(1, len(scored.matrix) // _TAUGHT_ROWS))
    some = scored.matrix.iloc[rows]
    said = np.array([model.log_odds(some) for model in relearnt.models])
    spread = said.std(axis=0, ddof=1) * scored.slope * np.sqrt(relearnt.share)
    if not (spread > 0).any():
        return None
    encoder = fit_tree_encoder(some, scored.shape)
    encoded = _encoded(encoder, some, log_odds_of(scored.probability[rows]))
    data = lightgbm.Dataset(
        encoded,
        label=np.log(np.maximum(spread, _LEAST_SPREAD)),
        categorical_feature=list(encoder.category_positions),
    )
    booster = lightgbm.train(dict(_PARAMETERS), data, num_boost_round=_TREES)
    return Spread(booster.model_to_string(), encoder, assurance)


def _encoded(encoder: TreeEncoder, matrix: pd.DataFrame, log_odds: Floats) -> Floats:
    """Return the codes of the features, and the log-odds as one more column."""
    return np.column_stack([encoder.transform(matrix), log_odds])


def _placing_variance(assurance: Assurance, log_odds: Floats) -> Floats:
    """Return the variance of shift + slope × log-odds."""
    variance = (
        assurance.shift_variance
        + 2 * assurance.covariance * log_odds
        + assurance.slope_variance * log_odds**2
    )
    return np.maximum(variance, 0.0)
