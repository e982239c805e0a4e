"""Sensitive columns of a training: excluded or allowed, told by features, and how groups fare."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mqlml.config import Settings
from mqlml.criteria.decide import Outcome
from mqlml.dataset.build import Dataset
from mqlml.features.known_values import known_values
from mqlml.features.sensitive import SensitiveColumn, sensitive_columns
from mqlml.features.sensitive_names import HOME
from mqlml.modeling.contestants.contestant import Floats
from mqlml.modeling.group_outcomes import Judged, group_outcomes
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.proxies import SensitiveFinding, measure_proxies
from mqlml.tables.contracts import ColumnType, Known, Tables

_FOR_SALES = (Outcome.MQL, Outcome.HAND_RAISER)


def sensitive_findings(
    settings: Settings, tables: Tables, dataset: Dataset, *, seed: int
) -> tuple[SensitiveFinding, ...]:
    """Return each sensitive column with how well the model's features tell it.

    Each lead counts once, at its latest point. Columns made of the sensitive one itself,
    where it is allowed, tell nothing of proxies and are left out.
    """
    columns = sensitive_columns(settings.sensitive, tables.attribute_specs)
    if not columns:
        return ()
    points = dataset.points.drop_duplicates("lead_id", keep="last")
    matrix = dataset.matrix.iloc[points.index].reset_index(drop=True)
    points = points.reset_index(drop=True)
    shape = shape_of(dataset.plan).without(settings.model.drop)
    found = []
    for column in columns:
        own = dataset.plan.topics.get(f"attribute {column.name}", ())
        values = sensitive_values(tables, points, column)
        told = measure_proxies(matrix, shape.without(own), values, seed=seed)
        found.append(SensitiveFinding(column, told))
    return tuple(found)


def sensitive_values(
    tables: Tables, points: pd.DataFrame, column: SensitiveColumn
) -> "pd.Series[Any]":
    """Return what the column was known to be at each point: a number, or a text; birth by year."""
    known, kind = known_values(tables, points, column.name), column.attribute.type
    distinct: pd.Series[Any] = pd.Series([*known.distinct, None], dtype="object")
    if kind is ColumnType.TIME:
        return _years(distinct).take(known.codes).reset_index(drop=True)
    numbers = pd.to_numeric(distinct, errors="coerce")
    is_all_numbers = bool(numbers.notna().sum() == distinct.notna().sum())
    is_dated = column.attribute.known is Known.DATED
    is_number = kind is ColumnType.NUMBER or (is_dated and is_all_numbers)
    if is_number and column.kind != HOME:
        return numbers.astype("float64").take(known.codes).reset_index(drop=True)
    return _texts(distinct).take(known.codes).reset_index(drop=True)


def _texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the values as texts: a postcode that was read as a number has no decimals."""
    texts = [f"{v:.0f}" if isinstance(v, float) and v == v else v for v in values]
    return pd.Series([None if pd.isna(v) else str(v) for v in texts], dtype="str")


def _years(moments: "pd.Series[Any]") -> "pd.Series[Any]":
    times = pd.to_datetime(moments, utc=True, errors="coerce")
    return times.dt.year.astype("float64")


def sensitive_lines(findings: Sequence[SensitiveFinding]) -> Iterator[str]:
    """Yield what a training did with sensitive columns, a line for each use of them."""
    excluded = [found.column for found in findings if not found.column.is_allowed]
    if excluded:
        names = ", ".join(f"{column.name} ({column.kind})" for column in excluded)
        yield f"left out, because sensitive: {names}; to use one, say why in sensitive.allow"
    for column in (found.column for found in findings if found.column.is_allowed):
        yield f"sensitive and allowed: {column.name} ({column.kind}): {column.reason}"


def fares(
    tables: Tables,
    findings: Sequence[SensitiveFinding],
    test: pd.DataFrame,
    probability: Floats,
    outcome: "pd.Series[str]",
) -> pd.DataFrame:
    """Return `group_outcomes` of every sensitive column on the test, with `column` in front."""
    judged = Judged(
        test["label"].to_numpy(np.float64),
        probability,
        np.asarray(outcome.isin([one.value for one in _FOR_SALES]), dtype=np.bool_),
        test["lead_id"].to_numpy(dtype=object),
    )
    frames = list(_frames(tables, findings, test, judged))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _frames(
    tables: Tables, findings: Sequence[SensitiveFinding], test: pd.DataFrame, judged: Judged
) -> Iterator[pd.DataFrame]:
    for finding in findings:
        values = sensitive_values(tables, test, finding.column)
        found = group_outcomes(values, judged)
        found.insert(0, "column", finding.column.name)
        yield found
