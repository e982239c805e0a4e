"""Which of several versions of the criteria is in force on a day: exactly one, or none yet."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import combinations
from zoneinfo import ZoneInfo

from mqlml import timeline
from mqlml.criteria.settings import Criteria
from mqlml.errors import ConfigError, Fault

_ROOT = "criteria"


def starts_at(criteria: Criteria, zone: str) -> int:
    """Return the first instant at which `criteria` are valid, in microseconds UTC.

    The day begins at midnight in `zone`; without a day they always were valid.

    >>> starts_at(Criteria(version=1, valid_from="1970-01-02"), "UTC") == timeline.MICROS_PER_DAY
    True
    """
    if criteria.valid_from is None:
        return -timeline.EVER
    midnight = datetime.fromisoformat(criteria.valid_from).replace(tzinfo=ZoneInfo(zone))
    return round(midnight.timestamp()) * timeline.MICROS_PER_SECOND


def version_faults(versions: Sequence[Criteria]) -> Iterator[Fault]:
    """Yield what keeps one version, and one only, from being in force on every day."""
    for one, other in combinations(versions, 2):
        low, high = sorted((one, other), key=lambda criteria: criteria.version)
        names = f"versions {low.version} and {high.version}"
        since = f"valid from {low.valid_from or 'ever'} and {high.valid_from or 'ever'}"
        if low.version == high.version:
            mend = "raise the version of the newer file"
            yield Fault("two files are one version", _ROOT, f"version {low.version}", mend)
        elif low.valid_from == high.valid_from:
            mend = "let each version be valid from another day"
            yield Fault(f"two active versions: {names}", _ROOT, since, mend)
        elif (high.valid_from or "") < (low.valid_from or ""):
            mend = "let a higher version be valid from a later day"
            yield Fault(f"{names} are valid in the wrong order", _ROOT, since, mend)


def in_force(versions: Sequence[Criteria], as_of: int, *, zone: str = "UTC") -> Criteria:
    """Return the version that is valid at `as_of` (microseconds UTC).

    A version is in force from the midnight that begins its `valid_from` until
    that of the next one.

    Raises:
        ConfigError: none is valid yet.
    """
    begun = [c for c in versions if timeline.is_known(starts_at(c, zone), as_of)]
    if not begun:
        first = min(versions, key=lambda criteria: starts_at(criteria, zone))
        found = f"version {first.version} is valid from {first.valid_from}"
        mend = "give a later --as-of, or list the version of that day under criteria"
        raise ConfigError(Fault("no criteria are valid yet", f"{_ROOT}.valid_from", found, mend))
    return max(begun, key=lambda criteria: starts_at(criteria, zone))
