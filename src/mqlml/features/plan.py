"""The plan: the features of a model, in order, with a fingerprint; it travels in the bundle."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.features.attributes import attribute_faults, attribute_features
from mqlml.features.columns import AttributeFeature, ColumnInfo, Feature
from mqlml.features.expansion import expand_features
from mqlml.features.icp import icp_faults
from mqlml.features.settings import IcpSettings, PlanSettings
from mqlml.features.signal_checks import signal_faults
from mqlml.features.signals import ANY, Signal, make_signals
from mqlml.tables.contracts import Attribute, Column

# Changes whenever a feature of the same name would get other values.
MEANING_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """The columns of the feature matrix: event features first, then attribute features."""

    signals: tuple[Signal, ...] = ()
    features: tuple[Feature, ...] = ()
    attributes: tuple[AttributeFeature, ...] = ()
    icp: IcpSettings = field(default_factory=IcpSettings)

    @cached_property
    def infos(self) -> tuple[ColumnInfo, ...]:
        """Return what is known of each column, in the matrix's order."""
        return (*(f.info for f in self.features), *(a.info for a in self.attributes))

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the matrix's columns in order."""
        return tuple(info.column for info in self.infos)

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the names of the columns that hold categories."""
        return tuple(info.column for info in self.infos if info.dtype == "category")

    def describe(self, column: str) -> ColumnInfo:
        """Return what is known of `column`; a KeyError says that the plan has no such column."""
        return self._by_column[column]

    @cached_property
    def _by_column(self) -> dict[str, ColumnInfo]:
        return {info.column: info for info in self.infos}

    @property
    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that differ whenever columns or their meaning do."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the plan as one line of JSON, the same text for the same plan."""
        content = {
            "meaning_version": MEANING_VERSION,
            "signals": [asdict(signal) for signal in self.signals],
            "features": [asdict(f) | {"signal": f.signal.name} for f in self.features],
            "attributes": [asdict(a) for a in self.attributes],
            "icp": self.icp.model_dump(mode="json"),
        }
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Return the plan that `to_json` wrote."""
        content: dict[str, Any] = json.loads(text)
        signals = {s["name"]: Signal(**s) for s in content["signals"]}
        return cls(
            tuple(signals.values()),
            tuple(Feature(**f | {"signal": signals[f["signal"]]}) for f in content["features"]),
            tuple(AttributeFeature(**a) for a in content["attributes"]),
            IcpSettings.model_validate(content["icp"]),
        )


def make_plan(
    settings: PlanSettings,
    attributes: Sequence[Attribute],
    *,
    event_columns: Sequence[Column],
    engagement_attributes: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Plan:
    """Return the plan that the settings describe.

    `event_columns` are the columns of the events contract and the log's
    properties. `drop` names columns, or attributes with all that is made of them.

    Raises:
        ConfigError: with every fault of signals, features, ICP and names at once.
    """
    own = make_signals(settings.signals)
    signals = {ANY.name: ANY} | own
    features, line_faults = expand_features(settings.features, signals, event_columns)
    made = attribute_features(attributes, settings.icp, engagement_attributes)
    faults = [
        *signal_faults(own, event_columns),
        *line_faults,
        *icp_faults(settings.icp),
        *attribute_faults(attributes, settings.icp, engagement_attributes),
        *_same_name_faults(features, made),
        *_drop_faults(drop, [*(f.column for f in features), *(a.column for a in made)], attributes),
    ]
    if faults:
        raise ConfigError(*faults)
    kept = tuple(f for f in features if f.column not in drop)
    used = {f.signal.name for f in kept}
    return Plan(
        tuple(signal for name, signal in signals.items() if name in used),
        kept,
        tuple(a for a in made if a.column not in drop and a.source not in drop),
        settings.icp,
    )


def _same_name_faults(
    features: Sequence[Feature], attributes: Sequence[AttributeFeature]
) -> list[Fault]:
    seen, faults = {f.column for f in features}, []
    for attribute in attributes:
        if attribute.column in seen:
            mend = "rename the attribute in the mapping of its source"
            faults.append(Fault("two columns have this name", "", attribute.column, mend))
        seen.add(attribute.column)
    return faults


def _drop_faults(
    drop: Sequence[str], columns: Sequence[str], attributes: Sequence[Attribute]
) -> list[Fault]:
    known = list(dict.fromkeys((*columns, *(a.name for a in attributes))))
    return [
        Fault("no such column to drop", "drop", f"{name!r}; {nearest(name, known)}")
        for name in drop
        if name not in known
    ]
