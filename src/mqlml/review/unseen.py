"""Reasons of rejection that the model's columns cannot tell: sales sees what the model does not."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.metrics import roc_auc
from mqlml.review.logistic import Floats, fit_null
from mqlml.review.verdicts import Judged

COLUMNS = ("reason", "verdicts", "share", "roc_auc", "low", "high", "class")
_FEWEST = 50
# Below this a reason can hardly be told from the columns.
_BLIND = 0.60
_MOST_ROWS = 20_000
_MOST_LEVELS = 10
_FOLDS = 5
_PENALTY = 20.0
_Z = 1.959963984540054


def unseen_reasons(judged: Judged) -> pd.DataFrame:
    """Return one row per reason that judges a lead (COLUMNS), the most frequent first.

    `share` is of all rejections that judge the lead. `roc_auc` says how well the model's
    columns tell leads rejected for the reason from all other judged leads: learnt on four
    fifths of the leads, measured on the rest, in turn; its 95 % interval is that of
    Hanley and McNeil (1982). `class` is "no column tells" where the interval ends below
    .60, "columns tell" where it begins above, else "too few verdicts". At most 20,000
    verdicts are looked at, drawn by the leads' ids.
    """
    rows = judged.rows
    rejected = rows["accepted"].to_numpy() == 0
    counts = rows.loc[rejected, "reason"].value_counts()
    counts = counts[counts >= _FEWEST]
    if counts.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    telling = telling_columns(judged.matrix, rows["lead_id"])
    found = []
    for reason in sorted(counts.index, key=lambda name: (-counts[name], name)):
        area, low, high = telling.area((rows["reason"] == reason).to_numpy() & rejected)
        share = counts[reason] / rejected.sum()
        found.append((reason, int(counts[reason]), share, area, low, high, _class_of(low, high)))
    return pd.DataFrame(found, columns=list(COLUMNS))


@dataclass(frozen=True)
class TellingColumns:
    """The model's columns as numbers, with the fifth of the leads that each row belongs to.

    `kept` are the rows looked at, of all.
    """

    design: Floats
    fold: npt.NDArray[np.int64]
    kept: npt.NDArray[np.intp]

    def area(self, is_so: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
        """Return the ROC-AUC with which the columns tell rows where `is_so`, and its interval."""
        return _told(self.design, is_so[self.kept].astype(np.float64), self.fold)

    def told(self, are_so: npt.NDArray[np.bool_]) -> list[tuple[float, str]]:
        """Return per column of `are_so` the ROC-AUC, and whether the model's columns tell.

        Of many questions at once: one Newton step from the mean answers each, so that the
        design is worked through once, not once per question.
        """
        labels = are_so[self.kept].astype(np.float64)
        scores = np.zeros(labels.shape)
        for one in range(_FOLDS):
            here = self.fold == one
            if here.any() and not here.all():
                scores[here] = _one_step(self.design[~here, 1:], labels[~here])(
                    self.design[here, 1:]
                )
        areas = (_area_of(said, so) for said, so in zip(scores.T, labels.T, strict=True))
        return [(area, _class_of(low, high)) for area, low, high in areas]


def telling_columns(matrix: pd.DataFrame, leads: "pd.Series[Any]") -> TellingColumns:
    """Return what tells rows apart; of many rows 20,000, drawn by the leads' ids."""
    digest = np.array([_digest(one) for one in leads.astype("str")], dtype=np.uint64)
    kept = np.sort(np.argsort(digest, kind="stable")[:_MOST_ROWS])
    fold = (digest[kept] % np.uint64(_FOLDS)).astype(np.int64)
    return TellingColumns(_numbers(matrix.iloc[kept]), fold, kept)


def _class_of(low: float, high: float) -> str:
    blind = "no column tells" if high < _BLIND else "too few verdicts"
    return "columns tell" if low > _BLIND else blind


def unseen_sentences(reasons: pd.DataFrame) -> tuple[str, ...]:
    """Return one sentence per frequent reason that no column tells."""
    blind = reasons[reasons["class"] == "no column tells"]
    return tuple(
        f"{row['share']:.0%} of rejections say {str(row['reason']).replace('_', ' ')!r}, and the "
        f"model has no column that tells them (ROC-AUC {row['roc_auc']:.2f})"
        for row in blind.to_dict("records")
    )


def _told(
    design: Floats, labels: Floats, fold: npt.NDArray[np.int64]
) -> tuple[float, float, float]:
    scores = np.zeros(len(labels))
    penalty = np.full(design.shape[1], _PENALTY)
    penalty[0] = 1e-3
    for one in range(_FOLDS):
        here = fold == one
        if not here.any() or not 0 < labels[~here].sum() < (~here).sum():
            continue
        model = fit_null(design[~here], labels[~here], penalty)
        scores[here] = design[here] @ model.coefficients
    return _area_of(scores, labels)


def _one_step(design: Floats, labels: Floats) -> Callable[[Floats], Floats]:
    """Return what a penalised logistic model's first step from the mean says of other rows."""
    centre, rate = design.mean(axis=0), labels.mean(axis=0)
    away = design - centre
    size, axes = np.linalg.eigh(away.T @ away)
    pull = axes.T @ (away.T @ (labels - rate))
    step = axes @ (pull / (size[:, None] * (rate * (1 - rate)) + _PENALTY))
    return lambda rows: np.asarray((rows - centre) @ step, dtype=np.float64)


def _area_of(scores: Floats, labels: Floats) -> tuple[float, float, float]:
    """Return the ROC-AUC and its 95 % interval (Hanley and McNeil 1982)."""
    positives = float(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan"), 0.0, 1.0
    area = roc_auc(labels, scores)
    above, below = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (positives - 1) * (above - area**2)
        + (negatives - 1) * (below - area**2)
    ) / (positives * negatives)
    reach = _Z * float(np.sqrt(max(variance, 0.0)))
    return area, area - reach, area + reach


def _numbers(matrix: pd.DataFrame) -> Floats:
    """Return the features as numbers: ranks, whether known, the frequent levels; a 1 in front."""
    columns: list[Floats] = [np.ones(len(matrix))]
    for name in matrix.columns:
        values = matrix[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            ranks = values.rank(pct=True).to_numpy(np.float64)
            centred = ranks - np.nanmean(ranks) if np.isfinite(ranks).any() else ranks
            columns.append(np.asarray(np.nan_to_num(centred), dtype=np.float64))
            missing = values.isna().to_numpy()
            if 0 < missing.mean() < 1:
                columns.append(missing.astype(np.float64))
        else:
            levels = values.value_counts()
            frequent = sorted(levels[levels >= _FEWEST].head(_MOST_LEVELS).index)
            columns += [(values == level).to_numpy(dtype=np.float64) for level in frequent]
    return np.column_stack(columns)


def _digest(lead_id: str) -> int:
    return int.from_bytes(hashlib.sha256(lead_id.encode()).digest()[:8], "big")
