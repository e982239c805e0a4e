"""How strict each rep is at equal score, and how far reps agree on the same lead."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.review.findings import null_design
from mqlml.review.logistic import fit_null
from mqlml.review.verdicts import Judged

_Z = 1.959963984540054


@dataclass(frozen=True)
class Agreement:
    """Pairs of different reps' verdicts on one lead: how many, how many agree, and kappa.

    Kappa is 1 for perfect agreement and 0 for what chance alone gives (Cohen 1960,
    with the reps' common acceptance rate); NaN where there is no pair or no variety.
    """

    pairs: int
    agreeing: int
    kappa: float


def rep_strictness(judged: Judged) -> pd.DataFrame:
    """Return group (rep), strictness, low, high (95 %), the strictest first.

    `strictness` is the log-odds by which a rep accepts less than the mean rep does at
    equal score, shrunk towards 0 for those with few verdicts. One rep alone is no stricter
    than anybody: then there is no row.
    """
    rows = judged.rows
    columns = ["group", "strictness", "low", "high"]
    if min(rows["accepted"].nunique(), rows["who"].nunique()) < 2:
        return pd.DataFrame(columns=columns)
    design, penalty = null_design(rows)
    model = fit_null(design, rows["accepted"].to_numpy(dtype=np.float64), penalty)
    names = sorted(rows["who"].unique())
    place = np.arange(design.shape[1] - len(names), design.shape[1])
    inner = (design * model.weight[:, None]).T @ design + np.diag(penalty)
    # What one rep is beyond the mean of all: the mean's own doubt goes with it.
    contrast = np.eye(len(names)) - 1.0 / len(names)
    effect = contrast @ model.coefficients[place]
    covariance = contrast @ np.linalg.inv(inner)[np.ix_(place, place)] @ contrast.T
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    table = pd.DataFrame(
        {
            "group": names,
            "strictness": -effect,
            "low": -effect - _Z * error,
            "high": -effect + _Z * error,
        }
    )
    return table.sort_values(["strictness", "group"], ascending=[False, True], ignore_index=True)


def rep_agreement(judged: Judged) -> Agreement:
    """Return how the last verdicts of different reps on the same lead agree."""
    last = judged.rows.drop_duplicates(["lead_id", "who"], keep="last")
    by = last.groupby("lead_id")["accepted"].agg(["size", "sum"])
    by = by[by["size"] > 1]
    total = float((by["size"] * (by["size"] - 1) / 2).sum())
    if not total:
        return Agreement(0, 0, float("nan"))
    refused = by["size"] - by["sum"]
    agreeing = float((by["sum"] * (by["sum"] - 1) / 2 + refused * (refused - 1) / 2).sum())
    rate = float(by["sum"].sum() / by["size"].sum())
    by_chance = rate**2 + (1 - rate) ** 2
    kappa = (agreeing / total - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")
    return Agreement(int(total), int(agreeing), kappa)
