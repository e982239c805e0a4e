"""Conversion learnt near acceptance: what sales accepts as a second target.

Many more leads are judged than convert, and within days. So a first linear model learns
from the judged rows alone what sales accepts; the model of conversions is held near a share
of its coefficients, and departs from them where conversions say so. The share is chosen on
forward folds by the log loss of conversions. It is a plain logistic regression in the end:
parts, reasons and bundle are those of any other, and no verdict is needed to score.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mqlml.modeling.contestants.base_rate import FittedBaseRate
from mqlml.modeling.contestants.contestant import (
    NO_HALF_LIFE,
    Floats,
    Setting,
    TrainingRows,
    setting_of,
)
from mqlml.modeling.contestants.logistic import FittedLogistic, Logistic
from mqlml.modeling.contestants.near import held_near
from mqlml.modeling.encoders import fit_linear_encoder

NAME = "logistic_acceptance"
_STRENGTHS = (0.01, 0.03, 0.1)
_SHARES = (0.5, 1.0)
_ACCEPTANCE_STRENGTH = 0.03
# Judged rows of either kind; with fewer there is nothing to be near to.
_FEWEST_JUDGED = 50
# Each of Newton's steps costs rows × columns²: beyond, rows are drawn.
_MOST_CELLS = 10_000_000
_MOST_COLUMNS = 400


@dataclass(frozen=True)
class Guided:
    """Searches how far conversions depart from acceptance, and from what share of it."""

    name: str = NAME
    complexity: int = 2

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        guide = _guide(rows) if rows.can_learn else None
        return {s: _fitted(rows, guide, s).log_odds(valid) for s in _settings()}

    def fit(self, rows: TrainingRows, setting: Setting) -> "FittedLogistic | FittedBaseRate":
        """Return coefficients near those of acceptance; without enough verdicts, plain ones."""
        return _fitted(rows, _guide(rows) if rows.can_learn else None, setting)


def _fitted(
    rows: TrainingRows, guide: FittedLogistic | None, setting: Setting
) -> FittedLogistic | FittedBaseRate:
    values = dict(setting)
    if guide is None:
        return Logistic().fit(rows, setting_of(c=values["c"], half_life=NO_HALF_LIFE))
    lean = tuple(values["share"] * one for one in guide.coefficients)
    some = rows.drawn(_MOST_CELLS // max(len(lean), 1))
    every = np.arange(len(some.labels))
    return held_near(replace(guide, coefficients=lean), some, every, variance=values["c"])


def _settings() -> Iterator[Setting]:
    for strength in _STRENGTHS:
        for share in _SHARES:
            yield setting_of(c=strength, share=share)


def _guide(rows: TrainingRows) -> FittedLogistic | None:
    """Return what the judged rows say of acceptance, at the rows' rate of conversions."""
    if rows.accepted is None:
        return None
    judged = np.flatnonzero(~np.isnan(rows.accepted))
    accepted = rows.accepted[judged]
    encoder = fit_linear_encoder(rows.matrix, rows.shape)
    few = min(accepted.sum(), len(accepted) - accepted.sum()) < _FEWEST_JUDGED
    if few or len(encoder.sources) > _MOST_COLUMNS:
        return None
    judged = judged[-(_MOST_CELLS // max(len(encoder.sources), 1)) :]
    centre = encoder.transform(rows.matrix).mean(axis=0)
    rate = float(rows.labels.mean())
    nothing = FittedLogistic(
        encoder=encoder,
        coefficients=(0.0,) * len(centre),
        centre=tuple(centre.tolist()),
        base=float(np.log(rate / (1 - rate))),
        shape=rows.shape,
    )
    of_acceptance = replace(rows, labels=rows.accepted)
    learnt = held_near(nothing, of_acceptance, judged, variance=_ACCEPTANCE_STRENGTH)
    return replace(nothing, coefficients=learnt.coefficients)
