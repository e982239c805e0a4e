"""Which signals hold for each event, worked out once per distinct row.

Signals read few columns with few different values. So the columns that a signal
reads are coded, DuckDB evaluates the condition on the distinct rows only, and
every event gets a pattern: the number of a list of signals.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import Ints
from mqlml.features.conditions import Flags, truth_of
from mqlml.features.signals import Signal


@dataclass(frozen=True)
class Patterns:
    """`holds[codes[e], s]` says whether signal s holds for event e."""

    codes: Ints
    holds: Flags


def columns_read(where: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a condition reads; one too many does no harm.

    >>> columns_read("type = 'page_view' AND value > 3", ["type", "page", "value"])
    ('type', 'page', 'value')
    """
    return tuple(name for name in columns if name in where)


def signal_patterns(
    connection: duckdb.DuckDBPyConnection, events: pa.Table, signals: Sequence[Signal]
) -> Patterns:
    """Return the patterns of the events for `signals`, whose order numbers them.

    Text columns come as dictionaries. A condition that is null does not hold.

    Raises:
        ConfigError: a condition fails on a value (text that is no number, say).
    """
    by_columns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, signal in enumerate(signals):
        by_columns[columns_read(signal.where, events.column_names)].append(number)
    codes = np.zeros(events.num_rows, np.int64)
    holds = np.zeros((1, len(signals)), np.bool_)
    for names, members in by_columns.items():
        row_codes, rows = _distinct_rows(events, names)
        sample = {
            name: _plain(events[name].take(pa.array(rows)).combine_chunks()) for name in names
        }
        asked = [signals[number] for number in members]
        truth = truth_of(connection, asked, sample, len(rows))
        for column, number in enumerate(members):
            codes, old = dense(2 * codes + truth[:, column][row_codes])
            holds = holds[old // 2]
            holds[:, number] = old % 2
    return Patterns(codes, holds)


def dense(codes: Ints) -> tuple[Ints, Ints]:
    """Return codes renumbered 0, 1, … without gaps, and the old code of each new one."""
    size = int(codes.max(initial=-1)) + 1
    if size > max(65_536, 2 * len(codes)):
        renumbered, old = pd.factorize(codes)
        return renumbered.astype(np.int64), np.asarray(old, dtype=np.int64)
    old = np.flatnonzero(np.bincount(codes, minlength=size)).astype(np.int64)
    new = np.zeros(size, np.int64)
    new[old] = np.arange(len(old))
    return new[codes], old


def _distinct_rows(events: pa.Table, names: Sequence[str]) -> tuple[Ints, Ints]:
    """Return the number of each event's distinct row, and one event that has the row."""
    codes = np.zeros(events.num_rows, np.int64)
    for name in names:
        column = column_codes(events[name])
        codes, _ = dense(codes * (column.max(initial=-1) + 2) + column + 1)
    rows = np.zeros(codes.max(initial=-1) + 1, np.int64)
    rows[codes] = np.arange(len(codes))
    return codes, rows


def column_codes(column: pa.ChunkedArray) -> Ints:
    """Return a number for each different value of a column, -1 for a missing one."""
    array = column.combine_chunks()
    if isinstance(array, pa.DictionaryArray):
        codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.asarray(codes, dtype=np.int64)
    if pa.types.is_floating(array.type):
        numbers = array.to_numpy(zero_copy_only=False)
        # By their bits, so that 0 and -0 stay two values; NaN is missing.
        codes, _ = pd.factorize(numbers.view(np.int64))
        return np.where(np.isnan(numbers), -1, codes).astype(np.int64)
    codes, _ = pd.factorize(array.to_pandas())
    return np.asarray(codes, dtype=np.int64)


def _plain(array: pa.Array) -> pa.Array:
    """Return texts decoded, and NaN as null: a condition on a missing number does not hold."""
    if isinstance(array, pa.DictionaryArray):
        return array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return pa.array(array.to_numpy(zero_copy_only=False), from_pandas=True)
    return array
