"""Columns that tell of a person what no score should lean on: told by name, or declared.

Age, gender, nationality, ethnicity, religion, marital status, disability and where
somebody lives are no features unless the config allows the column by name and says why.
They stay readable for measuring: how groups fare, and which features stand in for them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.features.sensitive_names import sensitive_kind
from mqlml.features.settings import IcpSettings, PlanSettings, SensitiveSettings
from mqlml.tables.contracts import Attribute, Known

DECLARED = "declared"
_READABLE = frozenset({Known.CREATION, Known.DATED})
_ICP_PARTS = ("title", "size", "industry", "country")
_OTHERWISE = "leave it out, or name the property otherwise if it tells no such thing"
_ALLOW = "remove it there, or allow the column in sensitive.allow and say why"


@dataclass(frozen=True)
class SensitiveColumn:
    """A sensitive attribute: what it tells, and why it is a feature all the same ("" if not)."""

    attribute: Attribute
    kind: str
    reason: str = ""

    @property
    def name(self) -> str:
        """Return the attribute's name."""
        return self.attribute.name

    @property
    def is_allowed(self) -> bool:
        """Return whether the model may look at it."""
        return bool(self.reason)


def sensitive_columns(
    settings: SensitiveSettings, attributes: Sequence[Attribute]
) -> tuple[SensitiveColumn, ...]:
    """Return the sensitive ones among the attributes that can be read, in their order.

    What is known only with the outcome, or names a person, is no feature anyway.

    Raises:
        ConfigError: with every name that no attribute has, every column that is allowed
            without being sensitive, and every reason that says nothing.
    """
    faults = list(_setting_faults(settings, attributes))
    if faults:
        raise ConfigError(*faults)
    kinds = {a.name: _kind(a.name, settings) for a in attributes if a.known in _READABLE}
    return tuple(
        SensitiveColumn(a, kinds[a.name], settings.allow.get(a.name, ""))
        for a in attributes
        if kinds.get(a.name)
    )


def _kind(name: str, settings: SensitiveSettings) -> str:
    return sensitive_kind(name) or (DECLARED if name in settings.columns else "")


def excluded_names(columns: Sequence[SensitiveColumn]) -> tuple[str, ...]:
    """Return the names of the attributes that no feature may be made of."""
    return tuple(column.name for column in columns if not column.is_allowed)


def _setting_faults(
    settings: SensitiveSettings, attributes: Sequence[Attribute]
) -> Iterator[Fault]:
    names = [a.name for a in attributes]
    for name in settings.columns:
        if name not in names:
            found = f"{name!r}; {nearest(name, names)}"
            yield Fault("unknown attribute", "sensitive.columns", found, "correct the name")
    for name, reason in settings.allow.items():
        where = f"sensitive.allow.{name}"
        if name not in names:
            found = f"{name!r}; {nearest(name, names)}"
            yield Fault("unknown attribute", where, found, "correct the name")
        elif not _kind(name, settings):
            mend = "remove it here, or declare it in sensitive.columns too"
            yield Fault("not sensitive, so nothing has to be allowed", where, "", mend)
        elif not reason.strip():
            mend = "say why the model may look at it; the reason stands in the report"
            yield Fault("allowed without a reason", where, repr(reason), mend)


def plan_faults(
    plan: PlanSettings, columns: Sequence[SensitiveColumn], properties: Sequence[str]
) -> Iterator[Fault]:
    """Yield where the plan asks for a column that is excluded, or for an event's property like it.

    Columns that would have been features by themselves are left out quietly; what the
    config asks for in so many words is refused, so that nobody believes it counts.
    """
    excluded = {column.name: column.kind for column in columns if not column.is_allowed}
    asked = {"of": plan.rates.of, "verdicts": plan.rates.verdicts}
    for where, name in ((where, name) for where, names in asked.items() for name in names):
        if name in excluded:
            yield Fault(_words(excluded[name]), f"plan.rates.{where}", repr(name), _ALLOW)
    for part, source in _icp_names(plan.icp).items():
        if source in excluded:
            yield Fault(_words(excluded[source]), f"plan.icp.{part}", repr(source), _ALLOW)
    kinds = {name: sensitive_kind(name) for name in properties}
    for name, signal in plan.signals.items():
        where = f"plan.signals.{name}.where"
        for word in sorted(set(re.findall(r"\w+", signal.where))):
            if kinds.get(word):
                yield Fault(_words(kinds[word]), where, repr(word), _OTHERWISE)
    for number, line in enumerate(plan.features):
        kind = kinds.get(line.of or "", "")
        if kind:
            yield Fault(_words(kind), f"plan.features[{number}].of", repr(line.of), _OTHERWISE)


def rep_faults(plan: PlanSettings, reps: Sequence[str]) -> Iterator[Fault]:
    """Yield where the plan asks for rates of an attribute that names the lead's rep."""
    asked = {"of": plan.rates.of, "verdicts": plan.rates.verdicts}
    for where, name in ((where, name) for where, names in asked.items() for name in names):
        if name in reps:
            what = "the rep of a lead (serve.owner) is never a feature"
            yield Fault(what, f"plan.rates.{where}", repr(name), "remove it")


def dropped_faults(dropped: Sequence[str], columns: Sequence[SensitiveColumn]) -> Iterator[Fault]:
    """Yield the columns that are allowed with a reason and dropped at once."""
    for column in columns:
        if column.is_allowed and column.name in dropped:
            mend = "keep it in model.drop or in sensitive.allow"
            where = f"sensitive.allow.{column.name}"
            yield Fault("allowed and excluded at once", where, "also in model.drop", mend)


def _icp_names(icp: IcpSettings) -> Mapping[str, str]:
    return {part: getattr(icp, part) or "" for part in _ICP_PARTS}


def _words(kind: str) -> str:
    return f"this column is sensitive ({kind}) and not allowed"
