"""The matrix in parts: Arrow tables made bucket by bucket, for who writes them as they come."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import Flags, Floats, Ints
from mqlml.features.bucket import Points, Work, empty_matrix
from mqlml.features.plan import Plan
from mqlml.features.table_columns import ratio_of

_TIME = pa.timestamp("us", "UTC")


class PartSink(Protocol):
    """Where the parts of a matrix go. Several threads call it at once."""

    @property
    def row_column(self) -> str | None:
        """Return the name of a column for the row of each point, from 0 up; None if not wanted."""
        ...

    @property
    def scratch(self) -> Path:
        """Return a folder for files that have no name, where memory is short."""
        ...

    def leads_of(self, name: str) -> pa.ChunkedArray | None:
        """Return the leads that a finished part has rows of; None if it is not finished."""
        ...

    def write(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Write the tables as one part, whole or not at all; none or more rows each."""
        ...


@dataclass(frozen=True)
class Other:
    """A column that no event makes, by row of the points: numbers, or texts as a dictionary."""

    values: pa.Array

    def take(self, rows: Ints) -> pa.Array:
        """Return the values of some rows, texts plain."""
        some = self.values.take(pa.array(rows))
        return some.dictionary_decode() if isinstance(some, pa.DictionaryArray) else some


def other_of(values: "pd.Series[Any]") -> Other:
    """Return a column held small: of texts each distinct one once."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return Other(pa.array(values.to_numpy(np.float64)))
    return Other(pa.array(values, pa.string()).dictionary_encode())


@dataclass(frozen=True)
class PartMaker:
    """Makes tables of lead_id, as_of and the plan's columns from parts of the events' matrix."""

    plan: Plan
    work: Work
    points: Points
    lead_ids: pa.Array
    others: dict[str, Other]
    row_column: str | None = None

    def table(self, places: Ints, matrix: Floats) -> pa.Table:
        """Return the rows of some places of the sorted points, whose event features are given."""
        lead = np.searchsorted(self.points.starts, places, side="right") - 1
        columns = {
            "lead_id": self.lead_ids.take(pa.array(lead)),
            "as_of": pa.array(self.points.as_of[places]).cast(_TIME),
        }
        rows = self.points.rows[places]
        names = [f.column for f in self.plan.features]
        columns |= {name: pa.array(values) for name, values in zip(names, matrix, strict=True)}
        columns |= {name: other.take(rows) for name, other in self.others.items()}
        for ratio in self.plan.ratios:
            of, to = (np.asarray(columns[n], np.float64) for n in (ratio.of, ratio.to))
            columns[ratio.column] = pa.array(ratio_of(of, to))
        if self.row_column is not None:
            columns[self.row_column] = pa.array(rows)
        return pa.table(columns)

    def tables(self, slabs: Iterable[tuple[Ints, Floats]]) -> Iterator[pa.Table]:
        """Yield the rows of each slab: places, and their matrix; no slab is held on to."""
        for places, matrix in slabs:
            table = self.table(places, matrix)
            del places, matrix
            yield table
            del table

    def quiet(self, is_seen: Flags, size: int) -> Iterator[pa.Table]:
        """Yield the rows of the leads that are not seen in any bucket, `size` at a time."""
        counts = np.diff(self.points.starts)
        places = np.flatnonzero(np.repeat(~is_seen, counts))
        for first in range(0, max(1, len(places)), size):
            some = places[first : first + size]
            yield self.table(some, empty_matrix(self.work, len(some)))


def part_name(number: int) -> str:
    """Return the name of a part: those of the buckets in their order, then the quiet leads'."""
    return f"part-{number:05}"


def column_order(plan: Plan) -> Sequence[str]:
    """Return the names of a part's columns."""
    return ("lead_id", "as_of", *plan.columns)
