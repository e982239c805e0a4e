"""How much buckets tell of the outcome: discrimination forward in time, and decided leads."""

from dataclasses import dataclass

import numpy as np

from mqlml.dataset.evidence.buckets import Counts
from mqlml.dataset.evidence.sample import Numbers

SMOOTHING_LEADS = 5.0
Z = 2.6  # two-sided 99 %


@dataclass(frozen=True)
class Discrimination:
    """ROC-AUC of one column alone, forward in time, with its interval (99 % unless said)."""

    auc: float
    low: float
    high: float


def forward_discrimination(counts: Counts, *, z: float = Z) -> Discrimination:
    """Return how well earlier rates of the buckets rank the leads of each later block.

    `z` is the half width of the interval in standard errors.

    A block is judged within itself, so a base rate that moves earns nothing. The
    first two blocks only teach. Without a block of both outcomes: .5, no width.
    """
    aucs, variances, weights = [], [], []
    for block in range(2, len(counts.leads)):
        before = counts.of_blocks(slice(0, block))
        scores = _smoothed_rates(before.leads.sum(axis=0), before.converted.sum(axis=0))
        positives, negatives = counts.converted[block], counts.others[block]
        if min(positives.sum(), negatives.sum()) < 1:
            continue
        auc = ranking(scores, positives, negatives)
        aucs.append(auc)
        variances.append(_auc_variance(auc, positives.sum(), negatives.sum()))
        weights.append(1 / (1 / positives.sum() + 1 / negatives.sum()))
    if not aucs:
        return Discrimination(0.5, 0.5, 0.5)
    share = np.array(weights) / np.sum(weights)
    auc = float(share @ np.array(aucs))
    width = z * float(np.sqrt(share**2 @ np.array(variances)))
    return Discrimination(auc, max(auc - width, 0.0), min(auc + width, 1.0))


@dataclass(frozen=True)
class Odds:
    """Per bucket: odds of converting against those of all leads of the same time, with bounds."""

    ratio_low: Numbers
    ratio_high: Numbers
    leads: Numbers
    converted: Numbers


def bucket_odds(counts: Counts) -> Odds:
    """Return each bucket's odds ratio with 99 % Wilson bounds.

    The comparison is with what the bucket's leads would have done at the base
    rates of their own time, so a bucket of a good season is not praised for it.
    """
    totals = counts.leads.sum(axis=1, keepdims=True)
    base = counts.converted.sum(axis=1, keepdims=True) / np.maximum(totals, 1e-9)
    leads, converted = counts.leads.sum(axis=0), counts.converted.sum(axis=0)
    expected = (counts.leads * base).sum(axis=0) / np.maximum(leads, 1e-9)
    low, high = wilson(converted, leads)
    usual = _odds(expected)
    return Odds(_odds(low) / usual, _odds(high) / usual, leads, converted)


def decided_share(odds: Odds, factor: float) -> float:
    """Return the share of leads that the column as good as decides, both outcomes weighing equal.

    These are the converted leads in buckets surely above `factor` times the usual
    odds, and the others in buckets surely below one `factor`-th of them.
    """
    others = odds.leads - odds.converted
    high = odds.converted[odds.ratio_low >= factor].sum() / max(odds.converted.sum(), 1e-9)
    low = others[odds.ratio_high <= 1 / factor].sum() / max(others.sum(), 1e-9)
    return float(high + low) / 2


def wilson(successes: Numbers, trials: Numbers) -> tuple[Numbers, Numbers]:
    """Return the 99 % Wilson bounds of rates; (0, 1) where nothing was tried."""
    trials = np.maximum(trials, 1e-9)
    rate = successes / trials
    middle = rate + Z * Z / (2 * trials)
    width = Z * np.sqrt(rate * (1 - rate) / trials + Z * Z / (4 * trials**2))
    scale = 1 + Z * Z / trials
    return np.clip((middle - width) / scale, 0, 1), np.clip((middle + width) / scale, 0, 1)


def _odds(rates: Numbers) -> Numbers:
    safe = np.clip(rates, 1e-9, 1 - 1e-9)
    return np.asarray(safe / (1 - safe), dtype=np.float64)


def _smoothed_rates(leads: Numbers, converted: Numbers) -> Numbers:
    base = converted.sum() / max(leads.sum(), 1e-9)
    rates = (converted + SMOOTHING_LEADS * base) / (leads + SMOOTHING_LEADS)
    return np.asarray(rates, dtype=np.float64)


def ranking(scores: Numbers, positives: Numbers, negatives: Numbers) -> float:
    """Return the chance that a positive's bucket scores above a negative's, ties one half."""
    _, place = np.unique(scores, return_inverse=True)
    up = np.bincount(place, positives)
    down = np.bincount(place, negatives)
    below = np.cumsum(down) - down
    return float((up * (below + down / 2)).sum() / (up.sum() * down.sum()))


def _auc_variance(auc: float, positives: float, negatives: float) -> float:
    """Return the variance of a ROC-AUC by Hanley and McNeil."""
    both_up = auc / (2 - auc) - auc**2
    both_down = 2 * auc**2 / (1 + auc) - auc**2
    spread = auc * (1 - auc) + (positives - 1) * both_up + (negatives - 1) * both_down
    return float(max(spread, 0.0) / (positives * negatives))
