"""How well a sensitive column can be told from the features that do not contain it.

Leaving a column out helps little if others stand in for it. A small boosted model learns
the column from the features on two thirds of the leads and is judged on the rest: ROC-AUC
of each group against all others (of several groups their mean, weighted by size), or the
share of a number's spread that is told (R²). What a feature contributes is how much of
that is lost once its values are shuffled among the judged leads.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.sensitive import SensitiveColumn
from mqlml.modeling.contestants.contestant import Floats
from mqlml.modeling.encoders import fit_tree_encoder
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.metrics import roc_auc

FEWEST_LEADS = 200
_MOST_LEADS = 4_000
_FEWEST_OF_A_GROUP = 30
_MOST_GROUPS = 5
_LEARNT_SHARE = 2 / 3
_TREES, _TRIED_COLUMNS, _NAMED_COLUMNS = 40, 12, 3
_LEAST_LOSS = 0.005
_RESAMPLES = 200
# How well is told, in words: from which ROC-AUC and from which R² on.
_WORDS = (("well", 0.8, 0.5), ("partly", 0.7, 0.2), ("weakly", 0.6, 0.05))
HARDLY, UNKNOWN = "hardly", "not measured"

Ints = npt.NDArray[np.int64]
_PARAMETERS = {
    "num_leaves": 7,
    "learning_rate": 0.15,
    "min_data_in_leaf": 20,
    "lambda_l2": 5.0,
    "cat_smooth": 20.0,
    "cat_l2": 20.0,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Proxy:
    """A feature that tells part of a sensitive column: what is lost without its values."""

    column: str
    loss: float


@dataclass(frozen=True)
class ProxyFigures:
    """How well a sensitive column is told; `measure` is "ROC-AUC", "R²" or "" if not measured.

    `low` and `high` span 95 % of resamplings of the judged leads; figures are NaN
    without a measure. `proxies` come strongest first.
    """

    leads: int
    measure: str = ""
    told: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    proxies: tuple[Proxy, ...] = ()

    @property
    def words(self) -> str:
        """Return how well the column is told, as people say it."""
        if not self.measure:
            return UNKNOWN
        place = 1 if self.measure == "ROC-AUC" else 2
        return next((bounds[0] for bounds in _WORDS if self.told >= float(bounds[place])), HARDLY)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values, NaN as None."""
        values = asdict(self) | {"words": self.words}
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}


@dataclass(frozen=True)
class SensitiveFinding:
    """A sensitive column with how well the model's features tell it."""

    column: SensitiveColumn
    told: ProxyFigures

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        column = self.column
        about = {"column": column.name, "tells": column.kind, "allowed": column.reason or None}
        return about | {"from_features": self.told.to_json()}


@dataclass(frozen=True)
class _Judged:
    """The leads a column is told on, and the columns that tell it: a model per target."""

    encoded: Floats
    targets: Floats
    boosters: Sequence[Any]
    weights: Floats
    measure: str

    def said(self, encoded: Floats) -> list[Floats]:
        """Return what each model says of the encoded rows."""
        return [np.asarray(b.predict(encoded, num_threads=1)) for b in self.boosters]

    def told(self, said: Sequence[Floats], rows: Ints) -> float:
        """Return how well what was said of some rows tells the targets."""
        if self.measure == "R²":
            return _share_told(self.targets[rows, 0], said[0][rows])
        found = [roc_auc(self.targets[rows, i], one[rows]) for i, one in enumerate(said)]
        is_known = ~np.isnan(found)
        if not is_known.any():
            return float("nan")
        return float(np.average(np.array(found)[is_known], weights=self.weights[is_known]))


def measure_proxies(
    matrix: pd.DataFrame, shape: MatrixShape, values: "pd.Series[Any]", *, seed: int
) -> ProxyFigures:
    """Return how well `values` are told from the matrix, one row per lead in one order.

    Numbers are told as such, all else by groups; missing values of numbers are left out,
    those of groups are a group. With fewer than 200 leads, or without two groups of 30,
    nothing is measured. Equal arguments give equal figures.
    """
    is_number = pd.api.types.is_float_dtype(values.dtype)
    kept = np.flatnonzero(values.notna()) if is_number else np.arange(len(values))
    generator = np.random.default_rng(seed)
    order = generator.permutation(kept)[:_MOST_LEADS]
    if len(order) < FEWEST_LEADS or not shape.columns:
        return ProxyFigures(len(order))
    chosen = values.iloc[order]
    targets = _number_target(chosen) if is_number else _group_targets(chosen)
    if targets.shape[1] == 0:
        return ProxyFigures(len(order))
    some = matrix.iloc[order][list(shape.columns)].reset_index(drop=True)
    judged = _judged(some, shape, targets, is_number=is_number, seed=seed)
    return _figures(judged, shape, generator, len(order))


def _number_target(values: "pd.Series[Any]") -> Floats:
    numbers = values.to_numpy(np.float64)
    return numbers[:, None] if np.ptp(numbers) > 0 else np.zeros((len(numbers), 0))


def _group_targets(values: "pd.Series[Any]") -> Floats:
    """Return one column of 0 and 1 for each of the largest groups, one of two groups only."""
    names = values.astype("object").where(values.notna(), "(missing)").astype("str")
    counts = names.value_counts().sort_index(kind="stable").nlargest(_MOST_GROUPS, keep="first")
    fits = counts.between(_FEWEST_OF_A_GROUP, len(names) - _FEWEST_OF_A_GROUP)
    large = [str(name) for name, fit in fits.items() if fit]
    if len(large) == 2 and int(names.isin(large).sum()) == len(names):
        large = large[:1]
    texts = names.to_numpy(dtype=object)
    return np.column_stack([np.zeros((len(texts), 0)), *(texts == name for name in large)])


def _judged(
    matrix: pd.DataFrame, shape: MatrixShape, targets: Floats, *, is_number: bool, seed: int
) -> _Judged:
    import lightgbm

    cut = round(_LEARNT_SHARE * len(matrix))
    encoder = fit_tree_encoder(matrix.iloc[:cut], shape)
    encoded = encoder.transform(matrix)
    categories = list(encoder.category_positions)
    objective = {"objective": "regression" if is_number else "binary", "seed": seed}
    boosters = [
        lightgbm.train(
            {**_PARAMETERS, **objective},
            lightgbm.Dataset(encoded[:cut], label=target, categorical_feature=categories),
            num_boost_round=_TREES,
        )
        for target in targets[:cut].T
    ]
    rest, measure = targets[cut:], "R²" if is_number else "ROC-AUC"
    return _Judged(encoded[cut:], rest, boosters, targets.mean(axis=0), measure)


def _figures(
    judged: _Judged, shape: MatrixShape, generator: np.random.Generator, leads: int
) -> ProxyFigures:
    said, count = judged.said(judged.encoded), len(judged.encoded)
    told = judged.told(said, np.arange(count))
    drawn = [judged.told(said, generator.integers(count, size=count)) for _ in range(_RESAMPLES)]
    low, high = (float(end) for end in np.nanquantile(drawn, (0.025, 0.975)))
    return ProxyFigures(
        leads, judged.measure, told, low, high, _strongest(judged, shape, generator, told)
    )


def _strongest(
    judged: _Judged, shape: MatrixShape, generator: np.random.Generator, told: float
) -> tuple[Proxy, ...]:
    gains = [b.feature_importance("gain") for b in judged.boosters]
    gain = np.asarray(np.sum(gains, axis=0), dtype=np.float64)
    tried = [int(i) for i in np.argsort(-gain, kind="stable")[:_TRIED_COLUMNS] if gain[i] > 0]
    found, every = [], np.arange(len(judged.encoded))
    for place in tried:
        shuffled = judged.encoded.copy()
        shuffled[:, place] = generator.permutation(shuffled[:, place])
        found.append(Proxy(shape.columns[place], told - judged.told(judged.said(shuffled), every)))
    strong = sorted((p for p in found if p.loss >= _LEAST_LOSS), key=lambda p: -p.loss)
    return tuple(strong[:_NAMED_COLUMNS])


def _share_told(truth: Floats, said: Floats) -> float:
    """Return R²: 1 if all is told, 0 if no more than by the mean, below if less."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((truth - said) ** 2).sum()) / spread if spread > 0 else float("nan")
