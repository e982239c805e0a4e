"""Whether as many leads convert as the probabilities say, group by group."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.calibration import Floats
from mqlml.modeling.metrics import wilson_interval

_Z_95 = 1.959963984540054
# With fewer expected conversions the interval's normal approximation is no guide.
FEWEST_EXPECTED = 5.0
_FEW_CONVERTED = 5


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
        over expected), low and high (its 95 % interval; NaN with fewer than five
        conversions expected). From five converted leads on the interval comes from the
        spread of each lead's surplus. Below, that spread knows little of what might have
        been, nothing at all without a conversion: Wilson's of the share of leads that
        converted then takes its place.
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
    observed = found["observed"].to_numpy(np.float64)
    ratio = observed / expected
    converted = frame.groupby(["group", "lead"], sort=True)["label"].max().groupby(level="group")
    count, leads_of = (
        converted.agg(w).reindex(found.index).to_numpy(float) for w in ("sum", "size")
    )
    few_low, few_high = _of_few(count, leads_of, observed, found["rows"].to_numpy(float))
    is_told, is_few = expected >= FEWEST_EXPECTED, count < _FEW_CONVERTED
    low = np.where(is_few, few_low / expected, np.maximum(ratio - half, 0.0))
    high = np.where(is_few, few_high / expected, ratio + half)
    return found.assign(
        ratio=ratio, low=np.where(is_told, low, np.nan), high=np.where(is_told, high, np.nan)
    ).reset_index()


def _of_few(
    converted: Floats, leads: Floats, observed: Floats, rows: Floats
) -> tuple[Floats, Floats]:
    """Return the ends of the interval of conversions in rows, by the leads that converted.

    A converted lead stands for as many rows as those of its group do, without one as a lead.
    """
    low, high = wilson_interval(converted / leads, leads)
    each = np.where(converted > 0, observed / np.maximum(converted, 1), rows / leads)
    return low * leads * each, high * leads * each
