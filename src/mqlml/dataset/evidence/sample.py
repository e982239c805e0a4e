"""The rows an audit looks at: labelled development rows in order of time, one vote per lead."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

BLOCKS = 6
MAX_ROWS = 300_000

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sample:
    """Row positions by time, their labels and weights, and the block of time of each."""

    rows: Positions
    label: Numbers
    weight: Numbers
    block: Positions


def sample_leads(points: pd.DataFrame, rows: Positions) -> Sample:
    """Return one row per lead, its first, labelled with whether any of its rows converts.

    For columns without a date: such a value belongs to the lead, and is to be
    compared with what became of the lead in the end, not week by week.
    """
    part = points.iloc[rows][["lead_id", "as_of", "label"]].reset_index(drop=True)
    label = part.groupby("lead_id", sort=False)["label"].transform("max")
    is_first = ~part["lead_id"].duplicated()
    return _sample(rows[is_first], part["as_of"][is_first], label[is_first])


def sample_points(points: pd.DataFrame, rows: Positions) -> Sample:
    """Return all rows, weighted so that a lead counts once however many points it has.

    For columns that change from point to point: twenty weekly points of one lead
    must not pass for twenty leads.
    """
    part = points.iloc[rows]
    weight = 1.0 / part.groupby("lead_id", sort=False)["lead_id"].transform("size")
    return _sample(rows, part["as_of"], part["label"], weight)


def _sample(
    rows: Positions,
    as_of: "pd.Series[int]",
    label: "pd.Series[float]",
    weight: "pd.Series[float] | None" = None,
) -> Sample:
    """Return the rows in order of time, evenly thinned if there are very many.

    Blocks of time hold about equal numbers of rows; rows of equal time share one.
    """
    order = np.argsort(as_of.to_numpy(), kind="stable")[:: max(1, -(-len(rows) // MAX_ROWS))]
    times = as_of.to_numpy()[order]
    first = np.searchsorted(times, times, side="left")
    weights = np.ones(len(order)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    block = first * BLOCKS // max(len(order), 1)
    return Sample(rows[order], np.asarray(label, dtype=np.float64)[order], weights, block)
