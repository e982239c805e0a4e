"""Random companies on Spark: equal to the reference and to the local engine, to the last bit."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from tests.builders import make_points, make_tables
from tests.properties.test_features import BASE, GROUPS, SPECS, START

from mqlml.engines.local import LocalEngine
from mqlml.engines.spark import SparkEngine
from mqlml.features.expansion import expand_features
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS
from mqlml.features.plan import Plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import FeatureSettings, RatioSettings
from mqlml.features.table_expansion import ratio_features
from mqlml.features.table_features import (
    ACCEPTED,
    AccountLeads,
    Outcome,
    RateFeature,
    StageFeature,
)
from mqlml.tables.contracts import EVENTS, SPELL_COLUMNS, Tables
from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_HOUR

# A job takes a second before it does anything: many examples share one, and a plan.
PER_JOB = 100
DAILY, DAILY_JOBS = 12, 3
NUMBERS = (None, 0.1, 0.2, 1e16, -1e16, 0.0, -0.0, 5.0)
DELAYS = (0, 0, 0, -1, 1, MICROS_PER_DAY, -MICROS_PER_DAY, 20 * MICROS_PER_DAY)


def _time(draw: Random) -> int:
    return START + draw.choice([draw.randrange(60) * 24, draw.randrange(60 * 24)]) * MICROS_PER_HOUR


def _event(draw: Random, lead: str) -> dict[str, Any]:
    occurred_at = _time(draw)
    return {
        "lead_id": lead,
        "occurred_at": occurred_at,
        "arrived_at": occurred_at + draw.choice(DELAYS),
        "type": draw.choice(["webinar", "page_view", "émail 🚀"]),
        "page": draw.choice([None, "/pricing", "/demo", "/Demo", ""]),
        "value": draw.choice(NUMBERS),
        "duration_s": draw.choice(NUMBERS),
        "is_bot": draw.choice([False, False, False, None, True]),
        "counts_after": draw.choice([None, None, _time(draw)]),
        "counts_until": draw.choice([None, None, _time(draw)]),
    }


def _lead(draw: Random, lead: str) -> dict[str, Any]:
    account = draw.choice([None, "acme", "acme", "solo"])
    return {
        "lead_id": lead,
        "created_at": _time(draw),
        "account_id": account and f"{account} {lead.split()[1]}",
        "outcome": draw.choice([None, True, False]),
        "job_title": draw.choice([None, "VP Sales", "cto", "🚀", ""]),
        "size": draw.choice([None, "51-200", "1,234", "few"]),
        "budget": draw.choice(NUMBERS),
        "newsletter": draw.choice([None, True, False]),
    }


def _stage(draw: Random, lead: str) -> dict[str, Any]:
    stage = draw.choice(["lead", "mql", "sql", "customer", "disqualified", "recycled"])
    return {"lead_id": lead, "stage": stage, "entered_at": _time(draw)}


def _verdict(draw: Random, lead: str) -> dict[str, Any]:
    said = {"verdict": draw.choice(["accepted", "rejected"]), "who": draw.choice([None, "rep"])}
    reason = draw.choice([None, "no_need", "duplicate"])
    return {"lead_id": lead, "given_at": _time(draw), "reason": reason, **said}


def _dated(draw: Random, lead: str) -> dict[str, Any]:
    value = draw.choice([None, " Steel", "steel", "Food"])
    return {"lead_id": lead, "name": "industry", "value": value, "known_at": _time(draw)}


def _companies(draw: Random, folder: Path, count: int) -> tuple[Tables, pd.DataFrame]:
    """Return leads of many small companies; some leads have no events, some events no lead."""
    firms = [[f"{who} {number}" for who in ("ann", "bob", "cleo")] for number in range(count)]
    names = [name for firm in firms for name in firm]
    events = [_event(draw, draw.choice(firm)) for firm in firms for _ in range(20)]
    ids = draw.sample(range(len(events)), len(events))
    dated = {(n, row["known_at"]): row for n in names for row in [_dated(draw, n), _dated(draw, n)]}
    tables = make_tables(
        folder,
        leads=[_lead(draw, name) for firm in firms for name in firm[:2]],
        events=[row | {"event_id": f"e{n}"} for row, n in zip(events, ids, strict=True)],
        stages=[_stage(draw, draw.choice([*firm, "nobody"])) for firm in firms for _ in range(4)],
        attributes=list(dated.values()),
        verdicts=[_verdict(draw, draw.choice([*firm, "x"])) for firm in firms for _ in range(3)],
        attribute_specs=SPECS,
        properties=SPELL_COLUMNS,
    )
    asked = [(draw.choice([*firm, "nobody"]), _time(draw)) for firm in firms for _ in range(6)]
    return tables, make_points(*asked)


def _plan(draw: Random, *, of_accounts: bool) -> Plan:
    names = [signal.name for signal in BASE.signals]

    def line(kinds: list[str], **more: Any) -> FeatureSettings:
        windows = draw.sample([0.5, 1, 7, 21, 30, "ever"], 2)
        chosen = {"kinds": kinds, "signals": draw.sample(names, 2), "windows_days": windows}
        return FeatureSettings.model_validate(chosen | more)

    lines = [
        line(["count", "active_days", "days_since_last", "days_since_first", "sessions"]),
        line(["sum", "mean", "max", "min", "last_value"], of=draw.choice(["value", "duration_s"])),
        line(["distinct"], of=draw.choice(["page", "type"])),
        line(["decayed_count"], half_life_days=draw.choice([0.25, 7, 30])),
        line(["active_weeks_streak"]),
        line(["weekly_slope"], windows_days=[14, 70]),
        line(["max_gap_days", "mean_gap_days", "max_session_minutes", "mean_session_events"]),
        line(["time_spent"], cap_minutes=draw.choice([1, 60])),
        line(["share"], among="costly", signals=["any"]),
        line(["account_count", "account_active_leads"]),
    ]
    signals = {signal.name: signal for signal in BASE.signals}
    features, faults = expand_features(lines, signals, EVENTS.columns)
    assert not faults
    used = {f.signal for f in features} | {f.among for f in features}
    plan = replace(
        BASE,
        signals=tuple(s for s in BASE.signals if s in used),
        features=tuple(f for f in features if f.kind not in ACCOUNT_KINDS),
        accounts=tuple(f for f in features if f.kind in ACCOUNT_KINDS) if of_accounts else (),
        stages=(StageFeature(), StageFeature("mql")),
        account_leads=(AccountLeads(20 * MICROS_PER_DAY), AccountLeads(EVER))
        if of_accounts
        else (),
        rates=_rates(draw),
    )
    numbers = [info.column for info in plan.infos if info.axis == "engagement"]
    lines = [RatioSettings(of=draw.choice(numbers), to=draw.choice(numbers)) for _ in range(3)]
    infos = {info.column: info for info in plan.infos}
    return replace(plan, ratios=ratio_features(lines, infos)[0])


def _rates(draw: Random) -> tuple[RateFeature, ...]:
    stage = draw.choice(["mql", "customer", "outcome"])
    outcome = Outcome(stage, draw.choice([1, 7]) * MICROS_PER_DAY, draw.choice([0, MICROS_PER_DAY]))
    window = draw.choice([20 * MICROS_PER_DAY, EVER])
    asked = (outcome, Outcome(ACCEPTED))
    return tuple(RateFeature(source, window, 0.5, one) for source in GROUPS for one in asked)


def _jobs() -> list[tuple[int, int]]:
    """Return the seed and the examples of each job, as many as Hypothesis would look at."""
    wanted = settings().max_examples
    if wanted < PER_JOB:
        return [(seed, DAILY) for seed in range(DAILY_JOBS)]
    return [(seed, PER_JOB) for seed in range(-(-wanted // PER_JOB))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize(("seed", "companies"), _jobs())


def test_spark_equals_the_reference_to_the_last_bit(
    spark_engine: SparkEngine, tmp_path: Path, seed: int, companies: int
) -> None:
    draw = Random(seed)
    tables, points = _companies(draw, tmp_path, companies)
    plan = _plan(draw, of_accounts=seed % 2 == 0)
    expected = reference_features(tables, points, plan)
    assert expected.notna().to_numpy().mean() > 0.3
    same = LocalEngine(threads=1).compute(tables, points, plan)
    pd.testing.assert_frame_equal(same, expected, check_exact=True)
    found = spark_engine.compute(tables, points, plan)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    own, asked = spark_engine.to_spark(tables, points.assign(place=np.arange(len(points))))
    table = spark_engine.features(own, asked, plan).toArrow().to_pandas()
    table = table.sort_values("place", ignore_index=True)[list(plan.columns)]
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
