"""What a Spark task makes of a key: rows for Spark, a file, or sealed figures for the driver."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.parts import part_name
from mqlml.engines.spark_blobs import seal
from mqlml.engines.spark_task import Answer

ROW = "__row"
# What a written part tells, as Spark sees it.
WRITTEN = "key int, rows bigint"

# Writes tables, at least one, to a path: whole or not at all.
WritePart = Callable[[Path, Iterable[pa.Table]], None]


def feature_rows(answers: Iterator[Answer], carried: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield lead_id, as_of, the points' `carried` columns and the plan's columns."""
    for answer in answers:
        columns = dict(zip(answer.features.column_names, answer.features.columns, strict=True))
        beside = {name: answer.asked[name] for name in carried}
        ordered = {name: columns.pop(name) for name in ("lead_id", "as_of")} | beside | columns
        yield from pa.table(ordered).combine_chunks().to_batches()


def sealed_numbers(answers: Iterator[Answer]) -> Iterator[pa.RecordBatch]:
    """Yield the points' numbers and their features as bytes that Spark passes on unread.

    Spark would take every figure into its own rows and out again; this is for the
    one place that wants the whole matrix: the driver that learns from it.
    """
    for answer in answers:
        figures = answer.features.columns[2:]
        names = [ROW, *(f"c{place}" for place in range(len(figures)))]
        table = pa.Table.from_arrays([answer.asked[ROW], *figures], names)
        if table.num_rows:
            yield pa.RecordBatch.from_arrays([pa.array([seal(table)], pa.binary())], ["sealed"])


def unsealed(batches: Iterable[pa.Buffer], columns: Sequence[str], rows: int) -> pd.DataFrame:
    """Return the figures of `rows` points in their order."""
    matrix = np.empty((len(columns), rows), np.float64)
    for batch in batches:
        table = pa.ipc.open_stream(batch).read_all()
        places = table[ROW].to_numpy()
        for number, values in enumerate(matrix):
            values[places] = table[f"c{number}"].to_numpy()
    return pd.DataFrame(matrix.T, columns=list(columns), copy=False)


def written_part(
    answers: Iterator[Answer], *, folder: Path, write: WritePart
) -> Iterator[pa.RecordBatch]:
    """Write the features of a key as a file in `folder`; yield its key and rows."""
    first = next(answers)
    rows = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal rows
        for answer in chain([first], answers):
            rows += answer.features.num_rows
            yield answer.features

    write(folder / f"{part_name(first.key)}.parquet", tables())
    counts = [pa.array([first.key], pa.int32()), pa.array([rows], pa.int64())]
    yield pa.RecordBatch.from_arrays(counts, ["key", "rows"])
