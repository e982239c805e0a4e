"""The plan: the features of a model, in order, with a fingerprint; it travels in the bundle."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.features.attributes import attribute_faults, attribute_features
from mqlml.features.columns import AttributeFeature, ColumnInfo, Feature
from mqlml.features.expansion import expand_features
from mqlml.features.icp import icp_faults
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS
from mqlml.features.plan_text import plan_json, plan_parts
from mqlml.features.settings import IcpSettings, PlanSettings
from mqlml.features.signal_checks import signal_faults
from mqlml.features.signals import ANY, Signal, make_signals
from mqlml.features.table_expansion import (
    Given,
    account_leads,
    rate_features,
    ratio_features,
    stage_features,
    table_faults,
)
from mqlml.features.table_features import (
    AccountLeads,
    Outcome,
    RateFeature,
    RatioFeature,
    StageFeature,
)
from mqlml.tables.contracts import Attribute, Column

Part = Feature | AttributeFeature | StageFeature | AccountLeads | RateFeature | RatioFeature


def _topic(part: Part) -> str:
    if isinstance(part, Feature):
        of_account = "of the account: " if part.kind in ACCOUNT_KINDS else ""
        return f"{of_account}signal {part.signal.name}"
    if isinstance(part, AttributeFeature | RateFeature):
        return f"attribute {part.source}"
    return "stage" if isinstance(part, StageFeature) else "account"


@dataclass(frozen=True)
class Plan:
    """The columns of the feature matrix, in the order of the fields.

    `features` are measured from the lead's own events, `accounts` from those of the
    other leads of its account, the rest from tables; `ratios` are made of other columns.
    """

    signals: tuple[Signal, ...] = ()
    features: tuple[Feature, ...] = ()
    attributes: tuple[AttributeFeature, ...] = ()
    icp: IcpSettings = field(default_factory=IcpSettings)
    stages: tuple[StageFeature, ...] = ()
    account_leads: tuple[AccountLeads, ...] = ()
    accounts: tuple[Feature, ...] = ()
    rates: tuple[RateFeature, ...] = ()
    ratios: tuple[RatioFeature, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return everything that makes a column, in the matrix's order."""
        return (
            *self.features,
            *self.attributes,
            *self.stages,
            *self.account_leads,
            *self.accounts,
            *self.rates,
            *self.ratios,
        )

    @cached_property
    def infos(self) -> tuple[ColumnInfo, ...]:
        """Return what is known of each column, in the matrix's order."""
        return tuple(part.info for part in self.parts)

    @cached_property
    def topics(self) -> dict[str, tuple[str, ...]]:
        """Return the columns by what they are about, a signal or an attribute, say."""
        topics: dict[str, list[str]] = {}
        topic_of: dict[str, str] = {}
        for part in self.parts:
            topic = topic_of[part.of] if isinstance(part, RatioFeature) else _topic(part)
            topic_of[part.column] = topic
            topics.setdefault(topic, []).append(part.column)
        return {name: tuple(columns) for name, columns in topics.items()}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the matrix's columns in order."""
        return tuple(info.column for info in self.infos)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Return the names of the columns that hold categories."""
        return tuple(info.column for info in self.infos if info.dtype == "category")

    def describe(self, column: str) -> ColumnInfo:
        """Return what is known of `column`; a KeyError says that the plan has no such column."""
        return self._by_column[column]

    def part(self, column: str) -> Part:
        """Return what makes `column`; a KeyError says that the plan has no such column."""
        return self._parts_by_column[column]

    @cached_property
    def _parts_by_column(self) -> dict[str, Part]:
        return {part.column: part for part in self.parts}

    @cached_property
    def _by_column(self) -> dict[str, ColumnInfo]:
        return {info.column: info for info in self.infos}

    @property
    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that differ whenever columns or their meaning do."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def without(self, drop: Sequence[str]) -> "Plan":
        """Return the plan without columns, attributes with all made of them, and idle signals."""
        gone = frozenset(drop)
        kept = replace(
            self,
            features=tuple(f for f in self.features if f.column not in gone),
            attributes=tuple(a for a in self.attributes if not {a.column, a.source} & gone),
            stages=tuple(s for s in self.stages if s.column not in gone),
            account_leads=tuple(a for a in self.account_leads if a.column not in gone),
            accounts=tuple(a for a in self.accounts if a.column not in gone),
            rates=tuple(r for r in self.rates if not {r.column, r.source} & gone),
            ratios=tuple(r for r in self.ratios if not {r.column, r.of, r.to} & gone),
        )
        used = _used_signals((*kept.features, *kept.accounts))
        return replace(kept, signals=tuple(s for s in kept.signals if s.name in used))

    def to_json(self) -> str:
        """Return the plan as one line of JSON, the same text for the same plan."""
        return plan_json({part.name: getattr(self, part.name) for part in fields(self)})

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Return the plan that `to_json` wrote."""
        return cls(**plan_parts(text))


def make_plan(
    settings: PlanSettings,
    attributes: Sequence[Attribute],
    *,
    event_columns: Sequence[Column],
    engagement_attributes: Sequence[str] = (),
    drop: Sequence[str] = (),
    outcome: Outcome | None = None,
) -> Plan:
    """Return the plan that the settings describe.

    `event_columns` are the columns of the events contract and the log's
    properties. `drop` names columns, or attributes with all that is made of them.
    `outcome` is what the model predicts: rates of groups count it.

    Raises:
        ConfigError: with every fault of signals, features, ICP and names at once.
    """
    own = make_signals(settings.signals)
    signals = {ANY.name: ANY} | own
    features, line_faults = expand_features(settings.features, signals, event_columns)
    given = Given(attributes, engagement_attributes, outcome)
    whole = Plan(
        tuple(signals.values()),
        tuple(f for f in features if f.kind not in ACCOUNT_KINDS),
        attribute_features(attributes, settings.icp, engagement_attributes),
        settings.icp,
        stage_features(settings),
        account_leads(settings),
        tuple(f for f in features if f.kind in ACCOUNT_KINDS),
        rate_features(settings, given),
    )
    kept = whole.without(drop)
    ratios, ratio_faults = ratio_features(settings.ratios, {i.column: i for i in kept.infos})
    whole, kept = replace(whole, ratios=ratios), replace(kept, ratios=ratios).without(drop)
    faults = [
        *signal_faults(own, event_columns),
        *line_faults,
        *icp_faults(settings.icp),
        *attribute_faults(attributes, settings.icp, engagement_attributes),
        *table_faults(settings, given),
        *ratio_faults,
        *_same_name_faults(whole),
        *_drop_faults(drop, whole.columns, attributes),
    ]
    if faults:
        raise ConfigError(*faults)
    return kept


def _used_signals(features: Sequence[Feature]) -> frozenset[str]:
    among = (f.among.name for f in features if f.among is not None)
    return frozenset((*(f.signal.name for f in features), *among))


def _same_name_faults(plan: Plan) -> list[Fault]:
    made = frozenset(a.column for a in plan.attributes)
    counts = Counter(plan.columns)
    mend = "rename the attribute in the mapping of its source"
    return [
        Fault("two columns have this name", "", name, mend if name in made else "name it otherwise")
        for name, count in counts.items()
        if count > 1
    ]


def _drop_faults(
    drop: Sequence[str], columns: Sequence[str], attributes: Sequence[Attribute]
) -> list[Fault]:
    known = list(dict.fromkeys((*columns, *(a.name for a in attributes))))
    return [
        Fault("no such column to drop", "drop", f"{name!r}; {nearest(name, known)}")
        for name in drop
        if name not in known
    ]
