"""All kinds of event features, by name; a kind's place in the catalogue is its number.

New kinds are added at the end: the kernel knows kinds by their number. The kinds of
the account have no number: they are made of counts by the kernel (accounts.py).
"""

from types import MappingProxyType

from mqlml.features.kinds.account import ACCOUNT_ACTIVE_LEADS, ACCOUNT_COUNT
from mqlml.features.kinds.amounts import LAST_VALUE, MAX, MEAN, MIN, SUM, TIME_SPENT
from mqlml.features.kinds.counting import ACTIVE_DAYS, COUNT, DISTINCT, SHARE
from mqlml.features.kinds.kind import Kind
from mqlml.features.kinds.recency import DAYS_SINCE_FIRST, DAYS_SINCE_LAST
from mqlml.features.kinds.rhythm import (
    ACTIVE_WEEKS_STREAK,
    DECAYED_COUNT,
    MAX_GAP_DAYS,
    MEAN_GAP_DAYS,
    WEEKLY_SLOPE,
)
from mqlml.features.kinds.visits import (
    MAX_SESSION_EVENTS,
    MAX_SESSION_MINUTES,
    MEAN_SESSION_EVENTS,
    MEAN_SESSION_MINUTES,
    SESSIONS,
)

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
    MEAN_GAP_DAYS,
    MAX_GAP_DAYS,
    MEAN_SESSION_EVENTS,
    MAX_SESSION_EVENTS,
    MEAN_SESSION_MINUTES,
    MAX_SESSION_MINUTES,
    TIME_SPENT,
    SHARE,
)
_OF_THE_ACCOUNT = (ACCOUNT_COUNT, ACCOUNT_ACTIVE_LEADS)
KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
NUMBERS = MappingProxyType({kind.name: number for number, kind in enumerate(_ALL)})

ACCOUNT_KINDS = MappingProxyType({kind.name: kind for kind in _OF_THE_ACCOUNT})
ALL_KINDS = MappingProxyType({**KINDS, **ACCOUNT_KINDS})

__all__ = ["ACCOUNT_KINDS", "ALL_KINDS", "KINDS", "NUMBERS", "Kind"]
