"""A criteria file's content → checked criteria, and the digest that names their content."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from mqlml.criteria.settings import Criteria, RankedList, Rule, SignOff, Thresholds
from mqlml.errors import ConfigError, Fault, nearest
from mqlml.tables.expressions import expression_faults

_ROOT = "criteria"
_FIELDS = {
    "": tuple(Criteria.model_fields),
    "signed": tuple(SignOff.model_fields),
    "thresholds": tuple(Thresholds.model_fields),
    "exclusions": tuple(Rule.model_fields),
    "icp_gate": tuple(Rule.model_fields),
    "disqualifiers": tuple(Rule.model_fields),
    "hand_raisers": tuple(Rule.model_fields),
}
_RANKED = tuple(RankedList.model_fields)

# Settings by place that the format did not have at first.
_LATER = {
    "": ("exclusions",),
    "thresholds": ("ranked", "precision_floor", "cost_per_lead", "value_per_conversion"),
    "thresholds.ranked": ("explored_share",),
}


def criteria_from_dict(raw: object) -> Criteria:
    """Return the criteria written in `raw` (what YAML or JSON reading gave).

    Raises:
        ConfigError: with every fault of the content together.
    """
    if not isinstance(raw, Mapping):
        found = type(raw).__name__
        raise ConfigError(Fault("criteria are not a mapping of names to values", _ROOT, found))
    try:
        criteria = Criteria.model_validate(_plain(raw))
    except ValidationError as error:
        raise ConfigError(*(_fault(detail) for detail in error.errors())) from error
    faults = list(content_faults(criteria))
    if faults:
        raise ConfigError(*faults)
    return criteria


def _plain(value: Any) -> Any:
    # YAML reads an unquoted day as a date; the settings keep days as ISO texts.
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_plain(child) for child in value)
    return value.isoformat() if isinstance(value, date) else value


def _part(path: Sequence[str]) -> str:
    return path[0] if len(path) > 1 else ""


def _fault(detail: Any) -> Fault:
    path = [str(part) for part in detail["loc"]]
    where = ".".join([_ROOT, *path])
    if detail["type"] == "extra_forbidden":
        fields = _RANKED if path[:-1] == ["thresholds", "ranked"] else _FIELDS.get(_part(path), ())
        return Fault("unknown key", where, f"{path[-1]!r}; {nearest(path[-1], fields)}")
    if detail["type"] == "missing":
        return Fault("a value is missing", where, mend=f"give {path[-1]}")
    return Fault(detail["msg"].lower(), where, repr(detail["input"])[:80])


def content_faults(criteria: Criteria) -> Iterator[Fault]:
    """Yield what the types of single values cannot tell, each at its dotted place."""
    yield from _threshold_faults(criteria.thresholds)
    for part, rules in _rule_groups(criteria):
        for name, times in Counter(rule.name for rule in rules).items():
            if times > 1:
                mend = "give every rule a name of its own"
                yield Fault("two rules have one name", f"{_ROOT}.{part}", repr(name), mend)
    for team, times in Counter(signature.team for signature in criteria.signed).items():
        if times > 1:
            mend = f"keep the one that counts, or sign again for {team}"
            yield Fault("a team signed twice", f"{_ROOT}.signed", repr(team), mend)
    days = [("valid_from", criteria.valid_from)]
    days += [(f"signed.{i}.on", signature.on) for i, signature in enumerate(criteria.signed)]
    for where, day in days:
        if day is not None and not _is_day(day):
            yield Fault("not a day", f"{_ROOT}.{where}", repr(day), "write it like 2026-03-31")


def _threshold_faults(thresholds: Thresholds) -> Iterator[Fault]:
    where = f"{_ROOT}.thresholds"
    if thresholds.ranked is not None and thresholds.capacity_per_week is not None:
        found = f"capacity_per_week {thresholds.capacity_per_week:g}, "
        found += f"ranked {thresholds.ranked.most} per {thresholds.ranked.per}"
        mend = "keep ranked alone: it hands over the best of each period, never more"
        yield Fault("capacity is given twice", where, found, mend)
    cost, value = thresholds.cost_per_lead, thresholds.value_per_conversion
    if cost is None and value is None:
        if not thresholds.is_measured and thresholds.mql_probability is None:
            mend = "give ranked, precision_floor, mql_probability, or cost and value"
            yield Fault("nothing says where MQL begins", where, mend=mend)
    elif cost is None or value is None:
        missing = "cost_per_lead" if cost is None else "value_per_conversion"
        mend = f"give {missing} too, in the same currency"
        yield Fault("cost and value belong together", where, f"{missing} is missing", mend)
    elif cost >= value:
        found = f"cost {cost:g}, value {value:g}"
        mend = "check the units: no lead would be worth working, however sure"
        yield Fault("a lead costs as much as a conversion is worth", where, found, mend)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _rule_groups(criteria: Criteria) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
    return (
        ("exclusions", criteria.exclusions),
        ("icp_gate", criteria.icp_gate),
        ("disqualifiers", criteria.disqualifiers),
        ("hand_raisers", criteria.hand_raisers),
    )


def criteria_faults(criteria: Criteria, columns: Sequence[str]) -> list[Fault]:
    """Return what is wrong with the rules' conditions over rows that have `columns`."""
    return [
        fault
        for part, rules in _rule_groups(criteria)
        for rule in rules
        for fault in expression_faults(rule.when, columns, f"{_ROOT}.{part}.{rule.name}")
    ]


def criteria_digest(criteria: Criteria) -> str:
    """Return 16 hex digits that change with anything the criteria say.

    Signatures are left out: signing is agreeing to this content, so it must not
    change what was agreed to. Settings that the format gained later are left
    out while they say nothing, so that a signature outlives an update of mqlml.

    >>> criteria_digest(Criteria(version=1)) == criteria_digest(Criteria(version=2))
    False
    """
    content = criteria.model_dump(mode="json", exclude={"signed"})
    for place, names in _LATER.items():
        part = content
        for step in filter(None, place.split(".")):
            part = part.get(step, {})
        for name in names:
            if name in part and not part[name]:
                del part[name]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
