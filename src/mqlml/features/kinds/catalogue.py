"""All kinds of event features, by name; a kind's place in the catalogue is its number.

New kinds are added at the end: the kernel knows kinds by their number.
"""

from types import MappingProxyType

from mqlml.features.kinds.amounts import LAST_VALUE, MAX, MEAN, MIN, SUM
from mqlml.features.kinds.counting import ACTIVE_DAYS, COUNT, DISTINCT, SESSIONS
from mqlml.features.kinds.kind import Kind
from mqlml.features.kinds.recency import DAYS_SINCE_FIRST, DAYS_SINCE_LAST
from mqlml.features.kinds.rhythm import ACTIVE_WEEKS_STREAK, DECAYED_COUNT, WEEKLY_SLOPE

_ALL = (
    COUNT,
    ACTIVE_DAYS,
    DAYS_SINCE_LAST,
    DAYS_SINCE_FIRST,
    DISTINCT,
    SUM,
    MEAN,
    MAX,
    MIN,
    LAST_VALUE,
    SESSIONS,
    DECAYED_COUNT,
    ACTIVE_WEEKS_STREAK,
    WEEKLY_SLOPE,
)
KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
NUMBERS = MappingProxyType({kind.name: number for number, kind in enumerate(_ALL)})

__all__ = ["KINDS", "NUMBERS", "Kind"]
