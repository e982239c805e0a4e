"""One lead's events as they might have been, some more or fewer: each version a lead of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.features.patterns import signal_patterns
from mqlml.features.signals import Signal
from mqlml.tables.contracts import EventLog
from mqlml.tables.expressions import sandbox
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, is_seen

_Ints = npt.NDArray[np.int64]
_LATEST_BEFORE = 12 * MICROS_PER_HOUR
_LOOKED_AT = 50_000
_SPELL = ("counts_after", "counts_until")


@dataclass(frozen=True)
class LeadEvents:
    """What a lead did before a moment, newest first, and an example of each signal's events.

    `held` are the places of each signal's events among the lead's own, `examples` one event
    of each signal that anybody did, the lead itself if it can be.
    """

    own: pa.Table
    held: Mapping[str, _Ints]
    examples: Mapping[str, pa.Table]
    as_of: int

    def as_is(self, name: str) -> pa.Table:
        """Return the events as lead `name`, nothing changed."""
        return _of_lead(self.own, name)

    def version(self, name: str, signal: str, count: int) -> pa.Table | None:
        """Return the events as lead `name`, so many of a signal more or fewer; None if impossible.

        The latest are taken away. More happened half a day before the moment, and a day
        before that each.
        """
        if count < 0:
            places = self.held[signal]
            if len(places) < -count:
                return None
            kept = np.setdiff1d(np.arange(self.own.num_rows), places[:-count])
            return _of_lead(self.own.take(kept), name)
        if signal not in self.examples:
            return None
        example, latest = self.examples[signal], self.as_of - _LATEST_BEFORE
        more = [_at(example, latest - i * MICROS_PER_DAY, i) for i in range(count)]
        return _of_lead(pa.concat_tables([self.own, *more]), name)


def read_lead_events(
    own: EventLog,
    examples: Mapping[str, pa.Table],
    lead_id: str,
    as_of: int,
    signals: Sequence[Signal],
) -> LeadEvents:
    """Return what the lead did before `as_of`.

    Args:
        own: a log that holds the lead's events, and few others.
        examples: events of others, see `examples_of`, for what the lead itself never did.
        lead_id: the lead.
        as_of: what counts from then on is not seen.
        signals: the signals of the plan.
    """
    events = pq.read_table(sorted(own.folder.glob("**/*.parquet")), partitioning=None)
    events = events.filter(pa.compute.equal(events["lead_id"].cast(pa.string()), lead_id))
    order = np.argsort(-_instants(events), kind="stable")
    events = events.take(order)
    is_before = np.asarray(is_seen(_instants(events), as_of), dtype=np.bool_)  # type: ignore[type-var]
    events = events.take(np.flatnonzero(is_before))
    held = _held(events, signals)
    shown = {name: events.slice(int(p[0]), 1) for name, p in held.items() if len(p)}
    others = {
        name: event.select(events.schema.names).cast(events.schema)
        for name, event in examples.items()
        if name not in shown
    }
    return LeadEvents(events, held, others | shown, as_of)


def examples_of(log: EventLog, signals: Sequence[Signal]) -> dict[str, pa.Table]:
    """Return one event of each signal, from the first files of the log; few are looked at."""
    found: dict[str, pa.Table] = {}
    looked_at = 0
    for path in sorted(log.folder.glob("**/*.parquet")):
        wanted = [signal for signal in signals if signal.name not in found]
        if not wanted or looked_at > _LOOKED_AT:
            break
        events = pq.read_table(path, partitioning=None).slice(0, _LOOKED_AT)
        looked_at += events.num_rows
        for name, places in _held(events, wanted).items():
            if len(places):
                found[name] = events.slice(int(places[0]), 1)
    return found


def write_versions(log: EventLog, versions: Sequence[pa.Table], folder: Path) -> EventLog:
    """Return a log in `folder` of these versions, of the same properties as `log`."""
    target = folder / "events" / "bucket=0"
    target.mkdir(parents=True)
    whole = pa.concat_tables(versions)
    ids = whole["lead_id"].to_pandas().to_numpy(dtype=object)
    order = np.lexsort((_instants(whole), ids))
    pq.write_table(whole.take(order), target / "part.parquet")
    return EventLog(target.parent, whole.num_rows, log.properties)


def _held(events: pa.Table, signals: Sequence[Signal]) -> dict[str, _Ints]:
    if not events.num_rows:
        return {signal.name: np.zeros(0, np.int64) for signal in signals}
    with sandbox() as connection:
        patterns = signal_patterns(connection, events, signals)
    is_bot = events["is_bot"].to_pandas().fillna(value=False).to_numpy(dtype=bool)
    return {
        signal.name: np.flatnonzero(patterns.holds[patterns.codes, i] & ~is_bot)
        for i, signal in enumerate(signals)
    }


def _instants(events: pa.Table) -> _Ints:
    """Return the moment from which each event counts, in microseconds."""
    times = [events[n].cast(pa.int64()).to_numpy() for n in ("occurred_at", "arrived_at")]
    return np.asarray(np.maximum(*times), dtype=np.int64)


def _of_lead(events: pa.Table, name: str) -> pa.Table:
    place = events.schema.get_field_index("lead_id")
    field = events.schema.field(place)
    ids = pa.array([name] * events.num_rows, pa.string()).cast(field.type)
    return events.set_column(place, field, ids)


def _at(event: pa.Table, moment: int, number: int) -> pa.Table:
    """Return the event as if it had happened, and been known, at a moment."""
    changes = {"occurred_at": moment, "arrived_at": moment, "event_id": f"changed-{number}"}
    changes |= {name: None for name in _SPELL if name in event.schema.names}
    for name, value in changes.items():
        place = event.schema.get_field_index(name)
        field = event.schema.field(place)
        event = event.set_column(place, field, pa.array([value]).cast(field.type))
    return event
