"""The table of goals of drift, filled from the worlds that were played."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Seen = dict[str, Any]
_WEEKS_A_YEAR = 52.0
# A change that was never found counts as later than any week that was looked at.
_NEVER = 99.0
_RESAMPLED = 400
INSTRUMENTATION = ("tag_lost", "field_renamed", "unit_changed")
PRIORS = ("prior", "prior_up")


def table_rows(seen: Sequence[Seen]) -> Iterator[dict[str, Any]]:
    """Yield the rows: name, value, low, high (90 % by resampling), n, unit, goal, met."""
    for leads in (300, 100):
        own = [s for s in seen if s["leads"] == leads]
        if own:
            yield from _rows_of_size(own, leads)


def _rows_of_size(seen: Sequence[Seen], leads: int) -> Iterator[dict[str, Any]]:
    at = f"{leads} leads a week"
    still = [s for s in seen if s["world"] == "none"]
    yield _row(f"false alarms a year, nothing changed, {at}", still, _per_year, most=0.5)
    most: dict[tuple[str, int], tuple[float | None, float | None]] = {
        ("concept", 300): (7, 10),
        ("prior", 300): (7, 10),
        ("definition", 300): (9, None),
        ("bot_opens", 300): (2, None),
        ("campaign", 300): (13, None),
        ("concept", 100): (16, None),
        ("prior", 100): (12, None),
    }
    for name, own in _by_world(seen).items():
        if name == "none":
            continue
        median, p90 = most.get((name, leads), (None, None))
        yield _row(f"weeks to alarm, median: {name}, {at}", own, _delay(0.5), most=median)
        yield _row(f"weeks to alarm, 90 %: {name}, {at}", own, _delay(0.9), most=p90)
    if leads == 300:
        yield from _named_rows(seen)


def _named_rows(seen: Sequence[Seen]) -> Iterator[dict[str, Any]]:
    least = {"concept": 0.9, "prior": 0.9, "definition": 0.9, "campaign": 0.9}
    for name, own in _by_world(seen).items():
        if name == "none":
            continue
        yield _row(f"kind named 4 weeks after the alarm: {name}", own, _kind("4"), least.get(name))
        if name == "sales_cycle":
            yield _row(f"kind named 8 weeks after the alarm: {name}", own, _kind("8"), 0.65)
        yield _row(f"date within 2 weeks: {name}", own, _dated)
    sudden = {"concept", *PRIORS, "definition", "campaign", "sales_cycle", "selection"}
    sudden |= {*INSTRUMENTATION, "bot_opens", "new_market"}
    together = [s for s in seen if s["world"] in sudden]
    yield _row("date within 2 weeks, all sudden changes", together, _dated, 0.85)
    broken = [s for s in seen if s["world"] in INSTRUMENTATION]
    yield _row("changed column named when tracking breaks", broken, _column_named, 0.95)


def _by_world(seen: Sequence[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for s in seen:
        name = "prior" if s["world"] in PRIORS else s["world"]
        found.setdefault(name, []).append(s)
    return dict(sorted(found.items()))


def _row(
    name: str,
    seen: Sequence[Seen],
    figure: Callable[[Sequence[Seen]], float],
    least: float | None = None,
    *,
    most: float | None = None,
) -> dict[str, Any]:
    value = figure(seen) if seen else float("nan")
    low, high = _interval(seen, figure)
    goal = f"≤ {most:g}" if most is not None else f"≥ {least:g}" if least is not None else ""
    met = None
    if goal and np.isfinite(value):
        met = bool(value <= most) if most is not None else bool(value >= (least or 0))
    clean = [float(v) if np.isfinite(v) else None for v in (value, low, high)]
    facts = {"name": name, "value": clean[0], "low": clean[1], "high": clean[2], "n": len(seen)}
    return facts | {"unit": "", "goal": goal, "met": met}


def _interval(
    seen: Sequence[Seen], figure: Callable[[Sequence[Seen]], float]
) -> tuple[float, float]:
    if len(seen) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(1)
    drawn = [
        figure([seen[i] for i in rng.integers(0, len(seen), len(seen))]) for _ in range(_RESAMPLED)
    ]
    finite = [value for value in drawn if np.isfinite(value)]
    if not finite:
        return float("nan"), float("nan")
    return float(np.quantile(finite, 0.05)), float(np.quantile(finite, 0.95))


def _per_year(seen: Sequence[Seen]) -> float:
    weeks = sum(s["quiet_weeks"] for s in seen)
    return float(sum(s["false_alarms"] for s in seen) / weeks * _WEEKS_A_YEAR)


def _delay(share: float) -> Callable[[Sequence[Seen]], float]:
    def figure(seen: Sequence[Seen]) -> float:
        delays = [_NEVER if s["delay"] is None else float(s["delay"]) for s in seen]
        return float(np.quantile(delays, share, method="higher"))

    return figure


def _kind(later: str) -> Callable[[Sequence[Seen]], float]:
    def figure(seen: Sequence[Seen]) -> float:
        hits = [s["named"][later]["kind"] == s["kind"] for s in seen if later in s["named"]]
        return float(np.mean(hits)) if hits else float("nan")

    return figure


def _dated(seen: Sequence[Seen]) -> float:
    offs = [s["named"]["4"]["off_weeks"] for s in seen if "4" in s["named"]]
    hits = [off is not None and abs(off) <= 2 for off in offs]
    return float(np.mean(hits)) if hits else float("nan")


def _column_named(seen: Sequence[Seen]) -> float:
    hits = [set(s["columns"]) <= set(s["named"]["4"]["columns"]) for s in seen if "4" in s["named"]]
    return float(np.mean(hits)) if hits else float("nan")
