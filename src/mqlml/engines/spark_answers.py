"""What a Spark task gives back of a chunk: rows for Spark, or a sealed batch for the driver."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.spark_task import Answer

ROW = "__row"
_SEALED_BYTES = 16 * 2**20
# Half of the bytes, for less work than passing them from station to station costs.
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")
_TIME = pa.timestamp("us", "UTC")


def feature_rows(answer: Answer, carried: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield lead_id, as_of, the points' `carried` columns and the plan's columns."""
    columns = {
        "lead_id": answer.asked["lead_id"],
        "as_of": answer.asked["as_of"].cast(_TIME),
        **{name: answer.asked[name] for name in carried},
        **{str(name): arrow_array(values) for name, values in answer.matrix.items()},
    }
    yield from pa.table(columns).to_batches()


def arrow_array(values: "pd.Series[Any]") -> pa.Array:
    """Return a column as Arrow; numbers keep NaN, missing texts are null."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        micros = values.dt.as_unit("us").astype("int64").to_numpy()
        return pa.array(micros, mask=values.isna().to_numpy()).view(_TIME)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
        return pa.array(values.to_numpy())
    if isinstance(values.dtype, pd.BooleanDtype):
        return pa.array(values)
    return pa.array(values.astype(object).where(values.notna(), None).to_list(), pa.string())


def sealed_rows(answer: Answer) -> Iterator[pa.RecordBatch]:
    """Yield the points' numbers and their features as bytes that Spark passes on unread.

    Spark would take every figure into its own rows and out again; this is for the
    one place that wants the whole matrix: the driver that learns from it.
    """
    arrays = [arrow_array(values) for _, values in answer.matrix.items()]
    names = [f"c{place}" for place in range(len(arrays))]
    rows = pa.array(answer.points[ROW].to_numpy(np.int64))
    table = pa.Table.from_arrays([rows, *arrays], [ROW, *names])
    step = max(1, _SEALED_BYTES // (8 * (len(names) + 1)))
    for begin in range(0, len(rows), step):
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as writer:
            writer.write_table(table.slice(begin, step))
        yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue()], pa.binary())], ["sealed"])


def unsealed(batches: Sequence[bytes], dtypes: dict[str, str], rows: int) -> pd.DataFrame:
    """Return the matrix of `rows` points in their order; `dtypes` by column: float64 or str."""
    tables = [pa.ipc.open_stream(batch).read_all() for batch in batches]
    places = [table[ROW].to_numpy() for table in tables]
    columns = {}
    for number, (name, dtype) in enumerate(dtypes.items()):
        values = np.full(rows, None, object) if dtype == "str" else np.empty(rows, np.float64)
        for table, place in zip(tables, places, strict=True):
            values[place] = table[f"c{number}"].to_numpy()
        columns[name] = pd.Series(values, dtype=dtype)
    # Named again for a plan of no columns, whose frame must be as empty as any engine's.
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), columns=list(dtypes), copy=False)
