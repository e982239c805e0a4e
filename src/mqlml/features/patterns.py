"""Which signals hold for each event, worked out once per distinct text.

A signal reads few columns, and texts come as dictionaries. So DuckDB evaluates a
condition on the distinct texts only, or, where it reads numbers, on the rows as
they are; and every event gets a pattern: the number of a list of signals.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mqlml.features.arrays import Codes, Flags, Ints
from mqlml.features.conditions import bits_of, truth_of
from mqlml.features.signals import Signal
from mqlml.tables.expressions import columns_of

# More patterns than this are renumbered without those that no event has.
_MANY = 4_096
# Conditions on numbers are asked so many at a time.
_FEW = 8


@dataclass(frozen=True)
class Patterns:
    """`holds[codes[e], s]` says whether signal s holds for event e."""

    codes: Codes
    holds: Flags


def columns_read(where: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a condition reads, in their order.

    >>> columns_read("type = 'page_view' AND Value > 3", ["type", "page", "value"])
    ('type', 'value')
    """
    read = {name.rpartition(".")[2].lower() for name in columns_of(where)}
    return tuple(name for name in columns if name.lower() in read)


def signal_patterns(
    connection: duckdb.DuckDBPyConnection, events: pa.Table, signals: Sequence[Signal]
) -> Patterns:
    """Return the patterns of the events for `signals`, whose order numbers them.

    Text columns come as dictionaries. A condition that is null does not hold.

    Raises:
        ConfigError: a condition fails on a value (text that is no number, say).
    """
    codes = np.zeros(events.num_rows, np.int32)
    holds = np.zeros((1, len(signals)), np.bool_)
    if events.num_rows == 0:
        return Patterns(codes, holds)
    for names, members in _groups(events, signals):
        asked = [signals[number] for number in members]
        classes, truth = _classes(connection, events.select(names), asked)
        old: npt.NDArray[np.integer] = np.arange(len(holds) * len(truth))
        if len(old) > _MANY:
            dense_codes, old = dense(codes.astype(np.int64) * len(truth) + classes)
            codes = dense_codes.astype(np.int32)
        elif len(truth) > 1:
            codes *= len(truth)
            codes += classes
        holds = holds[old // len(truth)]
        holds[:, members] = truth[old % len(truth)]
    return Patterns(codes, holds)


def _groups(events: pa.Table, signals: Sequence[Signal]) -> Iterator[tuple[list[str], list[int]]]:
    """Yield columns and the signals that read them; what reads numbers goes a few at a time."""
    by_texts: dict[tuple[str, ...], list[int]] = defaultdict(list)
    others: list[tuple[tuple[str, ...], int]] = []
    texts = {f.name for f in events.schema if pa.types.is_dictionary(f.type)}
    for number, signal in enumerate(signals):
        names = columns_read(signal.where, events.column_names)
        if texts.issuperset(names):
            by_texts[names].append(number)
        else:
            others.append((names, number))
    yield from ((list(names), members) for names, members in by_texts.items())
    for first in range(0, len(others), _FEW):
        some = others[first : first + _FEW]
        yield list(dict.fromkeys(n for names, _ in some for n in names)), [i for _, i in some]


def _classes(
    connection: duckdb.DuckDBPyConnection, events: pa.Table, signals: Sequence[Signal]
) -> tuple[npt.NDArray[np.integer], Flags]:
    """Return each event's class, and by class and signal whether the condition holds."""
    names = events.column_names
    if not names:
        return np.zeros(1, np.int32), truth_of(connection, signals, {}, 1)
    if all(pa.types.is_dictionary(events[name].type) for name in names):
        of_event, sample = _distinct_rows(events)
        truth = truth_of(connection, signals, sample, len(sample[names[0]]))
        classes, truth = _distinct_truth(truth)
        return classes[of_event], truth
    # A class for each way in which the conditions can hold: the bits of its number.
    rows = {name: _without_nan(events[name].combine_chunks()) for name in names}
    bits = bits_of(connection, signals, rows, events.num_rows)
    return bits, np.arange(1 << len(signals))[:, np.newaxis] >> np.arange(len(signals)) & 1 == 1


def _distinct_truth(truth: Flags) -> tuple[Codes, Flags]:
    """Return the class of each row, and the distinct rows."""
    codes = np.zeros(len(truth), np.int64)
    for column in truth.T:
        codes, _ = dense(2 * codes + column)
    first = np.zeros(int(codes.max(initial=-1)) + 1, np.int64)
    first[codes] = np.arange(len(codes))
    return codes.astype(np.int32), truth[first]


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


def _distinct_rows(events: pa.Table) -> tuple[npt.NDArray[np.integer], dict[str, pa.Array]]:
    """Return the number of each event's distinct row, and the distinct rows."""
    names = events.column_names
    if len(names) == 1:  # the dictionary itself, and what is missing at its end
        array = events[names[0]].combine_chunks()
        texts = pa.concat_arrays([array.dictionary, pa.nulls(1, array.dictionary.type)])
        return _indices(array), {names[0]: texts}
    codes = np.zeros(events.num_rows, np.int64)
    for name in names:
        column = column_codes(events[name])
        codes, _ = dense(codes * (column.max(initial=-1) + 2) + column + 1)
    rows = np.zeros(codes.max(initial=-1) + 1, np.int64)
    rows[codes] = np.arange(len(codes))
    some = events.take(pa.array(rows))
    return codes, {name: some[name].combine_chunks().dictionary_decode() for name in names}


def _indices(array: pa.DictionaryArray) -> Codes:
    """Return the place of each value in the dictionary, -1 for a missing one."""
    indices = array.indices
    if indices.null_count:
        indices = indices.fill_null(-1)
    return np.asarray(indices.to_numpy(zero_copy_only=False))


def column_codes(column: pa.ChunkedArray) -> Ints:
    """Return a number for each different value of a column, -1 for a missing one."""
    array = column.combine_chunks()
    if isinstance(array, pa.DictionaryArray):
        return _indices(array).astype(np.int64)
    if pa.types.is_floating(array.type):
        numbers = array.to_numpy(zero_copy_only=False)
        # By their bits, so that 0 and -0 stay two values; NaN is missing.
        codes, _ = pd.factorize(numbers.view(np.int64))
        return np.where(np.isnan(numbers), -1, codes).astype(np.int64)
    codes, _ = pd.factorize(array.to_pandas())
    return np.asarray(codes, dtype=np.int64)


def _without_nan(array: pa.Array) -> pa.Array:
    """Return NaN as null: a condition on a missing number does not hold."""
    if not pa.types.is_floating(array.type):
        return array
    if not pc.any(pc.is_nan(array)).as_py():
        return array
    return pa.array(array.to_numpy(zero_copy_only=False), from_pandas=True)
