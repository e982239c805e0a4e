"""Settings beyond the usual ones, drawn for a wider search.

The same seed and number of rows draw the same settings, and a longer list begins with
the shorter one: what a search of forty candidates finds, one of forty-one has seen too.
"""

from collections.abc import Sequence

import numpy as np

from mqlml.modeling.contestants.contestant import NO_HALF_LIFE, Setting, setting_of

# Shares of the development rows; zeros stand for equal weights and for all rows.
_HALF_LIFE_SHARES = (0.0, 0.0, 0.15, 0.3, 0.6, 1.0)
_WINDOW_SHARES = (0.0, 0.0, 0.0, 0.25, 0.5)
_STARTS = (0.0, 0.0, 0.01, 0.03, 0.1, 0.3)
_LEAVES = (2, 3, 4, 6, 8, 12, 16, 24)
_SHRINKAGES = (1.0, 5.0, 20.0, 60.0)
_RATES = (0.02, 0.05, 0.1)
_SMALLEST_LEAVES = (20, 50, 100, 200)
_COLUMN_SHARES = (0.3, 0.5, 0.7, 1.0)
# Strengths of a linear model, evenly spaced by their logarithm.
_WEAKEST, _STRONGEST = 1.0, 0.002


def drawn_trees(
    count: int, rows: int, seed: int, *, is_directed: bool = False
) -> tuple[Setting, ...]:
    """Return `count` settings of boosting for a table of so many development rows.

    With `is_directed` none starts from a linear model, which could run against the
    declared direction of a column.
    """
    generator = np.random.default_rng([seed, 1])
    return tuple(_drawn_tree(generator, rows, is_directed=is_directed) for _ in range(count))


def _drawn_tree(generator: np.random.Generator, rows: int, *, is_directed: bool) -> Setting:
    start = _one(generator, _STARTS)
    return setting_of(
        start=0.0 if is_directed else start,
        leaves=_one(generator, _LEAVES),
        l2=_one(generator, _SHRINKAGES),
        half_life=round(_one(generator, _HALF_LIFE_SHARES) * rows),
        rate=_one(generator, _RATES),
        smallest=_one(generator, _SMALLEST_LEAVES),
        columns=_one(generator, _COLUMN_SHARES),
        window=round(_one(generator, _WINDOW_SHARES) * rows),
    )


def drawn_lines(count: int, rows: int, seed: int) -> tuple[Setting, ...]:
    """Return `count` settings of logistic regression for a table of so many development rows."""
    generator = np.random.default_rng([seed, 2])
    return tuple(_drawn_line(generator, rows) for _ in range(count))


def _drawn_line(generator: np.random.Generator, rows: int) -> Setting:
    exponent = generator.uniform(np.log10(_STRONGEST), np.log10(_WEAKEST))
    return setting_of(
        c=float(f"{10**exponent:.2g}"),
        half_life=round(_one(generator, _HALF_LIFE_SHARES) * rows) or NO_HALF_LIFE,
        window=round(_one(generator, _WINDOW_SHARES) * rows),
    )


def _one(generator: np.random.Generator, values: Sequence[float]) -> float:
    return float(values[int(generator.integers(len(values)))])
