"""Did what makes leads convert, or how many do, change? Conversions first, verdicts early."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.features.plan import Plan
from mqlml.modeling.metrics import wilson_interval
from mqlml.monitoring.directions import axis_directions, column_directions
from mqlml.monitoring.evidence import Change, Ints, Reference, ScoredHistory, week_of, week_start
from mqlml.monitoring.residuals import (
    Residuals,
    conversion_residuals,
    delay_of,
    has_enough,
    verdict_residuals,
)
from mqlml.monitoring.scan import Scan, scan_weeks
from mqlml.monitoring.settings import MonitoringSettings

# Log-odds by which a sound model may lean on leads it has not seen, per deviation.
_MODEL_LEAN = 0.3
# Sales' acceptance is not predicted by the model: any slope is as good as another.
_ANY_LEAN = 2.0
_MOST_COLUMNS = 6
_NAMED_AT = 0.05

_ACTS = {
    "concept": "retrain on leads since the change; look over the ICP and criteria with sales",
    "prior": "recalibrate; if the cause is not known, look at volume, campaigns and follow-up",
}


def outcome_changes(
    history: ScoredHistory, reference: Reference, settings: MonitoringSettings
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Return changes of concept or base rate, and what could not be judged, in words."""
    warnings = []
    delay = delay_of(history, reference.facts)
    residuals = conversion_residuals(history, delay)
    found = None
    if has_enough(residuals):
        found = _conversion_change(history, residuals, reference, settings)
    else:
        warnings.append(
            f"only {residuals.observed:.0f} conversions since training: "
            "too few to judge base rate and concept"
        )
    verdicts = verdict_residuals(history)
    early = None
    if has_enough(verdicts):
        early = _verdict_change(history, verdicts, reference, settings)
    else:
        warnings.append(f"only {verdicts.observed:.0f} accepted leads: too few to judge verdicts")
    changes = [change for change in (found, early) if change is not None]
    if len(changes) == 2 and found is not None and found.kind == "concept":
        changes = [_merged(*changes)]
    return tuple(changes), tuple(warnings)


def _conversion_change(
    history: ScoredHistory,
    residuals: Residuals,
    reference: Reference,
    settings: MonitoringSettings,
) -> Change | None:
    axes = axis_directions(history.scores, residuals.row)
    columns, owners = column_directions(history.matrix, reference.plan.categories, residuals.row)
    scan = scan_weeks(residuals, pd.concat([axes, columns], axis=1), prior_sd=_MODEL_LEAN)
    if scan is None:
        return None
    level, parts = np.array([0]), np.array([1, 2])
    features = np.arange(3, len(scan.names))
    limit = settings.alarm_p_value / 2
    concept = [d for d in (parts, features) if len(d) and scan.p_value(d) < limit]
    if concept:
        tested = min(concept, key=scan.p_value)
        place, direction = scan.strongest(tested)
        names = _columns_at(scan, place, owners)
        change = _change(history, scan, ("concept", place, direction))
        lean = _lean_words(scan, (place, direction), reference.plan)
        evidence = f"conversions no longer follow the score: {lean}"
        return _with(change, evidence, names)
    if scan.p_value(level) < limit:
        place, direction = scan.strongest(level)
        change = _change(history, scan, ("prior", place, direction))
        more = "more" if scan.slope[place, 0] > 0 else "fewer"
        return _with(change, f"{more} conversions than expected, across all leads", ())
    return None


def _verdict_change(
    history: ScoredHistory,
    residuals: Residuals,
    reference: Reference,
    settings: MonitoringSettings,
) -> Change | None:
    """Return a change of what sales accepts; without verdicts before it, none can be seen."""
    axes = axis_directions(history.scores, residuals.row)
    columns, owners = column_directions(history.matrix, reference.plan.categories, residuals.row)
    scan = scan_weeks(residuals, pd.concat([axes, columns], axis=1), prior_sd=_ANY_LEAN)
    if scan is None:
        return None
    tested = [np.array([1, 2]), np.arange(3, len(scan.names))]
    tested = [d for d in tested if len(d) and scan.p_value(d) < settings.alarm_p_value / 2]
    if not tested:
        return None
    place, direction = scan.strongest(min(tested, key=scan.p_value))
    change = _change(history, scan, ("concept", place, direction))
    lean = _lean_words(scan, (place, direction), reference.plan)
    evidence = f"sales accepts other leads than before: {lean}"
    return _with(change, evidence, _columns_at(scan, place, owners))


def _columns_at(
    scan: Scan, place: int, owners: "np.ndarray[tuple[int], np.dtype[np.object_]]"
) -> tuple[str, ...]:
    """Return the columns that lean after the change, strongest first, at most six."""
    from scipy.special import ndtri

    offset = len(scan.names) - len(owners)
    strength = pd.Series(np.abs(scan.z[place, offset:]), index=owners)
    best = strength.groupby(level=0).max().sort_values(ascending=False, kind="stable")
    cut = -ndtri(_NAMED_AT / 2 / max(len(strength), 1))
    named = best[best >= cut].head(_MOST_COLUMNS).index
    return tuple(str(name) for name in (named if len(named) else best.head(1).index))


def _lean_words(scan: Scan, at: tuple[int, int], plan: Plan) -> str:
    less = "less" if scan.z[at] < 0 else "more"
    name = _direction_words(scan.names[at[1]], plan)
    return f"{name} counts {less} than it did ({abs(scan.z[at]):.1f} standard errors)"


def _direction_words(name: str, plan: Plan) -> str:
    """Return a direction as the plan says it, the level of a category with it."""
    if name in {"fit", "engagement"}:
        return f"the {name} part of the score"
    column, sign, level = name.partition(" = ")
    return f"'{plan.describe(column).sentence}{sign}{level.replace('_', ' ')}'"


def _change(history: ScoredHistory, scan: Scan, found: tuple[str, int, int]) -> Change:
    kind, place, direction = found
    first, last = scan.likely_weeks(direction)
    return Change(
        kind="concept" if kind == "concept" else "prior",
        since=week_start(int(scan.weeks[place]), history.data_end),
        columns=(),
        segment=None,
        evidence="",
        act=_ACTS[kind],
        strength=float(abs(scan.z[place, direction])),
        earliest=week_start(first, history.data_end),
        latest=week_start(last, history.data_end),
    )


def _with(change: Change, evidence: str, columns: tuple[str, ...]) -> Change:
    return replace(change, evidence=evidence, columns=columns)


def _merged(conversions: Change, verdicts: Change) -> Change:
    """Return one change for two signs of the same: dated and led by the stronger evidence."""
    strong, weak = sorted((conversions, verdicts), key=lambda change: -change.strength)
    columns = dict.fromkeys((*strong.columns, *weak.columns))
    return _with(strong, f"{strong.evidence}; {weak.evidence}", tuple(columns)[:_MOST_COLUMNS])


def weekly_rates(history: ScoredHistory) -> pd.DataFrame:
    """Return week, leads, expected, observed, low, high of scores by week of scoring.

    `observed` is the conversion rate within the horizon, NaN until the whole week
    is mature; low and high are its 95 % interval.
    """
    frame = pd.DataFrame(
        {
            "number": week_of(history.as_of, history.data_end),
            "p": history.scores["probability"].to_numpy(dtype=np.float64),
            "y": np.asarray(
                timeline.is_in_horizon(history.converted_at, history.as_of, history.horizon), float
            ),
        }
    )
    by = frame.groupby("number", sort=True)
    weekly = by.agg(leads=("p", "size"), expected=("p", "mean"), observed=("y", "mean"))
    starts: Ints = np.array([week_start(int(n), history.data_end) for n in weekly.index], np.int64)
    ends = starts + timeline.MICROS_PER_WEEK
    mature = np.asarray(timeline.is_mature(ends, history.horizon, 0, history.data_end), dtype=bool)
    observed = np.where(mature, weekly["observed"].to_numpy(float), np.nan)
    low, high = wilson_interval(observed, weekly["leads"].to_numpy(dtype=np.float64))
    weekly = weekly.assign(observed=observed, low=low, high=high).reset_index(drop=True)
    weekly.insert(0, "week", starts)
    return weekly
