"""Which changes are news: a change is told once, not every week that it stands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mqlml.monitoring.evidence import Change
from mqlml.timeline import MICROS_PER_WEEK

# One event may be named anew as evidence comes in, within these families.
_FAMILIES = (
    ("prior", "concept", "sales_cycle", "definition", "selection"),
    ("covariate", "instrumentation", "bots"),
)
# A date moves a little as weeks go by; further apart it is another change.
_SAME_WEEKS = 6


def news_among(changes: Sequence[Change], told: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Return the alarming changes that none of the earlier ones tells of already.

    `told` holds kind, since (microseconds or None) and columns of changes that earlier looks
    at the same champion raised the alarm for.
    """
    before = list(told)
    return tuple(
        change
        for change in changes
        if change.is_alarm and not any(_is_same(change, one) for one in before)
    )


def _is_same(change: Change, told: Mapping[str, Any]) -> bool:
    family = next(kinds for kinds in _FAMILIES if change.kind in kinds)
    if told["kind"] not in family:
        return False
    if change.since is None or told["since"] is None:
        return bool(change.kind == told["kind"] and list(change.columns) == list(told["columns"]))
    near = abs(change.since - int(told["since"])) <= _SAME_WEEKS * MICROS_PER_WEEK
    if family is _FAMILIES[0]:
        return near
    shared = bool(set(change.columns) & set(told["columns"]))
    return shared or (near and change.kind == told["kind"])
