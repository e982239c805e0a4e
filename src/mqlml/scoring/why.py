"""Why scores moved between two days, in parts that add up to the whole difference.

The way from the first day to the second is walked in four steps, in an order that can be
defended, because each step asks what would have become had nothing further happened:

1. **Time.** The second day comes and nothing is heard: events leave their windows
   (`left`), what remains lies longer back, decays, or falls into other weeks (`time`).
2. **News.** What became known in between is added: events (`entered`), attributes
   (`attribute`), and whatever else a plan looks at (`news`).
3. **Model.** The later model takes the place of the earlier one, in its log-odds before
   calibration, read by the earlier calibration (`model`).
4. **Calibration.** The later calibration takes the place of the earlier one.

Within the first two steps several groups of columns change at once, and what one of them
adds may depend on the others. Each group is given the mean of what it adds on the way
through the groups in their order and on the way back. Differences along a way always add
up, so the parts do; and where no more than two groups act together in a split of the
model, the mean is the Shapley value, which owes nothing to the order. (For additive models
such as the logistic one it is simply the difference of the contributions.) Comparing the two
days' contributions alone would be simpler, but would also credit columns that did not change,
and could tell neither time from news nor the lead from the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.features.columns import Feature
from mqlml.features.plan import Plan
from mqlml.modeling.model import CalibratedModel, Model
from mqlml.scoring.reasons import reason_groups
from mqlml.timeline import EVER

_Floats = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]

LEFT, TIME, ENTERED, ATTRIBUTE, NEWS = "left", "time", "entered", "attribute", "news"
MODEL, CALIBRATION = "model", "calibration"
PART_COLUMNS = ("row", "cause", "about", "log_odds")


@dataclass(frozen=True)
class Views:
    """The same leads by one plan, a row each: three matrices, and three of event counts.

    `before` is the first day, `waited` the second day had nothing been heard since, and
    `after` the second day. The counts are those of `counting_plan`.
    """

    before: pd.DataFrame
    waited: pd.DataFrame
    after: pd.DataFrame
    counts_before: pd.DataFrame
    counts_waited: pd.DataFrame
    counts_after: pd.DataFrame


@dataclass(frozen=True)
class _Group:
    """Cells that change together: columns, and for which rows each of them does."""

    cause: str
    about: str
    cells: dict[str, _Flags]


def counting_plan(plan: Plan) -> Plan:
    """Return the plan that counts the events of every signal, ever and in every window."""
    pairs = {
        (f.signal.name, window): f.signal for f in plan.features for window in (f.window, EVER)
    }
    features = tuple(Feature("count", signal, window) for (_, window), signal in pairs.items())
    names = {feature.signal.name for feature in features}
    return Plan(tuple(s for s in plan.signals if s.name in names), features)


def events_left(views: Views, feature: Feature) -> npt.NDArray[np.int64]:
    """Return per row how many events of the feature's signal left its window since."""
    name = Feature("count", feature.signal, feature.window).column
    lost = views.counts_before[name].to_numpy() - views.counts_waited[name].to_numpy()
    return np.asarray(lost, dtype=np.int64)


def events_entered(views: Views, feature: Feature) -> npt.NDArray[np.int64]:
    """Return per row how many events of the feature's signal became known since."""
    name = Feature("count", feature.signal, EVER).column
    came = views.counts_after[name].to_numpy() - views.counts_waited[name].to_numpy()
    return np.asarray(came, dtype=np.int64)


def parts_of_moves(
    before: Model, after: Model, plan: Plan, views: Views, later: pd.DataFrame
) -> pd.DataFrame:
    """Return why log-odds moved, PART_COLUMNS: `row` is the lead's place in the views.

    The parts of a row add up to `after.log_odds(later) - before.log_odds(views.before)`;
    parts of nought are left out.

    Args:
        before: the model of the first day.
        after: the model of the second day.
        plan: the plan of the earlier model, by which the views were made.
        views: the leads as the earlier model sees them.
        later: the leads on the second day by the plan of the later model.

    Raises:
        SchemaError: a matrix is not its plan's.
    """
    by_time = _time_groups(plan, views)
    by_news = _news_groups(plan, views)
    found = [
        *_walk(before, views.before, views.waited, by_time),
        *_walk(before, views.waited, views.after, by_news),
        *_model_parts(before, after, views.after, later),
    ]
    frame = pd.concat([_frame(*part) for part in found], ignore_index=True)
    return frame[frame["log_odds"] != 0].sort_values("row", kind="stable", ignore_index=True)


def _frame(cause: str, about: str, log_odds: _Floats) -> pd.DataFrame:
    rows = np.arange(len(log_odds))
    return pd.DataFrame({"row": rows, "cause": cause, "about": about, "log_odds": log_odds})


def _time_groups(plan: Plan, views: Views) -> list[_Group]:
    """Return what waiting changes: where an event left a column's window, and elsewhere."""
    changed = changed_cells(views.before, views.waited)
    features = {feature.column: feature for feature in plan.features}
    groups = []
    for about, columns in _topics(plan):
        left: dict[str, _Flags] = {}
        rest: dict[str, _Flags] = {}
        for column in (c for c in columns if c in changed):
            feature = features.get(column)
            none = np.zeros(len(views.before), dtype=np.bool_)
            gone = none if feature is None else events_left(views, feature) > 0
            left[column], rest[column] = changed[column] & gone, changed[column] & ~gone
        groups += [_Group(LEFT, about, left), _Group(TIME, about, rest)]
    return [group for group in groups if any(cells.any() for cells in group.cells.values())]


def _news_groups(plan: Plan, views: Views) -> list[_Group]:
    changed = changed_cells(views.waited, views.after)
    return [
        _Group(_cause(about), about, {c: changed[c] for c in columns if c in changed})
        for about, columns in _topics(plan)
        if any(column in changed for column in columns)
    ]


def _cause(about: str) -> str:
    if about.startswith("attribute "):
        return ATTRIBUTE
    return ENTERED if "signal " in about else NEWS


def _topics(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    """Return the plan's columns by what they are about, every column in one topic."""
    topics = [(group.name, group.columns) for group in reason_groups(plan)]
    named = {column for _, columns in topics for column in columns}
    rest = tuple(column for column in plan.columns if column not in named)
    return [*topics, ("other", rest)] if rest else topics


def changed_cells(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, _Flags]:
    """Return for each column with any change which rows differ; missing equals missing."""
    changed = {}
    for column in one.columns:
        differs = _differs(one[column], other[column])
        if differs.any():
            changed[str(column)] = differs
    return changed


def _differs(a: "pd.Series[Any]", b: "pd.Series[Any]") -> _Flags:
    if a.dtype == b.dtype == np.float64:
        left, right = a.to_numpy(), b.to_numpy()
        return np.asarray((left != right) & ~(np.isnan(left) & np.isnan(right)), np.bool_)
    return np.asarray((a.isna() != b.isna()) | (a.notna() & b.notna() & (a != b)), np.bool_)


def _walk(
    model: Model, start: pd.DataFrame, end: pd.DataFrame, groups: Sequence[_Group]
) -> list[tuple[str, str, _Floats]]:
    """Return what each group adds between `start` and `end`: the mean of both directions."""
    if not groups:
        return []
    there = _differences(model, start, end, groups)
    back = _differences(model, start, end, groups[::-1])[::-1]
    means = 0.5 * (there + back)
    return [(g.cause, g.about, mean) for g, mean in zip(groups, means, strict=True)]


def _differences(
    model: Model, start: pd.DataFrame, end: pd.DataFrame, groups: Sequence[_Group]
) -> _Floats:
    stations = [start]
    for group in groups:
        stations.append(_changed(stations[-1], end, group))
    log_odds = model.log_odds(pd.concat(stations, ignore_index=True))
    return np.diff(log_odds.reshape(len(stations), len(start)), axis=0)


def _changed(matrix: pd.DataFrame, end: pd.DataFrame, group: _Group) -> pd.DataFrame:
    values: dict[str, pd.Series[Any]] = {
        column: matrix[column].where(~cells, end[column]) for column, cells in group.cells.items()
    }
    return matrix.assign(**values)


def _model_parts(
    before: Model, after: Model, matrix: pd.DataFrame, later: pd.DataFrame
) -> list[tuple[str, str, _Floats]]:
    old, new = before.log_odds(matrix), after.log_odds(later)
    between = new
    if isinstance(before, CalibratedModel) and isinstance(after, CalibratedModel):
        between = before.calibration.apply(after.fitted.log_odds(later))
    return [(MODEL, MODEL, between - old), (CALIBRATION, CALIBRATION, new - between)]
