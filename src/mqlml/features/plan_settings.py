"""From a plan back to the settings that make it, in few lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mqlml.features.columns import Feature
from mqlml.features.plan import Plan
from mqlml.features.settings import PlanSettings
from mqlml.features.signals import Signal
from mqlml.features.windows import MICROS_PER_MINUTE, days_of

_NO_SIGNAL = Signal("", "", "")


def settings_of(plan: Plan, settings: PlanSettings) -> dict[str, Any]:
    """Return the section `plan` as YAML values, so that it makes the plan's features again.

    Signals and the ideal customer are those of `settings`; signals that nothing reads are
    left out.
    """
    used = {s.name for s in plan.signals}
    signals = {
        name: signal.model_dump(exclude_defaults=True)
        for name, signal in settings.signals.items()
        if name in used
    }
    content = {
        "icp": {k: _listed(v) for k, v in settings.icp.model_dump(exclude_defaults=True).items()},
        "signals": signals,
        "features": list(_lines((*plan.features, *plan.accounts))),
        "stages": [stage.stage or "change" for stage in plan.stages],
        "account_leads": _windows([a.window for a in plan.account_leads]),
        "rates": _rates(plan),
        "ratios": [_ratio(r.of, r.to, r.column) for r in plan.ratios],
    }
    return {name: value for name, value in content.items() if value}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _windows(spans: Sequence[int]) -> dict[str, Any]:
    return {"windows_days": [days_of(span) for span in spans]} if spans else {}


def _rates(plan: Plan) -> dict[str, Any]:
    """Return the rates; each attribute gets every window that one of them has."""
    if not plan.rates:
        return {}
    sources: dict[str, list[str]] = {}
    for rate in plan.rates:
        named = sources.setdefault("verdicts" if rate.is_of_verdicts else "of", [])
        named += [] if rate.source in named else [rate.source]
    windows = list(dict.fromkeys(rate.window for rate in plan.rates))
    return {**sources, "strength": plan.rates[0].strength, **_windows(windows)}


def _ratio(of: str, to: str, column: str) -> dict[str, str]:
    named = {} if column == f"{of}__per__{to}" else {"name": column}
    return {"of": of, "to": to, **named}


def _lines(features: Sequence[Feature]) -> Iterator[dict[str, Any]]:
    """Yield lines: windows of one measurement, then signals of equal windows, then kinds."""
    windows: dict[tuple[Feature, str], list[int]] = {}
    for feature in features:
        windows.setdefault((_measured(feature), feature.signal.name), []).append(feature.window)
    signals: dict[tuple[Feature, tuple[int, ...]], list[str]] = {}
    for (measured, signal), several in windows.items():
        signals.setdefault((measured, tuple(sorted(several))), []).append(signal)
    kinds: dict[tuple[str, tuple[int, ...], tuple[str, ...]], list[Feature]] = {}
    for (measured, spans), names in signals.items():
        kinds.setdefault((str(_options(measured)), spans, tuple(names)), []).append(measured)
    for (_, spans, joined), members in kinds.items():
        yield {
            "kinds": [measured.kind for measured in members],
            "signals": list(joined),
            **_windows(spans),
            **_options(members[0]),
        }


def _measured(feature: Feature) -> Feature:
    """Return the feature without its signal and window: all of one kind are equal then."""
    return Feature(
        feature.kind,
        _NO_SIGNAL,
        0,
        feature.of,
        feature.half_life,
        feature.cap,
        feature.among,
    )


def _options(measured: Feature) -> Mapping[str, Any]:
    options = {
        "of": measured.of if measured.cap is None else None,
        "half_life_days": days_of(measured.half_life) if measured.half_life else None,
        "cap_minutes": measured.cap // MICROS_PER_MINUTE if measured.cap else None,
        "among": measured.among.name if measured.among else None,
    }
    return {name: value for name, value in options.items() if value is not None}
