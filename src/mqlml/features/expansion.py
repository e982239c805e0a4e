"""From the lines of the settings to features: kinds × signals × windows, all faults at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from mqlml.errors import Fault, nearest
from mqlml.features.columns import Feature
from mqlml.features.kinds.catalogue import ALL_KINDS, Kind
from mqlml.features.kinds.kind import DURATION
from mqlml.features.settings import FeatureSettings
from mqlml.features.signals import ANY, Signal
from mqlml.features.windows import span_of
from mqlml.tables.contracts import Column, ColumnType
from mqlml.timeline import EVER, MICROS_PER_WEEK

_OF_TYPES = {"number": ColumnType.NUMBER, "text": ColumnType.TEXT}
_KEYS = frozenset({"event_id", "lead_id"})
_CAP_DAYS = 30 / (24 * 60)


@dataclass(frozen=True)
class _Line:
    """One line of the settings with what it may refer to, and where it stands."""

    settings: FeatureSettings
    where: str
    signals: Mapping[str, Signal]
    columns: Sequence[Column]


def expand_features(
    lines: Sequence[FeatureSettings],
    signals: Mapping[str, Signal],
    event_columns: Sequence[Column],
) -> tuple[tuple[Feature, ...], list[Fault]]:
    """Return the features of all lines in order, each once, and what is wrong with the lines.

    A line without signals means the signal `any`.
    """
    features: dict[str, Feature] = {}
    faults: list[Fault] = []
    for number, settings in enumerate(lines):
        line = _Line(settings, f"features[{number}]", signals, event_columns)
        found = list(_line_faults(line))
        faults += found
        if not found:
            features |= {feature.column: feature for feature in _expand(line)}
    return tuple(features.values()), faults


def _expand(line: _Line) -> Iterator[Feature]:
    settings = line.settings
    names = settings.signals or (ANY.name,)
    for name, kind, days in product(names, settings.kinds, settings.windows_days):
        window = span_of(days)
        if window is not None:
            yield replace(
                _measured(line, ALL_KINDS[kind]), signal=line.signals[name], window=window
            )


def _measured(line: _Line, kind: Kind) -> Feature:
    """Return what the line says of a kind, before it says of which signal and window."""
    settings = line.settings
    half_life, cap, among = settings.half_life_days, _cap_days(settings), settings.among or ANY.name
    return Feature(
        kind.name,
        ANY,
        EVER,
        of=settings.of if kind.takes_column else DURATION if kind.of == "duration" else None,
        half_life=span_of(half_life) if kind.takes_half_life and half_life is not None else None,
        cap=span_of(cap) if kind.takes_cap else None,
        among=line.signals[among] if kind.of == "membership" else None,
    )


def _cap_days(settings: FeatureSettings) -> float:
    return _CAP_DAYS if settings.cap_minutes is None else settings.cap_minutes / (24 * 60)


def _line_faults(line: _Line) -> Iterator[Fault]:
    kinds = [ALL_KINDS[name] for name in line.settings.kinds]
    yield from _emptiness_faults(line)
    for name in line.settings.signals:
        if name not in line.signals:
            found = f"{name!r}; {nearest(name, list(line.signals))}"
            yield Fault("unknown signal", f"{line.where}.signals", found)
    yield from _of_faults(line, kinds)
    yield from _half_life_faults(line, kinds)
    yield from _among_faults(line, kinds)
    yield from _cap_faults(line, kinds)
    yield from _window_faults(line, kinds)


def _emptiness_faults(line: _Line) -> Iterator[Fault]:
    for part in ("kinds", "windows_days"):
        if not getattr(line.settings, part):
            yield Fault("nothing to measure", f"{line.where}.{part}", "an empty list", "name one")


def _of_faults(line: _Line, kinds: Sequence[Kind]) -> Iterator[Fault]:
    of, where = line.settings.of, f"{line.where}.of"
    needed = {kind.of for kind in kinds if kind.takes_column}
    if of is not None and not needed and kinds:
        found = f"{of!r} for {', '.join(line.settings.kinds)}"
        yield Fault("these kinds read no column of the event", where, found, "remove 'of'")
    for need in sorted(needed):
        valid = [c.name for c in line.columns if c.type is _OF_TYPES[need] and c.name not in _KEYS]
        users = ", ".join(kind.name for kind in kinds if kind.of == need)
        if of not in valid:
            found = f"{of!r}; {nearest(of, valid)}" if of else f"nothing; {nearest('', valid)}"
            yield Fault(f"{users} needs a {need} column of the event", where, found)


def _half_life_faults(line: _Line, kinds: Sequence[Kind]) -> Iterator[Fault]:
    days, where = line.settings.half_life_days, f"{line.where}.half_life_days"
    takes = [kind.name for kind in kinds if kind.takes_half_life]
    if takes and days is None:
        yield Fault(f"{takes[0]} needs a half-life", where, "nothing", "for example 14")
    if not takes and days is not None and kinds:
        found = f"{days:g} for {', '.join(line.settings.kinds)}"
        yield Fault("these kinds have no half-life", where, found, "remove 'half_life_days'")
    if takes and days is not None and span_of(days) is None:
        yield span_fault(where, days)


def _among_faults(line: _Line, kinds: Sequence[Kind]) -> Iterator[Fault]:
    among, where = line.settings.among, f"{line.where}.among"
    if among is None:
        among = ANY.name
    elif kinds and not any(kind.of == "membership" for kind in kinds):
        found = f"{among!r} for {', '.join(line.settings.kinds)}"
        yield Fault("these kinds are no share of a signal", where, found, "remove 'among'")
    if among not in line.signals:
        yield Fault("unknown signal", where, f"{among!r}; {nearest(among, list(line.signals))}")
    elif any(kind.of == "membership" for kind in kinds) and among in (
        line.settings.signals or (ANY.name,)
    ):
        mend = "name another signal as 'among'"
        yield Fault("a signal's share of itself is always 1", where, repr(among), mend)


def _cap_faults(line: _Line, kinds: Sequence[Kind]) -> Iterator[Fault]:
    minutes, where = line.settings.cap_minutes, f"{line.where}.cap_minutes"
    if minutes is None:
        return
    if kinds and not any(kind.takes_cap for kind in kinds):
        found = f"{minutes:g} for {', '.join(line.settings.kinds)}"
        yield Fault("these kinds have no cap", where, found, "remove 'cap_minutes'")
    if span_of(_cap_days(line.settings)) is None:
        mend = "give minutes, 1 or more"
        yield Fault("not a span of time", where, f"{minutes:g}", mend)


def _window_faults(line: _Line, kinds: Sequence[Kind]) -> Iterator[Fault]:
    where = f"{line.where}.windows_days"
    for days in line.settings.windows_days:
        window = span_of(days)
        if window is None:
            yield span_fault(where, days)
            continue
        for kind in kinds:
            if kind.min_weeks and (days == "ever" or window < kind.min_weeks * MICROS_PER_WEEK):
                mend = f"use windows of {7 * kind.min_weeks} days or more"
                what = f"{kind.name} needs a finite window of {kind.min_weeks} weeks or longer"
                yield Fault(what, where, str(days), mend)


def span_fault(where: str, days: float | Literal["ever"]) -> Fault:
    """Return the fault of a span that is none."""
    mend = "give days between one minute (0.0007) and 36,500; a window may be 'ever'"
    return Fault("not a span of time", where, str(days), mend)
