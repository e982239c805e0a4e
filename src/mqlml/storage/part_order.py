"""Rows of many parts put into the order of their numbers, on disk, a slab in memory at a time.

Every row bears a number from 0 up. The finished order is cut into slabs of equal
length; each piece of a part is dealt to the slabs' files, and then each slab is read
back and sorted. So what is held is one piece or one slab, however many rows there are.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

# The column with the number of the row; the finished result does not have it.
ROW = "__row"

_SLAB_BYTES = 32 * 2**20
# All the slabs' files are open at once.
_MOST_SLABS = 256


def row_groups(path: Path) -> Iterator[pa.Table]:
    """Yield a Parquet file's rows, a row group at a time."""
    with pq.ParquetFile(path) as part:
        for group in range(part.metadata.num_row_groups):
            yield part.read_row_group(group, use_threads=False)


def in_order(paths: Iterable[Path], scratch: Path) -> Iterator[pa.Table]:
    """Yield all rows of the Parquet files by their number, without it, a slab at a time.

    At least one table comes, if only an empty one. Every number from 0 up must be there once.
    `scratch` is a folder for the slabs' files, which are removed as they are read.
    How rows are cut depends on their count and columns alone.
    """
    files = list(paths)
    length = _slab_length(files)
    slabs = [scratch / f"slab-{number:03}.half" for number in range(_MOST_SLABS + 1)]
    used = _deal(files, slabs, length)
    for slab in slabs[:used]:
        yield _sorted(slab)
        slab.unlink()


def _slab_length(files: list[Path]) -> int:
    marks = [pq.read_metadata(path) for path in files]
    rows = sum(int(mark.num_rows) for mark in marks)
    by_size = _SLAB_BYTES // (8 * int(marks[0].num_columns))
    return max(1, by_size, -(-rows // _MOST_SLABS))


def _deal(files: list[Path], slabs: list[Path], length: int) -> int:
    """Write every row to the file of its slab; return how many slabs there are."""
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    writers: list[pa.ipc.RecordBatchStreamWriter] = []
    with ExitStack() as opened:
        for piece in (table for path in files for table in row_groups(path)):
            of_row = piece[ROW].to_numpy() // length
            while len(writers) <= of_row.max(initial=0):
                stream = pa.ipc.new_stream(str(slabs[len(writers)]), piece.schema, options=options)
                writers.append(opened.enter_context(stream))
            for slab, some in _dealt(piece, of_row):
                writers[slab].write_table(some)
    return len(writers)


def _dealt(piece: pa.Table, of_row: npt.NDArray[np.int64]) -> Iterator[tuple[int, pa.Table]]:
    order = np.argsort(of_row, kind="stable")
    ends = np.cumsum(np.bincount(of_row))
    begin = 0
    for slab, end in enumerate(ends):
        if end > begin:
            # A slab at a time: taking all at once would hold the piece twice.
            yield slab, piece.take(pa.array(order[begin:end]))
        begin = end


def _sorted(slab: Path) -> pa.Table:
    with pa.OSFile(str(slab)) as file, pa.ipc.open_stream(file) as stream:
        table = stream.read_all()
    order = pa.array(np.argsort(table[ROW].to_numpy(), kind="stable"))
    columns = {}
    for name in table.column_names:  # one by one, and each let go: the slab is held once
        if name != ROW:
            columns[name] = table[name].take(order).combine_chunks()
        table = table.drop_columns([name])
    return pa.table(columns)
