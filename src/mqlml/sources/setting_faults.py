"""What can be wrong with the sources' settings before any file is opened."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.sources import casting
from mqlml.sources.delimited import delimiter_sign
from mqlml.sources.exports import export_faults
from mqlml.sources.fields import mapping_faults
from mqlml.sources.settings import EventSource, SourceSettings, TableSource
from mqlml.sources.zones import checked_zone, instant
from mqlml.tables.checking import TimeRange
from mqlml.tables.contracts import CONTRACTS
from mqlml.tables.robots import network_faults

# The last moment that a row may have.
LATEST = instant("2099-01-01", "UTC", "") - 1
_NAMED = ("columns", "constants", "properties")


def time_range(settings: SourceSettings, timezone: str | None) -> TimeRange:
    """Return the times that rows may have; ConfigError if the settings' times cannot be read."""
    if timezone is not None:
        checked_zone(timezone, "timezone")
    earliest = instant(settings.earliest, timezone or "UTC", "sources.earliest")
    if settings.data_end is None:
        return TimeRange(earliest, LATEST, settings.earliest, "2098")
    end = instant(settings.data_end, timezone, "sources.data_end")
    return TimeRange(earliest, end, settings.earliest, f"the data's end, {settings.data_end}")


def sources_by_table(settings: SourceSettings) -> dict[str, Sequence[TableSource]]:
    """Return the sources of every table of the contract, in its order."""
    return {table: getattr(settings, table) for table in CONTRACTS}


def setting_faults(settings: SourceSettings) -> list[Fault]:
    """Return everything that is wrong with names, zones, formats and clocks."""
    faults = []
    for table, sources in sources_by_table(settings).items():
        for number, source in enumerate(sources):
            where = f"sources.{table}.{number}"
            faults += mapping_faults(table, source, where)
            faults += _faults_of(delimiter_sign, source.delimiter or ",", f"{where}.delimiter")
            faults += _faults_of(
                casting.check_time_format, source.time_format, f"{where}.time_format"
            )
            faults += _faults_of(checked_zone, source.timezone or "UTC", f"{where}.timezone")
            if source.table is not None and source.table.warehouse not in settings.warehouse:
                mend = nearest(source.table.warehouse, list(settings.warehouse))
                named = repr(source.table.warehouse)
                faults.append(Fault("no such warehouse", f"{where}.table", named, mend))
    faults += export_faults(settings.exports, settings.warehouse)
    faults += [
        Fault("not an IP address or network", "sources.robots.own_ips", text, "write 10.0.0.0/8")
        for text in network_faults(settings.robots)
    ]
    return [*faults, *_clock_faults(settings), *_property_faults(settings.events)]


def name_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the canonical names in sources that have other faults too.

    `values` is what the config says under `sources`, whatever its kind.
    """
    for table in CONTRACTS:
        listed = values.get(table)
        for number, one in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(one, Mapping):
                kind = EventSource if table == "events" else TableSource
                given = {n: one[n] for n in _NAMED if isinstance(one.get(n), Mapping)}
                yield from mapping_faults(
                    table, kind.model_construct(**given), f"sources.{table}.{number}"
                )


def _faults_of(check: Callable[[Any, str], object], value: str | None, where: str) -> list[Fault]:
    try:
        check(value, where)
    except ConfigError as error:
        return list(error.faults)
    return []


def _clock_faults(settings: SourceSettings) -> list[Fault]:
    ordered = [source.order is not None for source in settings.leads]
    if any(ordered) and not all(ordered):
        mend = "give all leads files created_at, or all an order"
        return [Fault("some leads have times and some only an order", "sources.leads", "", mend)]
    dated = [
        table
        for table, sources in sources_by_table(settings).items()
        if sources and table != "leads"
    ]
    if any(ordered) and dated:
        mend = "map created_at, or take these tables out"
        found = ", ".join(dated)
        return [Fault("an order cannot be compared with times", "sources.leads.order", found, mend)]
    return []


def _property_faults(sources: Sequence[EventSource]) -> list[Fault]:
    types: dict[str, str] = {}
    faults = []
    for number, source in enumerate(sources):
        for name, kind in source.properties.items():
            if types.setdefault(name, kind) != kind:
                where = f"sources.events.{number}.properties.{name}"
                mend = "give it one type in all sources, or another name in one"
                faults.append(Fault("property has another type elsewhere", where, kind, mend))
    return faults
