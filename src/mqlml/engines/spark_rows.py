"""The stream of rows that a Spark task gets: everything of a lead together, cut into chunks.

A row of the stream has a key, a lead_id, and one of several parts that is not null:
an event, a lead, a dated attribute, a point. The stream is sorted by key, and all
rows of a lead have the same key, so a chunk that ends where the key changes holds
whole leads. A task holds one chunk at a time: `at_least` rows, or one lead that
has more. Texts are coded as they come, which keeps a long chunk small.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

# Texts that are different in every row: a code for each would only cost.
_NOT_CODED = frozenset({"event_id"})


@dataclass(frozen=True)
class Part:
    """One kind of row of the stream: its columns beyond lead_id, and their Spark types."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def spark_type(self) -> str:
        """Return the part's column in the stream as a Spark type."""
        fields = (f"c{place}: {kind}" for place, kind in enumerate(self.types))
        return f"struct<{', '.join(fields)}>"


Chunk = Mapping[str, pa.Table]


def lead_chunks(
    batches: Iterable[pa.RecordBatch], parts: Sequence[Part], *, at_least: int
) -> Iterator[tuple[int, Chunk]]:
    """Yield the rows by part, cut where the key changes, once `at_least` rows have come.

    With each chunk comes the key of its last row. Every part is there, with lead_id
    as its first column; texts are dictionaries.
    """
    held: list[dict[str, pa.Table]] = []
    count, last = 0, 0
    for batch in batches:
        keys, begin = batch.column(0).to_numpy(), 0
        for place in np.flatnonzero(np.diff(keys, prepend=last)).tolist():
            if count + place - begin >= max(1, at_least):
                held.append(_by_part(batch.slice(begin, place - begin), parts))
                yield last if place == 0 else int(keys[place - 1]), _joined(held, parts)
                held, count, begin = [], 0, place
        held.append(_by_part(batch.slice(begin), parts))
        count += len(keys) - begin
        last = int(keys[-1]) if len(keys) else last
    if count:
        yield last, _joined(held, parts)


def _by_part(batch: pa.RecordBatch, parts: Sequence[Part]) -> dict[str, pa.Table]:
    tables = {}
    for part in parts:
        rows = pa.RecordBatch.from_arrays(
            [batch.column("lead_id"), batch.column(part.name)], ["lead_id", part.name]
        )
        given = rows.column(1).is_valid()
        if rows.column(1).null_count:
            rows = rows.filter(given)
        names = ("lead_id", *part.columns)
        arrays = [rows.column(0), *rows.column(1).flatten()]
        tables[part.name] = pa.Table.from_arrays(
            [_coded(array, name) for array, name in zip(arrays, names, strict=True)], names
        )
    return tables


def _coded(array: pa.Array, name: str) -> pa.Array:
    is_coded = pa.types.is_string(array.type) and name not in _NOT_CODED
    return array.dictionary_encode() if is_coded else array


def _joined(held: Sequence[Mapping[str, pa.Table]], parts: Sequence[Part]) -> Chunk:
    return {
        part.name: pa.concat_tables([tables[part.name] for tables in held])
        .unify_dictionaries()
        .combine_chunks()
        for part in parts
    }
