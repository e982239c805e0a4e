"""What must hold for any tables, plan and points: engines agree, the future is never seen."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import at, make_points, make_tables

from mqlml.engines.local import LocalEngine
from mqlml.features.expansion import expand_features
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS, ALL_KINDS
from mqlml.features.plan import Plan, make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import FeatureSettings, PlanSettings, RatioSettings
from mqlml.features.table_expansion import ratio_features
from mqlml.features.table_features import (
    ACCEPTED,
    AccountLeads,
    Outcome,
    RateFeature,
    StageFeature,
)
from mqlml.tables.contracts import EVENTS, SPELL_COLUMNS, Attribute, ColumnType, Known, Tables
from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_WEEK

Rows = Sequence[dict[str, Any]]

START = at("2026-01-01")
TIMES = ("_at", "counts_after", "counts_until")
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
WITHOUT_COLUMN = tuple(
    name
    for name, kind in ALL_KINDS.items()
    if kind.of in {"nothing", "duration"} and not kind.takes_half_life and not kind.min_weeks
)
OF_NUMBERS = ("sum", "mean", "max", "min", "last_value")
GROUPS = ("job_title", "newsletter")

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


# Rows of merged leads, and of links that ended, count for a part of the time.
bounds = st.one_of(st.none(), st.none(), st.none(), times)


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
        "counts_after": draw(bounds),
        "counts_until": draw(bounds),
    }


@st.composite
def events_of_leads(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = draw(st.lists(event_rows(), max_size=25))
    ids = draw(st.permutations(range(len(rows))))
    return [row | {"event_id": f"e{number}"} for row, number in zip(rows, ids, strict=True)]


lead_rows = st.fixed_dictionaries(
    {
        "created_at": times,
        "account_id": st.sampled_from([None, "acme", "acme", "acme", "solo"]),
        "outcome": st.sampled_from([None, True, False]),
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
stage_rows = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from([*LEADS, "nobody"]),
        "stage": st.sampled_from(["lead", "mql", "sql", "customer", "disqualified", "recycled"]),
        "entered_at": times,
    }
)
stage_tables = st.lists(stage_rows, max_size=8)
verdict_rows = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from([*LEADS, "nobody"]),
        "given_at": times,
        "verdict": st.sampled_from(["accepted", "rejected"]),
        "reason": st.sampled_from([None, None, "no_need", "duplicate", "not_now"]),
        "who": st.sampled_from([None, "rep 1", "rep 2"]),
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
        line(["time_spent"], cap_minutes=draw(st.sampled_from([1, 2.5, 60]))),
        line(["share"], among="costly")
        | {"signals": draw(st.sampled_from([["any"], ["pricing", "webinar"]]))},
        line(["share"]) | {"signals": ["unknown_page"]},
        line(["weekly_slope"]) | {"windows_days": [draw(st.sampled_from([14, 21, 25, 70]))]},
    ]
    chosen = draw(st.lists(st.sampled_from(lines), max_size=4))
    features, faults = expand_features(
        [FeatureSettings.model_validate(line) for line in chosen],
        {signal.name: signal for signal in BASE.signals},
        EVENTS.columns,
    )
    assert not faults
    used = {feature.signal for feature in features} | {feature.among for feature in features}
    plan = replace(
        BASE,
        signals=tuple(s for s in BASE.signals if s in used),
        features=tuple(f for f in features if f.kind not in ACCOUNT_KINDS),
        accounts=tuple(f for f in features if f.kind in ACCOUNT_KINDS),
        **draw(table_parts()),
    )
    return replace(plan, ratios=draw(ratios_of(plan)))


@st.composite
def table_parts(draw: st.DrawFn) -> dict[str, Any]:
    spans = st.sampled_from([MICROS_PER_HOUR, MICROS_PER_DAY, 20 * MICROS_PER_DAY, EVER])
    outcome = Outcome(
        draw(st.sampled_from(["mql", "customer", "outcome"])),
        draw(st.sampled_from([MICROS_PER_HOUR, 7 * MICROS_PER_DAY])),
        draw(st.sampled_from([0, MICROS_PER_DAY])),
    )
    outcomes = st.sampled_from([outcome, Outcome(ACCEPTED)])
    rates = [
        RateFeature(group, window, strength, asked)
        for group, window, strength, asked in draw(
            st.sets(
                st.tuples(st.sampled_from(GROUPS), spans, st.sampled_from([0.5, 20]), outcomes),
                max_size=3,
            )
        )
    ]
    return {
        "stages": tuple(map(StageFeature, draw(st.sets(st.sampled_from([None, "mql"]))))),
        "account_leads": tuple(map(AccountLeads, draw(st.sets(spans, max_size=2)))),
        "rates": tuple(rates),
    }


def ratios_of(plan: Plan) -> st.SearchStrategy[Any]:
    infos = {info.column: info for info in plan.infos if info.axis == "engagement"}
    if not infos:
        return st.just(())
    names = st.sampled_from(sorted(infos))
    lines = st.builds(RatioSettings, of=names, to=names)
    return st.lists(lines, max_size=2).map(lambda asked: ratio_features(asked, infos)[0])


def _tables(folder: Path, world: "World") -> Tables:
    return make_tables(
        folder,
        leads=world.leads,
        properties=SPELL_COLUMNS,
        events=world.events,
        stages=world.stages,
        attributes=_one_per_key(world.dated),
        verdicts=world.verdicts,
        attribute_specs=SPECS,
    )


def _one_per_key(dated: Rows) -> Rows:
    return list({(row["lead_id"], row["known_at"]): row for row in dated}.values())


@dataclass(frozen=True)
class World:
    """Rows of every table."""

    leads: Rows
    events: Rows
    dated: Rows
    stages: Rows
    verdicts: Rows

    def compute(self, points: Any, plan: Plan) -> pd.DataFrame:
        with tempfile.TemporaryDirectory() as folder:
            tables = _tables(Path(folder), self)
            return LocalEngine(threads=1).compute(tables, make_points(*points), plan)

    def moved(self, shift: int) -> "World":
        """Return the world with every time later by `shift`."""
        return World(
            *(
                [
                    {
                        k: v + shift if k.endswith(TIMES) and v is not None else v
                        for k, v in row.items()
                    }
                    for row in rows
                ]
                for rows in (self.leads, self.events, self.dated, self.stages, self.verdicts)
            )
        )


worlds = st.builds(
    World,
    lead_tables,
    events_of_leads(),
    st.lists(dated_rows, max_size=6),
    stage_tables,
    st.lists(verdict_rows, max_size=8),
)


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True)


@given(worlds, point_lists, plans())
def test_the_local_engine_equals_the_reference_to_the_last_bit(
    world: World, points: Any, plan: Plan
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(Path(folder), world)
        asked = make_points(*points)
        expected = reference_features(tables, asked, plan)
        assert_same(LocalEngine(threads=2).compute(tables, asked, plan), expected)


@given(worlds, times, plans(), worlds)
def test_what_counts_from_as_of_on_changes_nothing(
    world: World, as_of: int, plan: Plan, other: World
) -> None:
    points = [(lead, as_of) for lead in LEADS]
    newcomers = [
        row | {"lead_id": f"new {row['lead_id']}", "created_at": max(row["created_at"], as_of)}
        for row in other.leads
    ]
    events = [
        row | {"event_id": f"later{i}", "arrived_at": max(row["arrived_at"], as_of)}
        for i, row in enumerate(other.events)
    ]
    dated = [row | {"known_at": max(row["known_at"], as_of)} for row in other.dated]
    stages = [row | {"entered_at": max(row["entered_at"], as_of)} for row in other.stages]
    verdicts = [
        row | {"given_at": max(row["given_at"], as_of), "lead_id": f"{mark}{row['lead_id']}"}
        for row in other.verdicts
        for mark in ("", "new ")
    ]
    # What a newcomer did before it was known counts for nobody, either.
    early = [
        row | {"event_id": f"early{i}", "lead_id": f"new {row['lead_id']}"}
        for i, row in enumerate(other.events)
    ]
    later = World(
        [*world.leads, *newcomers],
        [*world.events, *events, *early],
        [*world.dated, *dated],
        [*world.stages, *stages],
        [*world.verdicts, *verdicts],
    )
    assert_same(world.compute(points, plan), later.compute(points, plan))


@given(worlds, point_lists, plans())
def test_an_event_counts_the_same_whether_it_happened_or_arrived_late(
    world: World, points: Any, plan: Plan
) -> None:
    moved = []
    for row in world.events:
        counts_from = max(row["occurred_at"], row["arrived_at"])
        moved.append(row | {"occurred_at": counts_from, "arrived_at": counts_from})
    assert_same(world.compute(points, plan), replace(world, events=moved).compute(points, plan))


@given(worlds, point_lists, plans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    world: World, points: Any, plan: Plan, random: Any
) -> None:
    shuffled = World(
        *(
            random.sample(list(rows), len(rows))
            for rows in (world.leads, world.events, world.dated, world.stages, world.verdicts)
        )
    )
    assert_same(world.compute(points, plan), shuffled.compute(points, plan))


@given(worlds, point_lists, plans())
def test_a_common_shift_by_whole_weeks_changes_nothing(
    world: World, points: Any, plan: Plan
) -> None:
    shift = 53 * MICROS_PER_WEEK
    moved_points = [(lead, as_of + shift) for lead, as_of in points]
    assert_same(world.compute(points, plan), world.moved(shift).compute(moved_points, plan))


@given(worlds, point_lists, plans())
def test_one_point_alone_equals_the_batch(world: World, points: Any, plan: Plan) -> None:
    batch = world.compute(points, plan)
    alone = [world.compute([point], plan) for point in points[:3]]
    assert_same(batch.head(3), pd.concat(alone, ignore_index=True))


@given(worlds, point_lists, plans())
def test_a_plan_that_was_written_and_read_again_measures_the_same(
    world: World, points: Any, plan: Plan
) -> None:
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert_same(world.compute(points, plan), world.compute(points, again))
