"""What can be wrong with signals: their names, their SQL, the types they compare."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from mqlml.errors import ConfigError, Fault
from mqlml.features.conditions import truth_of
from mqlml.features.signals import ANY, Signal, signal_columns
from mqlml.tables.contracts import Column, ColumnType
from mqlml.tables.expressions import expression_faults, sandbox

_ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.FLAG: pa.bool_(),
}


def signal_faults(signals: Mapping[str, Signal], event_columns: Sequence[Column]) -> list[Fault]:
    """Return what is wrong with the names and conditions of the settings' signals."""
    columns = signal_columns(event_columns)
    names = [column.name for column in columns]
    faults = [fault for name in signals for fault in _name_faults(name)]
    sound = []
    for name, signal in signals.items():
        found = expression_faults(signal.where, names, f"signals.{name}.where")
        faults += found
        if not found:
            sound.append(signal)
    return [*faults, *_type_faults(sound, columns)]


def _name_faults(name: str) -> Iterator[Fault]:
    where = f"signals.{name}"
    if name == ANY.name:
        yield Fault("'any' is built in (every event)", where, "", "give it another name")
    elif not name.isidentifier() or "__" in name:
        mend = "use letters, digits and single underscores, a letter first"
        yield Fault("not a name for a signal", where, repr(name), mend)


def _type_faults(signals: Sequence[Signal], columns: Sequence[Column]) -> Sequence[Fault]:
    """Return the faults that show only when a condition meets typed columns."""
    if not signals:
        return ()
    empty = {column.name: pa.array([], _ARROW[column.type]) for column in columns}
    try:
        with sandbox() as connection:
            truth_of(connection, signals, empty, 0)
    except ConfigError as error:
        return error.faults
    return ()
