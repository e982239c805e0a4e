"""Local times to UTC, by the rules of `zoneinfo`, as a table that SQL can join.

A local time that happens twice (clocks go back) is its first occurrence, as
with `fold=0`. A local time that never happens (clocks go forward) has no UTC
time: the caller puts its row into quarantine.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mqlml.errors import ConfigError, Fault, nearest

_SECOND = 1_000_000
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING = -(10**18)


@dataclass(frozen=True)
class Stretch:
    """From this local wall time on (microseconds), the offset to subtract and what is special."""

    local_from: int
    offset: int
    is_gap: bool = False
    is_twice: bool = False


def checked_zone(name: str, where: str) -> str:
    """Return `name` if it is a time zone; ConfigError with the nearest one otherwise."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(name, sorted(available_timezones()))
        raise ConfigError(Fault("unknown time zone", where, repr(name), hint)) from None
    return name


@lru_cache(maxsize=16)
def stretches(zone_name: str) -> tuple[Stretch, ...]:
    """Return the zone's local time from 1900 to 2100, in order, without holes.

    >>> stretches("UTC")
    (Stretch(local_from=-1000000000000000000, offset=0, is_gap=False, is_twice=False),)
    """
    zone = ZoneInfo(zone_name)
    found = [Stretch(_BEGINNING, _offset(_FIRST, zone))]
    for at, before, after in _transitions(zone):
        first, last = at + min(before, after), at + max(before, after)
        found.append(Stretch(first, before, is_gap=after > before, is_twice=after < before))
        found.append(Stretch(last, after))
    return tuple(found)


def _transitions(zone: ZoneInfo) -> list[tuple[int, int, int]]:
    found = []
    day, offset = _FIRST, _offset(_FIRST, zone)
    while day < _LAST:
        following = day + timedelta(days=1)
        after = _offset(following, zone)
        if after != offset:
            found.append((_change(day, following, zone), offset, after))
        day, offset = following, after
    return found


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> int:
    """Return the UTC microsecond between `low` and `high` at which the offset changes."""
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return (high - _EPOCH) // timedelta(microseconds=1)


def _offset(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(seconds=1) * _SECOND


def instant(text: str, zone_name: str | None, where: str) -> int:
    """Return the UTC microseconds of an ISO time from the config.

    >>> instant("2018-01-01", "Europe/Berlin", "earliest")
    1514761200000000
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        mend = "write 2024-12-31 or 2024-12-31T18:00:00+01:00"
        raise ConfigError(Fault("not a time", where, repr(text), mend)) from None
    if at.tzinfo is None:
        if zone_name is None:
            mend = "add an offset, or set 'timezone:', for example Europe/Berlin or UTC"
            raise ConfigError(Fault("time without a zone", where, repr(text), mend))
        at = at.replace(tzinfo=ZoneInfo(zone_name))
    return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
