"""Are the leads, or the data about them, of another kind than before?

Leads of one week are alike and the same leads come back every week, so rows are
not independent and tests over rows cry wolf. One figure per week and column is;
its own scatter and trend from week to week say what is usual.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.evidence import Change, Floats, Reference, ScoredHistory, week_of, week_start
from mqlml.monitoring.settings import MonitoringSettings

FEWEST_REFERENCE_WEEKS = 12
_LEVELS = 5
_MOST_COLUMNS = 6
_MOST_CARRY_OVER = 0.8
# A share that never moved may still move by a little: half a point is not a break.
_LEAST_SCATTER = 0.005
_COLUMNS = ["column", "sentence", "statistic", "reference", "current", "p_value", "shifted"]
_ACTS = {
    "instrumentation": "look at the source of these columns: tracking or a field may be broken",
    "covariate": "look at campaigns and sources; the model holds until conversions say otherwise",
}


def input_shifts(
    history: ScoredHistory, reference: Reference, settings: MonitoringSettings
) -> tuple[pd.DataFrame, tuple[Change, ...], tuple[str, ...]]:
    """Return the table of inputs, the changes among them, and what could not be judged.

    The current period are the last `current_days`; a column has shifted when its
    weekly figure lies off its own trend in every current week, so far that luck
    would do it with `alarm_p_value` among all columns together.
    """
    weeks = week_of(history.as_of, history.data_end)
    current = -max(
        1, round(settings.current_days * timeline.MICROS_PER_DAY / timeline.MICROS_PER_WEEK)
    )
    used = _used_weeks(weeks, settings.min_points)
    is_past, is_current = used < current, used >= current
    if is_past.sum() < FEWEST_REFERENCE_WEEKS or not is_current.any():
        found = (
            f"{int(is_past.sum())} weeks of at least {settings.min_points} leads to compare with"
        )
        return pd.DataFrame(columns=_COLUMNS), (), (f"inputs not judged: {found}",)
    rows = [
        _tested(figures, used, is_current) | {"column": column, "statistic": statistic}
        for column, statistic, figures in _weekly_figures(history, reference, weeks, used)
    ]
    table = pd.DataFrame(rows)
    table["p_value"] = np.minimum(1.0, table["p_value"] * len(table))
    table["shifted"] = (table["p_value"] < settings.alarm_p_value) & table["lasts"]
    table["sentence"] = [reference.plan.describe(name).sentence for name in table["column"]]
    table = table.sort_values(["p_value", "column", "statistic"], kind="stable", ignore_index=True)
    changes = tuple(_changes(table[table["shifted"]], history.data_end))
    return table[[*_COLUMNS, "since"]], changes, ()


def _used_weeks(weeks: npt.NDArray[np.int64], fewest: int) -> npt.NDArray[np.int64]:
    numbers, counts = np.unique(weeks, return_counts=True)
    return np.asarray(numbers[counts >= fewest])


def _weekly_figures(
    history: ScoredHistory,
    reference: Reference,
    weeks: npt.NDArray[np.int64],
    used: npt.NDArray[np.int64],
) -> Iterator[tuple[str, str, Floats]]:
    """Yield column, statistic, and its figure in each used week; what never varies is left out."""
    known = reference.facts.get("reference", {}).get("columns", {})
    categories = set(reference.plan.categories)
    for column in reference.plan.columns:
        values = history.matrix[column]
        for statistic, per_row in _statistics(values, column in categories, known.get(column)):
            means = pd.Series(per_row).groupby(weeks).mean().reindex(used)
            figures: Floats = np.asarray(means, dtype=np.float64)
            if np.ptp(np.nan_to_num(figures)) > 0:
                yield column, statistic, figures


def _statistics(
    values: "pd.Series[Any]", is_category: bool, known: Mapping[str, Any] | None
) -> Iterator[tuple[str, Floats]]:
    yield "share missing", np.asarray(values.isna(), dtype=np.float64)
    if is_category:
        frequent = (known or {}).get("levels") or sorted(values.value_counts().index)
        for level in list(frequent)[:_LEVELS]:
            yield f"share of {level}", (values == level).to_numpy(dtype=np.float64)
        return
    numbers = values.to_numpy(dtype=np.float64)
    edges = (known or {}).get("edges") or _edges(numbers)
    if len(edges):
        # Ranked among the training rows from 0 to 1: the figure does not care for tails.
        steps = np.searchsorted(np.asarray(edges), numbers, side="right") / len(edges)
        yield "mean rank", np.where(np.isnan(numbers), np.nan, steps)


def _edges(numbers: Floats) -> list[float]:
    seen = numbers[~np.isnan(numbers)]
    return np.unique(np.quantile(seen, np.arange(1, 10) / 10)).tolist() if len(seen) else []


def _tested(
    figures: Floats, weeks: npt.NDArray[np.int64], is_current: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return how far the current weeks lie off the past ones' line, and since when."""
    from scipy.special import stdtr

    seen = ~np.isnan(figures)
    past, now = seen & ~is_current, seen & is_current
    nothing = {"reference": np.nan, "current": np.nan, "p_value": 1.0, "lasts": False, "since": 0}
    if past.sum() < FEWEST_REFERENCE_WEEKS or not now.any():
        return nothing
    x = weeks - weeks[past].mean()
    slope = float((x[past] * figures[past]).sum() / (x[past] ** 2).sum())
    off = figures - figures[past].mean() - slope * x
    freedom = int(past.sum()) - 2
    scatter = max(float(np.sqrt((off[past] ** 2).sum() / freedom)), _LEAST_SCATTER)
    carried = _carry_over(off[past])
    ahead = 1 / now.sum() + 1 / past.sum() + float(x[now].mean()) ** 2 / float((x[past] ** 2).sum())
    error = scatter * np.sqrt(ahead * (1 + carried) / (1 - carried))
    gap = float(off[now].mean())
    same_side = np.sign(off) == np.sign(gap)
    # Weeks that carry over to the next one are fewer independent ones.
    independent = max(4.0, freedom * (1 - carried) / (1 + carried))
    return {
        "reference": float(figures[past].mean()),
        "current": float(figures[now].mean()),
        "p_value": float(2 * stdtr(independent, -abs(gap) / error)),
        "lasts": bool(same_side[now].all()),
        "since": _since(weeks, seen & same_side & (np.abs(off) > 2 * scatter)),
    }


def _carry_over(off: Floats) -> float:
    """Return the correlation of neighbouring weeks, corrected for what a fitted line hides."""
    total = float((off**2).sum())
    raw = float((off[1:] * off[:-1]).sum()) / total if total > 0 else 0.0
    return float(np.clip(raw + (1 + 4 * raw) / len(off), 0.0, _MOST_CARRY_OVER))


def _since(weeks: npt.NDArray[np.int64], is_off: npt.NDArray[np.bool_]) -> int:
    """Return the first week of the unbroken run of weeks that are off, up to the last week."""
    on = np.flatnonzero(~is_off)
    first = int(on[-1]) + 1 if len(on) else 0
    return int(weeks[min(first, len(weeks) - 1)])


def _changes(shifted: pd.DataFrame, data_end: int) -> Iterator[Change]:
    """Yield one change per kind and, so that one cause is one change, over all its columns."""
    from scipy.special import ndtri

    is_broken = (shifted["statistic"] == "share missing") | (shifted["current"] == 0)
    for kind, rows in (("instrumentation", shifted[is_broken]), ("covariate", shifted[~is_broken])):
        if rows.empty:
            continue
        first = rows.iloc[0]
        others = f", and {len(rows) - 1} more figures" if len(rows) > 1 else ""
        yield Change(
            kind="instrumentation" if kind == "instrumentation" else "covariate",
            since=week_start(int(first["since"]), data_end),
            columns=tuple(dict.fromkeys(rows["column"]))[:_MOST_COLUMNS],
            segment=None,
            evidence=(
                f"{first['statistic']} of {first['sentence']}: "
                f"{first['reference']:.3g} before, {first['current']:.3g} now{others}"
            ),
            act=_ACTS[kind],
            strength=float(-ndtri(max(float(first["p_value"]), 1e-300) / 2)),
        )
