"""The plan as JSON and back; what a plan does not use leaves no trace in its text."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mqlml.features.columns import AttributeFeature, ColumnInfo, Feature
from mqlml.features.settings import IcpSettings
from mqlml.features.signals import Signal
from mqlml.features.table_features import (
    AccountLeads,
    Outcome,
    RateFeature,
    RatioFeature,
    StageFeature,
)

# Changes whenever a feature of the same name would get other values.
MEANING_VERSION = 1

# Came after plans were first written: named only where they are used, so that the text,
# hence the fingerprint, of plans without them is what it was.
_LATER_PARTS = ("stages", "account_leads", "accounts", "rates", "ratios")
_LATER_SETTINGS = ("cap", "among")


def plan_json(plan: Mapping[str, Any]) -> str:
    """Return the fields of a plan as one line of JSON, the same text for the same plan."""
    content: dict[str, Any] = {
        "meaning_version": MEANING_VERSION,
        "signals": [asdict(signal) for signal in plan["signals"]],
        "features": [_feature_values(f) for f in plan["features"]],
        "attributes": [asdict(a) for a in plan["attributes"]],
        "icp": plan["icp"].model_dump(mode="json"),
    }
    for name in _LATER_PARTS:
        if plan[name]:
            to_values = _feature_values if name == "accounts" else asdict
            content[name] = [to_values(part) for part in plan[name]]
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def plan_parts(text: str) -> dict[str, Any]:
    """Return the fields of the plan that `plan_json` wrote."""
    content: dict[str, Any] = json.loads(text)
    signals = {s["name"]: Signal(**s) for s in content["signals"]}

    def features(name: str) -> tuple[Feature, ...]:
        return tuple(_feature(values, signals) for values in content.get(name, ()))

    return {
        "signals": tuple(signals.values()),
        "features": features("features"),
        "attributes": tuple(AttributeFeature(**a) for a in content["attributes"]),
        "icp": IcpSettings.model_validate(content["icp"]),
        "stages": tuple(StageFeature(**s) for s in content.get("stages", ())),
        "account_leads": tuple(AccountLeads(**a) for a in content.get("account_leads", ())),
        "accounts": features("accounts"),
        "rates": tuple(
            RateFeature(**r | {"outcome": Outcome(**r["outcome"])})
            for r in content.get("rates", ())
        ),
        "ratios": tuple(
            RatioFeature(**r | {"info": ColumnInfo(**r["info"])}) for r in content.get("ratios", ())
        ),
    }


def _feature_values(feature: Feature) -> dict[str, Any]:
    values = asdict(feature) | {"signal": feature.signal.name}
    if feature.among is not None:
        values["among"] = feature.among.name
    return {k: v for k, v in values.items() if v is not None or k not in _LATER_SETTINGS}


def _feature(values: dict[str, Any], signals: dict[str, Signal]) -> Feature:
    among = {"among": signals[values["among"]]} if "among" in values else {}
    return Feature(**values | {"signal": signals[values["signal"]]} | among)
