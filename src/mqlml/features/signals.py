"""Signals: named filters over one event row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mqlml.features.settings import SignalSettings
from mqlml.tables.contracts import Column, ColumnType

Family = Literal["behavioural", "engagement", "demographic"]

# Who and when is the engine's business; a signal says what kind of event it is.
_NOT_FOR_SIGNALS = frozenset({"event_id", "lead_id"})


@dataclass(frozen=True)
class Signal:
    """A named filter over events; `says` names its events for people, in the plural."""

    name: str
    where: str
    says: str
    family: Family = "behavioural"


ANY = Signal("any", "true", "activities")


def make_signals(settings: Mapping[str, SignalSettings]) -> dict[str, Signal]:
    """Return the signals of the settings by name."""
    return {
        name: Signal(name, s.where.strip(), s.says or name.replace("_", " "), s.family)
        for name, s in settings.items()
    }


def signal_columns(event_columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the event columns that a signal may read: no identifiers, no times."""
    return tuple(
        c for c in event_columns if c.name not in _NOT_FOR_SIGNALS and c.type is not ColumnType.TIME
    )
