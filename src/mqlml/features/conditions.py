"""Runs signals' conditions over rows that are registered in a sandboxed DuckDB connection."""

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mqlml.errors import ConfigError, Fault
from mqlml.features.signals import Signal

Flags = npt.NDArray[np.bool_]
Columns = Mapping[str, pa.Array | pa.ChunkedArray]


def truth_of(
    connection: duckdb.DuckDBPyConnection, signals: Sequence[Signal], columns: Columns, rows: int
) -> Flags:
    """Return by row and signal whether the condition holds; one that is null does not.

    Raises:
        ConfigError: with a fault for each signal that fails on a value or a type.
    """
    # A row number, because a condition may read no column at all.
    numbered = {"__position": pa.array(np.arange(rows))}
    with connection.cursor() as cursor:
        cursor.register("rows", pa.table(numbered | dict(columns)))
        try:
            return _run(cursor, signals)
        except duckdb.Error:
            faults = list(_faults(cursor, signals))
            if not faults:  # no condition is to blame
                raise
            raise ConfigError(*faults) from None


def _run(cursor: duckdb.DuckDBPyConnection, signals: Sequence[Signal]) -> Flags:
    conditions = (
        f"coalesce(CAST(({signal.where}\n) AS BOOLEAN), false) AS s{number}"
        for number, signal in enumerate(signals)
    )
    query = f"SELECT {', '.join(conditions)} FROM rows ORDER BY __position"
    found = cursor.execute(query).fetchnumpy()
    return np.column_stack([np.asarray(found[f"s{i}"], np.bool_) for i in range(len(signals))])


def _faults(cursor: duckdb.DuckDBPyConnection, signals: Sequence[Signal]) -> Iterator[Fault]:
    for signal in signals:
        try:
            _run(cursor, [signal])
        except duckdb.Error as error:
            found = str(error).split("\n")[0]
            mend = "compare text with text and numbers with numbers"
            where = f"signals.{signal.name}.where"
            yield Fault("condition cannot be evaluated", where, found, mend)
