"""What sales accepts, as an early sign: verdicts come weeks before conversions."""

import numpy as np
import pandas as pd

from mqlml.features.plan import Plan
from mqlml.monitoring.directions import axis_directions, column_directions
from mqlml.monitoring.evidence import Change, Reference, ScoredHistory, week_start
from mqlml.monitoring.residuals import verdict_residuals
from mqlml.monitoring.scan import Scan, scan_weeks
from mqlml.monitoring.settings import MonitoringSettings

# Sales' acceptance is not predicted by the model: any slope is as good as another.
_ANY_LEAN = 2.0
_MOST_COLUMNS = 6
_NAMED_AT = 0.05
_FEWEST_ACCEPTED = 20
_ACT = "retrain on leads since the change; look over the ICP and criteria with sales"


def verdict_change(
    history: ScoredHistory, reference: Reference, settings: MonitoringSettings
) -> tuple[Change | None, str]:
    """Return a change of what sales accepts, or why it cannot be judged.

    Without verdicts before a change, none can be seen.
    """
    residuals = verdict_residuals(history)
    if residuals.observed < _FEWEST_ACCEPTED:
        return None, f"only {residuals.observed:.0f} accepted leads: too few to judge verdicts"
    axes = axis_directions(history.scores, residuals.row)
    columns, owners = column_directions(history.matrix, reference.plan.categories, residuals.row)
    scan = scan_weeks(residuals, pd.concat([axes, columns], axis=1), prior_sd=_ANY_LEAN)
    if scan is None:
        return None, ""
    tested = [np.array([1, 2]), np.arange(3, len(scan.names))]
    tested = [d for d in tested if len(d) and scan.p_value(d) < settings.alarm_p_value / 2]
    if not tested:
        return None, ""
    place, direction = scan.strongest(min(tested, key=scan.p_value))
    first, last = scan.likely_weeks(direction)
    return Change(
        kind="concept",
        since=week_start(int(scan.weeks[place]), history.data_end),
        columns=_columns_at(scan, place, owners),
        segment=None,
        evidence="sales accepts other leads than before: "
        + _lean_words(scan, (place, direction), reference.plan),
        act=_ACT,
        strength=float(abs(scan.z[place, direction])),
        earliest=week_start(first, history.data_end),
        latest=week_start(last, history.data_end),
        proposal="retrain",
    ), ""


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
