"""Points and labels equal a slow, obvious loop over leads and weeks."""

import math
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import make_tables

from mqlml import timeline
from mqlml.dataset.points import open_points, training_points
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.tables.contracts import STAGE_ORDER

DAY = timeline.MICROS_PER_DAY
STAGES = ("lead", "mql", "sal", "sql", "opportunity", "customer", "disqualified", "recycled")

moments = st.integers(0, 80).map(lambda half_days: half_days * DAY // 2)
histories = st.lists(st.tuples(st.sampled_from(STAGES), moments), max_size=7)
leads = st.lists(st.tuples(moments, histories), max_size=5)
rules = st.builds(
    PointSettings,
    rule=st.sampled_from(["once", "weekly"]),
    after_days=st.sampled_from([0, 0.5, 3]),
    until_days=st.sampled_from([None, 7, 17]),
)
targets = st.builds(
    TargetSettings,
    stage=st.sampled_from(["mql", "sql", "customer"]),
    horizon_days=st.sampled_from([3.5, 7, 14]),
    reporting_lag_days=st.sampled_from([0, 1]),
)


def passed_at(history, stage):
    passing = STAGE_ORDER[STAGE_ORDER.index(stage) :]
    return min((when for name, when in history if name in passing), default=None)


def is_open(history, stage, as_of):
    passed = passed_at(history, stage)
    if passed is not None and passed < as_of:
        return False
    is_closed = False
    for name, _ in sorted((s for s in history if s[1] < as_of), key=lambda s: (s[1], s[0])):
        if name in {"disqualified", "recycled"}:
            is_closed = name == "disqualified"
    return not is_closed


def looks(created, rule, data_end):
    first = created + int(rule.after_days * DAY)
    if rule.rule == "once":
        return [first] if first <= data_end else []
    last = data_end
    if rule.until_days is not None:
        last = min(last, created + int(rule.until_days * DAY))
    return list(range(first, last + 1, 7 * DAY))


def slow_points(people, target, rule, data_end):
    horizon = int(target.horizon_days * DAY)
    rows = []
    for number, (created, history) in enumerate(people):
        seen = [t for t in looks(created, rule, data_end) if is_open(history, target.stage, t)]
        for as_of in seen:
            passed = passed_at(history, target.stage)
            label = float(passed is not None and as_of <= passed < as_of + horizon)
            if as_of + horizon + int(target.reporting_lag_days * DAY) > data_end:
                label = None
            never = timeline.NEVER if passed is None else passed
            rows.append((as_of, f"L{number}", seen[0], label, never))
    return sorted(rows, key=lambda row: row[:2])


def made(people, data_end):
    folder = Path(tempfile.mkdtemp())
    return make_tables(
        folder,
        leads=[{"lead_id": f"L{i}", "created_at": c} for i, (c, _) in enumerate(people)][::-1],
        stages=[
            {"lead_id": f"L{i}", "stage": stage, "entered_at": when}
            for i, (_, history) in enumerate(people)
            for stage, when in history
        ],
        data_end=data_end,
    )


@settings(max_examples=120, deadline=None)
@given(people=leads, target=targets, rule=rules, data_end=moments)
def test_training_points_equal_the_slow_loop(people, target, rule, data_end):
    points = training_points(made(people, data_end), target, rule)
    rows = [
        (as_of, lead, cohort, None if math.isnan(label) else label, converted)
        for lead, as_of, cohort, label, converted in points.itertuples(index=False)
    ]
    assert rows == slow_points(people, target, rule, data_end)


@settings(max_examples=60, deadline=None)
@given(people=leads, target=targets, as_of=moments)
def test_open_points_equal_the_slow_loop(people, target, as_of):
    found = open_points(made(people, 80 * DAY), target, PointSettings(), as_of=as_of)
    expected = [
        f"L{i}"
        for i, (created, history) in enumerate(people)
        if created <= as_of and is_open(history, target.stage, as_of)
    ]
    assert found["lead_id"].tolist() == expected
