"""What a model leans on: the mean size of each column's contribution."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.plan import Plan
from mqlml.modeling.model import Model

Floats = npt.NDArray[np.float64]

_MOST_ROWS = 2_000


def importance(model: Model, matrix: pd.DataFrame, plan: Plan, *, seed: int = 0) -> pd.DataFrame:
    """Return one row per plan column, the strongest first.

    Columns: column, sentence, family, axis, importance (mean |contribution| in
    log-odds) and direction: +1 where more makes conversion likelier, -1 where
    less does, 0 for categories and where neither holds. At most 2,000 rows, drawn
    by seed, are explained.
    """
    rows = _drawn(matrix, seed)
    contributions = model.contributions(rows)
    described = [plan.describe(name) for name in plan.columns]
    found = pd.DataFrame(
        {
            "column": [info.column for info in described],
            "sentence": [info.sentence for info in described],
            "family": [info.family for info in described],
            "axis": [info.axis for info in described],
            "importance": [float(contributions[i.column].abs().mean()) for i in described],
            "direction": [
                0
                if info.dtype == "category"
                else _direction(
                    rows[info.column].to_numpy(np.float64),
                    contributions[info.column].to_numpy(np.float64),
                )
                for info in described
            ],
        }
    )
    ranked = found.sort_values(["importance", "column"], ascending=[False, True], kind="stable")
    return ranked.reset_index(drop=True)


def _drawn(matrix: pd.DataFrame, seed: int) -> pd.DataFrame:
    if len(matrix) <= _MOST_ROWS:
        return matrix.reset_index(drop=True)
    drawn = np.random.default_rng(seed).choice(len(matrix), _MOST_ROWS, replace=False)
    return matrix.iloc[np.sort(drawn)].reset_index(drop=True)


def _direction(values: Floats, contributions: Floats) -> int:
    """Return the sign of the rank correlation of a column and its contributions."""
    is_known = ~np.isnan(values)
    if is_known.sum() < 2:
        return 0
    ranks = pd.Series(values[is_known]).rank().to_numpy(np.float64)
    effects = pd.Series(contributions[is_known]).rank().to_numpy(np.float64)
    together = float(((ranks - ranks.mean()) * (effects - effects.mean())).sum())
    return 0 if abs(together) < 1e-9 else int(np.sign(together))
