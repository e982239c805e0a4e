"""Runs signals' conditions over rows that are registered in a sandboxed DuckDB connection."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mqlml.errors import ConfigError, Fault
from mqlml.features.arrays import Flags
from mqlml.features.signals import Signal

Columns = Mapping[str, pa.Array | pa.ChunkedArray]
Bits = npt.NDArray[np.integer]

_MOST_BITS = 62


def truth_of(
    connection: duckdb.DuckDBPyConnection, signals: Sequence[Signal], columns: Columns, rows: int
) -> Flags:
    """Return by row and signal whether the condition holds; one that is null does not.

    Raises:
        ConfigError: with a fault for each signal that fails on a value or a type.
    """
    parts = [
        (codes[:, np.newaxis] >> np.arange(len(asked))) & 1 == 1
        for asked in _batched(signals, _MOST_BITS)
        for codes in [bits_of(connection, asked, columns, rows)]
    ]
    return np.concatenate([np.empty((rows, 0), np.bool_), *parts], axis=1)


def bits_of(
    connection: duckdb.DuckDBPyConnection, signals: Sequence[Signal], columns: Columns, rows: int
) -> Bits:
    """Return by row a number whose bit `i` says whether the condition of signal `i` holds.

    At most 62 signals. A condition that is null does not hold.

    Raises:
        ConfigError: with a fault for each signal that fails on a value or a type.
    """
    # A condition may read no column at all; the rows are counted by one.
    table = pa.table(dict(columns) or {"__position": pa.array(np.arange(rows))})
    with connection.cursor() as cursor:
        cursor.register("rows", table)
        try:
            return _run(cursor, signals)
        except duckdb.Error:
            faults = list(_faults(cursor, signals))
            if not faults:  # no condition is to blame
                raise
            raise ConfigError(*faults) from None


def _run(cursor: duckdb.DuckDBPyConnection, signals: Sequence[Signal]) -> Bits:
    cases = (
        # By far the quickest of the ways to say it; a null is no TRUE.
        f"CASE WHEN CAST(({signal.where}\n) AS BOOLEAN) THEN {1 << number} ELSE 0 END"
        for number, signal in enumerate(signals)
    )
    # One thread, so the rows come back in their order without sorting.
    found = cursor.execute(f"SELECT {' | '.join(cases)} AS bits FROM rows").fetchnumpy()
    bits: Bits = np.asarray(found["bits"])
    return bits


def _faults(cursor: duckdb.DuckDBPyConnection, signals: Sequence[Signal]) -> Iterator[Fault]:
    for signal in signals:
        try:
            _run(cursor, [signal])
        except duckdb.Error as error:
            found = str(error).split("\n")[0]
            mend = "compare text with text and numbers with numbers"
            where = f"signals.{signal.name}.where"
            yield Fault("condition cannot be evaluated", where, found, mend)


def _batched(signals: Sequence[Signal], size: int) -> Iterator[list[Signal]]:
    """Yield the signals in lists of at most `size`."""
    rest = iter(signals)
    while some := list(islice(rest, size)):
        yield some
