"""The plan of the benchmark: about a hundred features that SQL and data frames can say too."""

from dataclasses import dataclass
from typing import Any

from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType

SIGNALS = {
    "view": "type = 'page_view'",
    "open": "type = 'email_open'",
    "click": "type = 'email_click'",
    "form": "type = 'form_submit'",
    "download": "type = 'download'",
    "webinar": "type = 'webinar'",
    "pricing": "page IN ('/pricing', '/demo')",
    "case_study": "page = '/case-study'",
    "paid": "channel = 'paid'",
    "long_view": "type = 'page_view' AND duration_s > 120",
    "valued": "value > 50",
}
ALL = ("any", *SIGNALS)
WINDOWS = (7, 30, 90, 365)
ATTRIBUTES = (Attribute("industry", ColumnType.TEXT), Attribute("employees", ColumnType.NUMBER))


@dataclass(frozen=True)
class Asked:
    """One line of the plan: kinds × signals × windows in days."""

    kinds: tuple[str, ...]
    signals: tuple[str, ...]
    windows: tuple[Any, ...] = ("ever",)
    of: str | None = None


LINES = (
    Asked(("count",), ALL, WINDOWS),
    Asked(("days_since_last", "days_since_first"), ALL),
    Asked(("sum", "max"), ("any", "view", "paid"), WINDOWS, "value"),
    Asked(("active_days",), ("any",), WINDOWS),
)


def bench_plan(features: int | None = None) -> Plan:
    """Return the plan; with `features`, about so many by taking more windows."""
    lines = LINES if features is None else _stretched(features)
    settings = {
        "signals": {name: {"where": where} for name, where in SIGNALS.items()},
        "features": [
            {
                "kinds": list(line.kinds),
                "signals": list(line.signals),
                "windows_days": list(line.windows),
                "of": line.of,
            }
            for line in lines
        ],
    }
    return make_plan(
        PlanSettings.model_validate(settings), ATTRIBUTES, event_columns=EVENTS.columns
    )


def _stretched(features: int) -> tuple[Asked, ...]:
    fixed = sum(len(a.kinds) * len(a.signals) for a in LINES if len(a.windows) == 1)
    each = sum(len(a.kinds) * len(a.signals) for a in LINES if len(a.windows) > 1)
    windows = tuple(range(3, 3 + round((features - fixed) / each)))
    return tuple(
        Asked(a.kinds, a.signals, windows if len(a.windows) > 1 else a.windows, a.of) for a in LINES
    )


def event_features(plan: Plan) -> list[tuple[str, str, str, int | None, str | None]]:
    """Return (column, kind, signal, window in µs or None, of) of every event feature."""
    return [
        (f.column, f.kind, f.signal.name, None if f.column.endswith("ever") else f.window, f.of)
        for f in plan.features
    ]
