"""Whether as many leads convert as the probabilities say, group by group."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Floats

_Z_95 = 1.959963984540054
# With fewer expected conversions the interval's normal approximation is no guide.
FEWEST_EXPECTED = 5.0


def expected_and_observed(
    labels: Floats, probability: Floats, groups: npt.ArrayLike, leads: npt.ArrayLike
) -> pd.DataFrame:
    """Return how many conversions each group was expected to have, and had.

    Args:
        labels: 1 or 0 per row.
        probability: of a model that had not seen the labels, one per row.
        groups: each row's group; a missing one is called "(missing)".
        leads: each row's lead; rows of a lead count as one piece of evidence.

    Returns:
        One row per group, sorted: group, rows, expected, observed, ratio (observed
        over expected), low and high (its 95 % interval from the spread of each
        lead's surplus; NaN with fewer than five conversions expected).
    """
    names = pd.Series(np.asarray(groups, object)).fillna("(missing)").astype("str")
    frame = pd.DataFrame(
        {"group": names, "label": labels, "probability": probability, "lead": np.asarray(leads)}
    )
    frame["surplus"] = frame["label"] - frame["probability"]
    by_lead = frame.groupby(["group", "lead"], sort=True)["surplus"].sum()
    spread = np.sqrt((by_lead**2).groupby(level="group").sum())
    found = frame.groupby("group", sort=True).agg(
        rows=("label", "size"), expected=("probability", "sum"), observed=("label", "sum")
    )
    expected = found["expected"].to_numpy(np.float64)
    half = _Z_95 * spread.reindex(found.index).to_numpy(np.float64) / expected
    ratio = found["observed"].to_numpy(np.float64) / expected
    is_told = expected >= FEWEST_EXPECTED
    return found.assign(
        ratio=ratio,
        low=np.where(is_told, np.maximum(ratio - half, 0.0), np.nan),
        high=np.where(is_told, ratio + half, np.nan),
    ).reset_index()
