"""How good probabilities are: ranking, closeness, calibration, lift, with intervals.

Labels are 0 or 1, probabilities between 0 and 1, both in the same row order.
Figures that need both classes are NaN where there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

_LEAST = 1e-15
_BINS = 10
_RESAMPLES = 400
_INTERVAL = (0.025, 0.975)
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class TestMetrics:
    """How a model did on rows that nothing looked at; `low` and `high` span 95 %."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    rows: int
    conversions: int
    base_rate: float
    roc_auc: float
    roc_auc_low: float
    roc_auc_high: float
    pr_auc: float
    log_loss: float
    brier: float
    calibration_error: float
    lift_at_10: float


def measure(
    labels: Floats, probabilities: Floats, *, leads: npt.ArrayLike | None = None, seed: int = 0
) -> TestMetrics:
    """Return every figure of the rows; `leads` (one per row) are resampled whole."""
    low, high = roc_auc_interval(labels, probabilities, leads=leads, seed=seed)
    return TestMetrics(
        rows=len(labels),
        conversions=int(labels.sum()),
        base_rate=float(labels.mean()) if len(labels) else float("nan"),
        roc_auc=roc_auc(labels, probabilities),
        roc_auc_low=low,
        roc_auc_high=high,
        pr_auc=pr_auc(labels, probabilities),
        log_loss=log_loss(labels, probabilities),
        brier=brier(labels, probabilities),
        calibration_error=calibration_error(labels, probabilities),
        lift_at_10=lift_at(labels, probabilities, share=0.1),
    )


def roc_auc(labels: Floats, probabilities: Floats) -> float:
    """Return the chance that a conversion is ranked above a non-conversion (ties half).

    >>> roc_auc(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.9, 0.1]))
    0.5
    """
    return _weighted_roc_auc(labels, probabilities, np.ones(len(labels)))


def _weighted_roc_auc(labels: Floats, probabilities: Floats, weights: Floats) -> float:
    return _Ranked.of(labels, probabilities).roc_auc(weights)


@dataclass(frozen=True)
class _Ranked:
    """Rows in order of probability with where each run of ties starts: ranked once for many."""

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    labels: Floats

    @classmethod
    def of(cls, labels: Floats, probabilities: Floats) -> "_Ranked":
        order = np.argsort(probabilities, kind="stable")
        ranked = probabilities[order]
        starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
        return cls(order, starts[: len(labels)], labels[order])

    def roc_auc(self, weights: Floats) -> float:
        weights = weights[self.order]
        positives = self.labels * weights
        total, negatives = float(positives.sum()), weights - positives
        if len(weights) == 0 or total <= 0 or negatives.sum() <= 0:
            return float("nan")
        positive_runs = np.add.reduceat(positives, self.starts)
        negative_runs = np.add.reduceat(negatives, self.starts)
        below = np.cumsum(negative_runs) - 0.5 * negative_runs
        return float((positive_runs * below).sum() / (total * negatives.sum()))


def roc_auc_interval(
    labels: Floats,
    probabilities: Floats,
    *,
    leads: npt.ArrayLike | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % interval of ROC-AUC from a seeded bootstrap of whole leads."""
    if np.isnan(roc_auc(labels, probabilities)):
        return float("nan"), float("nan")
    keys = np.arange(len(labels)) if leads is None else pd.factorize(np.asarray(leads))[0]
    ranked, count = _Ranked.of(labels, probabilities), int(keys.max()) + 1
    generator = np.random.default_rng(seed)
    draws = [ranked.roc_auc(_drawn_times(generator, count)[keys]) for _ in range(_RESAMPLES)]
    low, high = np.nanquantile(np.array(draws), _INTERVAL)
    return float(low), float(high)


def roc_auc_gain(
    labels: Floats,
    better: Floats,
    worse: Floats,
    *,
    leads: npt.ArrayLike | None = None,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return by how much ROC-AUC of `better` exceeds that of `worse`, and its 95 % interval.

    Both are judged on the same resampled leads: what is hard for one is hard for the other.
    """
    first, second = _Ranked.of(labels, better), _Ranked.of(labels, worse)
    even = np.ones(len(labels))
    gain = first.roc_auc(even) - second.roc_auc(even)
    if np.isnan(gain):
        return gain, gain, gain
    keys = np.arange(len(labels)) if leads is None else pd.factorize(np.asarray(leads))[0]
    generator, count = np.random.default_rng(seed), int(keys.max()) + 1
    drawn = (_drawn_times(generator, count)[keys] for _ in range(_RESAMPLES))
    gains = [first.roc_auc(times) - second.roc_auc(times) for times in drawn]
    low, high = np.nanquantile(np.array(gains), _INTERVAL)
    return float(gain), float(low), float(high)


def _drawn_times(generator: np.random.Generator, count: int) -> Floats:
    drawn = np.bincount(generator.integers(count, size=count), minlength=count)
    return drawn.astype(np.float64)


def pr_auc(labels: Floats, probabilities: Floats) -> float:
    """Return the average precision over recall."""
    from sklearn.metrics import average_precision_score

    if not labels.any():
        return float("nan")
    return float(average_precision_score(labels, probabilities))


def log_losses(labels: Floats, probabilities: Floats) -> Floats:
    """Return each row's log loss."""
    said = np.where(labels == 1, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(said, _LEAST)), dtype=np.float64)


def log_loss(labels: Floats, probabilities: Floats) -> float:
    """Return the mean negative log-likelihood; NaN without rows."""
    return float(log_losses(labels, probabilities).mean()) if len(labels) else float("nan")


def brier(labels: Floats, probabilities: Floats) -> float:
    """Return the mean squared distance of probability and label; NaN without rows."""
    return float(((labels - probabilities) ** 2).mean()) if len(labels) else float("nan")


def calibration_curve(labels: Floats, probabilities: Floats, *, bins: int = _BINS) -> pd.DataFrame:
    """Return one row per equal-mass bin: rows, predicted, observed, low, high (95 %, Wilson).

    Rows of equal probability share a bin, so there may be fewer bins than asked for.
    """
    bin_of = _bins_of(probabilities, bins)
    rows = pd.DataFrame({"bin": bin_of, "label": labels, "probability": probabilities})
    found = rows.groupby("bin").agg(
        rows=("label", "size"), predicted=("probability", "mean"), observed=("label", "mean")
    )
    found["low"], found["high"] = wilson_interval(
        found["observed"].to_numpy(), found["rows"].to_numpy(np.float64)
    )
    return found.reset_index(drop=True)


def _bins_of(probabilities: Floats, bins: int) -> npt.NDArray[np.int64]:
    order = np.argsort(probabilities, kind="stable")
    by_rank = np.empty(len(order), dtype=np.int64)
    by_rank[order] = np.arange(len(order)) * bins // max(len(order), 1)
    # Ties take the bin of their first row: equal probabilities are one statement.
    frame = pd.Series(by_rank).groupby(probabilities).transform("min")
    return np.asarray(frame.to_numpy(), dtype=np.int64)


def wilson_interval(shares: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return low and high of the 95 % interval of shares seen in `counts` cases."""
    z2 = _Z_95**2
    centre = (shares + z2 / (2 * counts)) / (1 + z2 / counts)
    spread = np.sqrt(shares * (1 - shares) / counts + z2 / (4 * counts**2))
    half = _Z_95 * spread / (1 + z2 / counts)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def calibration_error(labels: Floats, probabilities: Floats, *, bins: int = _BINS) -> float:
    """Return the mean distance of predicted and observed over equal-mass bins, by rows."""
    if len(labels) == 0:
        return float("nan")
    curve = calibration_curve(labels, probabilities, bins=bins)
    apart = (curve["predicted"] - curve["observed"]).abs()
    return float((apart * curve["rows"]).sum() / curve["rows"].sum())


def lift_at(labels: Floats, probabilities: Floats, *, share: float) -> float:
    """Return the conversion rate of the top `share` of rows over that of all rows.

    The cut may fall among equal probabilities: those rows count in proportion.
    """
    if not labels.any():
        return float("nan")
    return _captured(labels, probabilities, share) / share


def gains(labels: Floats, probabilities: Floats, *, steps: int = 20) -> pd.DataFrame:
    """Return share of rows worked (best first) against share of conversions found, and lift."""
    shares = np.arange(1, steps + 1) / steps
    found = [_captured(labels, probabilities, float(share)) for share in shares]
    return pd.DataFrame({"share": shares, "found": found, "lift": np.array(found) / shares})


def _captured(labels: Floats, probabilities: Floats, share: float) -> float:
    """Return which share of conversions the top `share` of rows holds."""
    if not labels.any():
        return float("nan")
    runs = pd.DataFrame({"label": labels, "rows": 1.0}).groupby(-probabilities).sum()
    wanted = share * len(labels)
    before = runs["rows"].cumsum() - runs["rows"]
    taken = ((wanted - before) / runs["rows"]).clip(0.0, 1.0)
    return float((runs["label"] * taken).sum() / labels.sum())


def figures_by_group(
    labels: Floats, probabilities: Floats, groups: "pd.Series[Any]"
) -> pd.DataFrame:
    """Return rows, observed and predicted rate, ROC-AUC and log loss per group, largest first."""
    positions: Mapping[Any, Any] = (
        groups.reset_index(drop=True)
        .fillna("(missing)")
        .groupby(groups.reset_index(drop=True).fillna("(missing)"))
        .indices
    )
    figures = [
        {
            "group": str(name),
            "rows": len(rows),
            "observed": float(labels[rows].mean()),
            "predicted": float(probabilities[rows].mean()),
            "roc_auc": roc_auc(labels[rows], probabilities[rows]),
            "log_loss": log_loss(labels[rows], probabilities[rows]),
        }
        for name, rows in positions.items()
    ]
    columns = ["group", "rows", "observed", "predicted", "roc_auc", "log_loss"]
    found = pd.DataFrame(figures, columns=columns)
    ranked = found.sort_values(["rows", "group"], ascending=[False, True], kind="stable")
    return ranked.reset_index(drop=True)
