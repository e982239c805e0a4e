"""Evidence for a change, week by week, so that looking every week costs no false alarms.

For every week k in which a change may have begun and every week t in which one looks,
a Bayes factor holds "another mean since k" against "the same mean as before k". Under the
second its expectation is 1 at every t, whenever one stops to look: it is an e-value. Summed
over k it is the Shiryaev–Roberts statistic, whose mean time to a false alarm at limit A is at
least A weeks (Shin, Ramdas, Rinaldo: E-detectors, 2022).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_SMALL = 1e-12
_MOST = 1e5


def log_evidence(
    gap: Floats, variance: Floats, *, sizes: tuple[float, ...], freedom: float = np.inf
) -> Floats:
    """Return the log of the Bayes factor for a gap of the mean, averaged over likely `sizes`.

    `variance` is that of `gap` while nothing changed. With finite `freedom` the variance was
    estimated from so many weeks and the tails are Student's. NaN gaps give no evidence (0).

    >>> print(log_evidence(np.array([0.0]), np.array([1.0]), sizes=(1.0,)).round(3))
    [-0.347]
    """
    found = [_of_size(gap, variance, size, freedom) for size in sizes]
    total = np.logaddexp.reduce(np.stack(found), axis=0) - np.log(len(sizes))
    return np.asarray(np.clip(np.nan_to_num(total), -_MOST, _MOST), dtype=np.float64)


def _of_size(gap: Floats, variance: Floats, size: float, freedom: float) -> Floats:
    still = variance + _SMALL
    moved = still + size**2
    spread = 0.5 * np.log(still / moved)
    squares = gap**2
    if not np.isfinite(freedom):
        return np.asarray(spread + 0.5 * squares * (1.0 / still - 1.0 / moved))
    tails = np.log1p(squares / (freedom * still)) - np.log1p(squares / (freedom * moved))
    return np.asarray(spread + 0.5 * (freedom + 1.0) * tails)


def beyond(gap: Floats, tolerance: Floats | float) -> Floats:
    """Return how far a gap lies beyond what is tolerated, with its sign.

    >>> print(beyond(np.array([-0.3, 0.05]), 0.1).round(2))
    [-0.2  0. ]
    """
    return np.asarray(np.sign(gap) * np.maximum(np.abs(gap) - tolerance, 0.0) + 0.0)


def running_odds(log_factors: Floats) -> Floats:
    """Return the Shiryaev–Roberts statistic by week t of log Bayes factors [k, t] (log scale).

    What lies below the diagonal (a change after the look) must be -inf.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp.reduce(log_factors, axis=0))


def windows(weekly: Floats) -> Floats:
    """Return sums of `weekly` [t, ...] over weeks k to t as [k, t, ...]; 0 where t < k.

    >>> windows(np.array([1.0, 2.0, 4.0])).tolist()
    [[1.0, 3.0, 7.0], [0.0, 2.0, 6.0], [0.0, 0.0, 4.0]]
    """
    total = np.cumsum(weekly, axis=0)
    before = total - weekly
    found = total[None] - before[:, None]
    found[np.tril_indices(len(weekly), -1)] = 0.0
    return np.asarray(found)


def cohort_windows(table: Floats) -> Floats:
    """Return sums of `table` [cohort, week, ...] over cohorts from k and weeks to t as [k, t, ...].

    >>> cohort_windows(np.array([[1.0, 2.0], [0.0, 4.0]])).tolist()
    [[1.0, 7.0], [0.0, 4.0]]
    """
    return np.asarray(np.cumsum(np.cumsum(table[::-1], axis=0)[::-1], axis=1))
