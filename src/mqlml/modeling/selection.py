"""Which candidate features earn their place, judged on forward folds only.

Three steps, each column's fate told with its reason. Columns that say the same of
nearly everyone go, then twins of simpler columns. The rest is ranked by what the
forward log loss loses when a column is silenced, and of growing sets of the best
the smallest is kept that is within one standard error of the best one.

The folds that rank are the folds that judge, so the forward figures flatter the
choice a little. The test block, which nothing here sees, is the honest judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mqlml.dataset.splits import Fold
from mqlml.modeling.calibration import Floats, probability_of
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import Setting, setting_of
from mqlml.modeling.metrics import log_losses
from mqlml.modeling.search import Material, Rows, difference_error

# Fewer rows than this share say something else than the most common value: too few to learn from.
_LEAST_SHARE = 0.005
_TWIN_CORRELATION = 0.98
_MOST_ROWS = 20_000
_SIZES = (0, 5, 10, 20, 40, 80, 160, 320)
# One model for all sets, so that only the columns differ: small trees on a linear start.
_SETTING: Setting = setting_of(start=0.1, leaves=4, l2=20.0, half_life=0.0, trees=80)


@dataclass(frozen=True)
class Gain:
    """By how much the forward log loss rises when a column is silenced, on average over folds."""

    column: str
    gain: float


@dataclass(frozen=True)
class Judged:
    """A set of the best columns: how many, and its forward log loss."""

    columns: int
    log_loss: float


@dataclass(frozen=True)
class Selection:
    """What is kept, best first, why each other column is not, and the sets that were compared."""

    kept: tuple[Gain, ...]
    dropped: Mapping[str, str]
    sets: tuple[Judged, ...]


def select(
    material: Material,
    folds: Sequence[Fold],
    candidates: Sequence[str],
    *,
    always: Sequence[str] = (),
) -> Selection:
    """Return which of the candidate columns to keep.

    Other columns of the material, and those of `always`, take part in every set.
    Simpler candidates come first: of twins the first stays.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # One thread for linear algebra, so that the last digit does not depend on the machine.
    with threadpool_limits(limits=1, user_api="blas"):
        return _select(material, folds, candidates, frozenset(always))


def _select(
    material: Material, folds: Sequence[Fold], candidates: Sequence[str], always: frozenset[str]
) -> Selection:
    free = [name for name in candidates if name not in always]
    dropped = _idle(material.matrix, free)
    varied = [name for name in free if name not in dropped]
    settled = [name for name in candidates if name in always]
    dropped |= _twins(material.matrix, settled, varied, material.seed)
    single = [name for name in varied if name not in dropped]
    gains = _gains(_with_columns(material, dropped), folds)
    useful = sorted((Gain(name, gains[name]) for name in single), key=lambda g: -g.gain)
    dropped |= {g.column: "did not help later leads' prediction" for g in useful if g.gain <= 0}
    useful = [g for g in useful if g.gain > 0]
    chosen, sets = _smallest_good(material, folds, useful, single + list(dropped))
    dropped |= {g.column: "a smaller set is as good" for g in useful[chosen:]}
    told = [Gain(name, gains.get(name, 0.0)) for name in candidates if name in always]
    kept = sorted([*useful[:chosen], *told], key=lambda g: -g.gain)
    return Selection(tuple(kept), dropped, sets)


def _with_columns(material: Material, dropped: Sequence[str] | Mapping[str, str]) -> Material:
    return replace(material, shape=material.shape.without(tuple(dropped)))


def _idle(matrix: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Return the columns that say the same of nearly all rows."""
    most = len(matrix) * (1 - _LEAST_SHARE)
    return {
        name: "says the same of nearly every lead"
        for name in names
        if matrix[name].value_counts(dropna=False).iloc[0] > most
    }


def _twins(
    matrix: pd.DataFrame, settled: Sequence[str], free: Sequence[str], seed: int
) -> dict[str, str]:
    """Return the free columns whose ranks are those of an earlier or settled one, or nearly."""
    names = [*settled, *free]
    if not names:
        return {}
    rows = np.arange(len(matrix))
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_ROWS, replace=False))
    # Missing ranks below everything, so that it counts as a value.
    ranks = matrix[names].iloc[rows].rank(na_option="top").to_numpy(np.float32)
    apart = (ranks - ranks.mean(axis=0)) / np.maximum(ranks.std(axis=0), 1e-9)
    correlation = np.abs(apart.T @ apart) / len(rows)
    kept: list[int] = []
    twins: dict[str, str] = {}
    for place, name in enumerate(names):
        alike = [other for other in kept if correlation[place, other] >= _TWIN_CORRELATION]
        if alike and place >= len(settled):
            twins[name] = f"says what {names[alike[0]]} says"
        else:
            kept.append(place)
    return twins


def _gains(material: Material, folds: Sequence[Fold]) -> dict[str, float]:
    """Return each column's gain: the mean over folds of the log loss without its contribution."""
    gains = np.zeros(len(material.shape.columns))
    for fold in folds:
        valid = fold.valid[:: max(1, len(fold.valid) // _MOST_ROWS)]
        fitted = Boosting().fit(material.search_training(fold.train), _SETTING)
        said = fitted.contributions(material.matrix.iloc[valid])
        values = said[list(material.shape.columns)].to_numpy(np.float64)
        labels, whole = material.labels[valid], said.to_numpy(np.float64).sum(axis=1)
        loss = log_losses(labels, probability_of(whole)).mean()
        for place in np.flatnonzero(np.ptp(values, axis=0)):
            silenced = whole - values[:, place] + values[:, place].mean()
            gains[place] += log_losses(labels, probability_of(silenced)).mean() - loss
    return dict(zip(material.shape.columns, (gains / len(folds)).tolist(), strict=True))


def _smallest_good(
    material: Material, folds: Sequence[Fold], useful: Sequence[Gain], candidates: Sequence[str]
) -> tuple[int, tuple[Judged, ...]]:
    """Return how many of the best columns suffice, and the figures of every set tried."""
    sizes = [size for size in _SIZES if size < len(useful)] + [len(useful)]
    losses = [
        _losses(material, folds, _outside(candidates, [g.column for g in useful[:size]]))
        for size in sizes
    ]
    means = [float(np.mean([fold.mean() for fold in loss])) for loss in losses]
    best = int(np.argmin(means))
    leads = [material.leads[fold.valid] for fold in folds]
    good = next(
        place
        for place in range(len(sizes))
        if means[place] - means[best] <= difference_error(losses[place], losses[best], leads)
    )
    sets = tuple(Judged(size, mean) for size, mean in zip(sizes, means, strict=True))
    return sizes[good], sets


def _outside(candidates: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in candidates if name not in set(chosen))


def _losses(
    material: Material, folds: Sequence[Fold], without: Sequence[str]
) -> tuple[Floats, ...]:
    reduced = _with_columns(material, without)
    return tuple(_fold_losses(reduced, fold.train, fold.valid) for fold in folds)


def _fold_losses(material: Material, train: Rows, valid: Rows) -> Floats:
    fitted = Boosting().fit(material.search_training(train), _SETTING)
    said = fitted.log_odds(material.matrix.iloc[valid])
    return log_losses(material.labels[valid], probability_of(said))
