"""What must hold for any tables, plan and points: engines agree, the future is never seen."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import at, make_points, make_tables

from mqlml.engines.local import LocalEngine
from mqlml.features.expansion import expand_features
from mqlml.features.plan import Plan, make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import FeatureSettings, PlanSettings
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType, Known, Tables
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_WEEK

Rows = Sequence[dict[str, Any]]

START = at("2026-01-01")
LEADS = ("ann", "bob", "cleo", "dan")
SIGNALS = {
    "webinar": {"where": "type = 'webinar'"},
    "pricing": {"where": "type = 'page_view' AND page IN ('/pricing', '/demo')"},
    "costly": {"where": "value > 1"},
    "unknown_page": {"where": "page IS NULL"},
}
SPECS = (
    Attribute("job_title", ColumnType.TEXT),
    Attribute("size", ColumnType.TEXT),
    Attribute("budget", ColumnType.NUMBER),
    Attribute("newsletter", ColumnType.FLAG),
    Attribute("industry", ColumnType.TEXT, Known.DATED),
)
ICP = {
    "title": "job_title",
    "size": "size",
    "size_min": 50,
    "seniorities": ["vp", "c_level"],
    "industry": "industry",
    "industries": ["steel"],
}
# Checked once; the plans drawn differ from it in their features only.
BASE = make_plan(
    PlanSettings.model_validate(
        {
            "signals": SIGNALS,
            "features": [{"kinds": ["count"], "signals": ["any", *SIGNALS]}],
            "icp": ICP,
        }
    ),
    SPECS,
    event_columns=EVENTS.columns,
)
WITHOUT_COLUMN = ("count", "active_days", "days_since_last", "days_since_first", "sessions")
OF_NUMBERS = ("sum", "mean", "max", "min", "last_value")

# Few different instants, so that ties and exact boundaries are common.
times = st.one_of(
    st.integers(0, 60).map(lambda day: START + day * MICROS_PER_DAY),
    st.integers(0, 60 * 48).map(lambda half: START + half * MICROS_PER_HOUR // 2),
    st.integers(0, 60 * MICROS_PER_DAY).map(lambda micros: START + micros),
)
delays = st.sampled_from([0, 0, 0, -1, 1, MICROS_PER_DAY, -MICROS_PER_DAY, 20 * MICROS_PER_DAY])
numbers = st.one_of(
    st.none(),
    st.sampled_from([0.1, 0.2, 1e16, -1e16, 0.0, 5.0]),
    st.floats(-100, 100),
)


@st.composite
def event_rows(draw: st.DrawFn) -> dict[str, Any]:
    occurred_at = draw(times)
    return {
        "lead_id": draw(st.sampled_from(LEADS)),
        "occurred_at": occurred_at,
        "arrived_at": occurred_at + draw(delays),
        "type": draw(st.sampled_from(["webinar", "page_view", "émail 🚀"])),
        "page": draw(st.sampled_from([None, "/pricing", "/demo", "/Demo", ""])),
        "value": draw(numbers),
        "duration_s": draw(numbers),
        "is_bot": draw(st.sampled_from([False, False, False, None, True])),
    }


@st.composite
def events_of_leads(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = draw(st.lists(event_rows(), max_size=25))
    ids = draw(st.permutations(range(len(rows))))
    return [row | {"event_id": f"e{number}"} for row, number in zip(rows, ids, strict=True)]


lead_rows = st.fixed_dictionaries(
    {
        "created_at": times,
        "job_title": st.sampled_from([None, "VP Sales", "cto", "🚀", ""]),
        "size": st.sampled_from([None, "51-200", "1,234", "few"]),
        "budget": numbers,
        "newsletter": st.sampled_from([None, True, False]),
    }
)
# dan has events and points but may be no lead
lead_tables = st.tuples(lead_rows, lead_rows, lead_rows).map(
    lambda rows: [{"lead_id": name} | row for name, row in zip(LEADS, rows, strict=False)]
)
dated_rows = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from(LEADS),
        "name": st.just("industry"),
        "value": st.sampled_from([None, " Steel", "steel", "Food"]),
        "known_at": times,
    }
)
point_lists = st.lists(
    st.tuples(st.sampled_from([*LEADS, "nobody"]), times), min_size=1, max_size=8
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = st.lists(st.sampled_from(["any", *SIGNALS]), min_size=1, max_size=3, unique=True)
    windows = st.lists(
        st.sampled_from([0.5, 1, 7, 21, 30, "ever"]), min_size=1, max_size=3, unique=True
    )

    def line(kinds: Sequence[str], **more: Any) -> dict[str, Any]:
        asked = st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True)
        chosen = {"kinds": draw(asked), "signals": draw(names), "windows_days": draw(windows)}
        return chosen | more

    lines = [
        line(WITHOUT_COLUMN),
        line(OF_NUMBERS, of=draw(st.sampled_from(["value", "duration_s"]))),
        line(["distinct"], of=draw(st.sampled_from(["page", "type"]))),
        line(["decayed_count"], half_life_days=draw(st.sampled_from([0.25, 7, 30]))),
        line(["active_weeks_streak"]),
        line(["weekly_slope"]) | {"windows_days": [draw(st.sampled_from([14, 21, 25, 70]))]},
    ]
    chosen = draw(st.lists(st.sampled_from(lines), max_size=4))
    features, faults = expand_features(
        [FeatureSettings.model_validate(line) for line in chosen],
        {signal.name: signal for signal in BASE.signals},
        EVENTS.columns,
    )
    assert not faults
    used = {feature.signal for feature in features}
    return replace(BASE, signals=tuple(s for s in BASE.signals if s in used), features=features)


def _tables(folder: Path, leads: Rows, events: Rows, dated: Rows = ()) -> Tables:
    return make_tables(
        folder, leads=leads, events=events, attributes=_one_per_key(dated), attribute_specs=SPECS
    )


def _one_per_key(dated: Rows) -> Rows:
    return list({(row["lead_id"], row["known_at"]): row for row in dated}.values())


def _compute(leads: Rows, events: Rows, dated: Rows, points: Any, plan: Plan) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(Path(folder), leads, events, dated)
        return LocalEngine(threads=1).compute(tables, make_points(*points), plan)


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True)


@given(lead_tables, events_of_leads(), st.lists(dated_rows, max_size=6), point_lists, plans())
def test_the_local_engine_equals_the_reference_to_the_last_bit(
    leads: Rows, events: Rows, dated: Rows, points: Any, plan: Plan
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tables, asked = _tables(Path(folder), leads, events, dated), make_points(*points)
        expected = reference_features(tables, asked, plan)
        assert_same(LocalEngine(threads=2).compute(tables, asked, plan), expected)


@given(lead_tables, events_of_leads(), times, plans(), st.lists(event_rows(), max_size=5))
def test_what_counts_from_as_of_on_changes_nothing(
    leads: Rows, events: Rows, as_of: int, plan: Plan, later: Rows
) -> None:
    points = [(lead, as_of) for lead in LEADS]
    future = [
        row | {"event_id": f"later{i}", "arrived_at": max(row["arrived_at"], as_of)}
        for i, row in enumerate(later)
    ]
    before = _compute(leads, events, (), points, plan)
    assert_same(before, _compute(leads, [*events, *future], (), points, plan))


@given(lead_tables, events_of_leads(), point_lists, plans())
def test_an_event_counts_the_same_whether_it_happened_or_arrived_late(
    leads: Rows, events: Rows, points: Any, plan: Plan
) -> None:
    moved = []
    for row in events:
        counts_from = max(row["occurred_at"], row["arrived_at"])
        moved.append(row | {"occurred_at": counts_from, "arrived_at": counts_from})
    assert_same(_compute(leads, events, (), points, plan), _compute(leads, moved, (), points, plan))


@given(lead_tables, events_of_leads(), point_lists, plans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    leads: Rows, events: Rows, points: Any, plan: Plan, random: Any
) -> None:
    shuffled_events = random.sample(list(events), len(events))
    shuffled_leads = random.sample(list(leads), len(leads))
    assert_same(
        _compute(leads, events, (), points, plan),
        _compute(shuffled_leads, shuffled_events, (), points, plan),
    )


@given(lead_tables, events_of_leads(), st.lists(dated_rows, max_size=5), point_lists, plans())
def test_a_common_shift_by_whole_weeks_changes_nothing(
    leads: Rows, events: Rows, dated: Rows, points: Any, plan: Plan
) -> None:
    shift = 53 * MICROS_PER_WEEK
    moved_events = [
        row | {name: row[name] + shift for name in ("occurred_at", "arrived_at")} for row in events
    ]
    moved_leads = [row | {"created_at": row["created_at"] + shift} for row in leads]
    moved_dated = [row | {"known_at": row["known_at"] + shift} for row in dated]
    moved_points = [(lead, as_of + shift) for lead, as_of in points]
    assert_same(
        _compute(leads, events, dated, points, plan),
        _compute(moved_leads, moved_events, moved_dated, moved_points, plan),
    )


@given(lead_tables, events_of_leads(), st.lists(dated_rows, max_size=5), point_lists, plans())
def test_one_point_alone_equals_the_batch(
    leads: Rows, events: Rows, dated: Rows, points: Any, plan: Plan
) -> None:
    batch = _compute(leads, events, dated, points, plan)
    alone = [_compute(leads, events, dated, [point], plan) for point in points[:3]]
    assert_same(batch.head(3), pd.concat(alone, ignore_index=True))
