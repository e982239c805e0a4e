"""The value that each attribute had at each point, as codes into its distinct values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mqlml.errors import DataError, Fault, nearest
from mqlml.features.arrays import Ints
from mqlml.features.places import first_place_without, ranges_of
from mqlml.tables.contracts import Attribute, Known, Tables
from mqlml.timeline import is_known, is_seen


@dataclass(frozen=True)
class KnownValues:
    """`distinct[codes[i]]` is the value at point i; code -1 means missing."""

    codes: Ints
    distinct: tuple[Any, ...]


def lead_rows(leads: pd.DataFrame, points: pd.DataFrame) -> Ints:
    """Return the row in `leads` of each point's lead, -1 for a stranger."""
    known, asked = (pa.array(frame["lead_id"], pa.string()) for frame in (leads, points))
    rows = pc.index_in(asked, value_set=known).fill_null(-1)
    return np.asarray(rows.to_numpy(zero_copy_only=False), np.int64)


def known_values(
    tables: Tables, points: pd.DataFrame, name: str, *, rows: Ints | None = None
) -> KnownValues:
    """Return the values of attribute `name` as known at each point.

    `rows` are the points' `lead_rows`, for who asks for many attributes.

    A creation attribute is known from the lead's creation on; a dated one has
    the latest value given strictly before as_of. Of values given at the same
    instant the last in text order is taken, a missing one before all others.

    Raises:
        DataError: the tables have no such attribute, or it knows the outcome.
    """
    specs = {a.name: a for a in tables.attribute_specs}
    spec = specs.get(name)
    if spec is None or spec.known is Known.OUTCOME:
        raise DataError(_missing(name, spec, list(specs)))
    as_of = points["as_of"].to_numpy(dtype=np.int64)
    if spec.known is Known.DATED:
        return _dated(tables.attributes, points["lead_id"], as_of, name)
    rows = lead_rows(tables.leads, points) if rows is None else rows
    return _created(tables.leads, rows, as_of, name)


def _missing(name: str, spec: Attribute | None, names: list[str]) -> Fault:
    if spec is None:
        what, found = "the plan needs an attribute that the data lack", nearest(name, names)
    else:
        what, found = "the plan needs an attribute that is now outcome-side", ""
    return Fault(what, f"leads.{name}", found, "ingest it again as it was, or train a new model")


def _created(leads: pd.DataFrame, rows: Ints, as_of: Ints, name: str) -> KnownValues:
    codes, distinct = pd.factorize(leads[name])
    created = np.append(leads["created_at"].astype("int64").to_numpy(), 0)[rows]
    known = (rows >= 0) & is_known(created, as_of)
    found = np.where(known, np.append(codes, -1)[rows], -1)
    return KnownValues(found.astype(np.int64), tuple(distinct.tolist()))


def _dated(rows: pd.DataFrame, ids: pd.Series, as_of: Ints, name: str) -> KnownValues:
    rows = rows[rows["name"] == name]
    codes, distinct = pd.factorize(rows["value"], sort=True)
    known_at = rows["known_at"].astype("int64").to_numpy()
    lead_index = pd.Index(rows["lead_id"].unique())
    lead = lead_index.get_indexer(pd.Index(rows["lead_id"])).astype(np.int64)
    order = np.lexsort((codes, known_at, lead))
    of_point = lead_index.get_indexer(pd.Index(ids)).astype(np.int64)
    first, end = ranges_of(lead[order], of_point)
    times = np.append(known_at[order].astype(np.int64), 0)
    unseen = first_place_without(first, end, lambda places: is_seen(times[places], as_of))  # type: ignore[arg-type, return-value]
    latest = np.append(codes[order], -1)[np.where(unseen > first, unseen - 1, -1)]
    return KnownValues(latest.astype(np.int64), tuple(distinct.tolist()))
