"""The attribute columns of the matrix, each worked out once per distinct value."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.arrays import Ints
from mqlml.features.columns import AttributeFeature
from mqlml.features.demographics import (
    company_size,
    title_buying_role,
    title_function,
    title_seniority,
)
from mqlml.features.icp import fits_of, stated_parts
from mqlml.features.known_values import known_values, lead_rows
from mqlml.features.plan import Plan
from mqlml.features.settings import IcpSettings
from mqlml.features.wording import tidy
from mqlml.tables.contracts import Tables

_TRUE, _FALSE = (
    frozenset({"true", "yes", "1", "1.0", "t", "y"}),
    frozenset({"false", "no", "0", "0.0", "f", "n"}),
)


def attribute_columns(tables: Tables, points: pd.DataFrame, plan: Plan) -> dict[str, pd.Series]:
    """Return the plan's attribute columns by name, one value per point in the points' order."""
    rows = lead_rows(tables.leads, points)
    shares = _match_share(tables, points, plan.icp, rows)
    return {
        feature.column: shares
        if feature.transform == "icp_match_share"
        else _column(tables, points, feature, plan.icp, rows)
        for feature in plan.attributes
    }


def transformed(feature: AttributeFeature, icp: IcpSettings, value: object) -> float | str | None:
    """Return what `feature` makes of one attribute value; None or NaN when missing."""
    if value is None or value != value:
        return None if feature.dtype == "category" else math.nan
    if feature.transform.startswith("icp_"):
        return fits_of(icp)[feature.transform.removeprefix("icp_")](value)
    return _TRANSFORMS[feature.transform](value)


def _column(
    tables: Tables, points: pd.DataFrame, feature: AttributeFeature, icp: IcpSettings, rows: Ints
) -> pd.Series:
    known = known_values(tables, points, feature.source, rows=rows)
    values = [transformed(feature, icp, value) for value in (*known.distinct, None)]
    dtype = "str" if feature.dtype == "category" else "float64"
    return pd.Series(values, dtype=dtype).take(known.codes % len(values)).reset_index(drop=True)


def _match_share(tables: Tables, points: pd.DataFrame, icp: IcpSettings, rows: Ints) -> pd.Series:
    """Return the share of the stated parts that fit; a missing attribute does not fit.

    Missing when all the attributes are.
    """
    fits = [
        _column(tables, points, AttributeFeature("", source, f"icp_{part}", ""), icp, rows)  # type: ignore[arg-type]
        for part, source in stated_parts(icp).items()
    ]
    if not fits:
        return pd.Series(np.full(len(points), np.nan))
    return match_share(np.column_stack(fits))


def match_share(fits: npt.NDArray[np.float64]) -> pd.Series:
    """Return by row the share of ones among the columns, NaN where all are NaN."""
    share = np.nansum(fits, axis=1) / fits.shape[1]
    return pd.Series(np.where(np.isnan(fits).all(axis=1), np.nan, share))


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except ValueError:
        return math.nan


def _flag(value: object) -> float:
    text = tidy(str(value))
    return float(text in _TRUE) if text in _TRUE | _FALSE else math.nan


def _category(value: object) -> str:
    return str(value)


def _tidy(value: object) -> str | None:
    return tidy(str(value)) or None


_TRANSFORMS: dict[str, Callable[[object], float | str | None]] = {
    "number": _number,
    "flag": _flag,
    "category": _category,
    "tidy": _tidy,
    "size": company_size,
    "seniority": lambda title: title_seniority(str(title)),
    "function": lambda title: title_function(str(title)),
    "buying_role": lambda title: title_buying_role(str(title)),
}
