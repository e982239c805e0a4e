"""Random companies on Spark: equal to the reference and to the local engine, to the last bit."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.builders import make_points, make_tables
from tests.properties.test_features import BASE, SPECS, START

from mqlml.engines.local import LocalEngine
from mqlml.engines.spark import SparkEngine
from mqlml.engines.spark_session import open_session
from mqlml.features.expansion import expand_features
from mqlml.features.plan import Plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import FeatureSettings
from mqlml.tables.contracts import EVENTS, SPELL_COLUMNS, Tables
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR

COMPANIES = 12
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
    return {
        "lead_id": lead,
        "created_at": _time(draw),
        "job_title": draw.choice([None, "VP Sales", "cto", "🚀", ""]),
        "size": draw.choice([None, "51-200", "1,234", "few"]),
        "budget": draw.choice(NUMBERS),
        "newsletter": draw.choice([None, True, False]),
    }


def _dated(draw: Random, lead: str) -> dict[str, Any]:
    value = draw.choice([None, " Steel", "steel", "Food"])
    return {"lead_id": lead, "name": "industry", "value": value, "known_at": _time(draw)}


def _company(draw: Random, folder: Path) -> tuple[Tables, pd.DataFrame]:
    """Return leads of many small companies; some leads have no events, some events no lead."""
    names = [f"{who} {number}" for number in range(COMPANIES) for who in ("ann", "bob", "cleo")]
    events = [_event(draw, draw.choice(names)) for _ in range(20 * COMPANIES)]
    ids = draw.sample(range(len(events)), len(events))
    dated = {(n, row["known_at"]): row for n in names for row in [_dated(draw, n), _dated(draw, n)]}
    tables = make_tables(
        folder,
        leads=[_lead(draw, name) for name in names[: 2 * COMPANIES]],
        events=[row | {"event_id": f"e{n}"} for row, n in zip(events, ids, strict=True)],
        attributes=list(dated.values()),
        attribute_specs=SPECS,
        properties=SPELL_COLUMNS,
    )
    asked = [(draw.choice([*names, "nobody"]), _time(draw)) for _ in range(10 * COMPANIES)]
    return tables, make_points(*asked)


def _plan(draw: Random) -> Plan:
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
    ]
    signals = {signal.name: signal for signal in BASE.signals}
    features, faults = expand_features(lines, signals, EVENTS.columns)
    assert not faults
    used = {feature.signal for feature in features}
    return replace(BASE, signals=tuple(s for s in BASE.signals if s in used), features=features)


@pytest.mark.parametrize("seed", range(3))
def test_spark_equals_the_reference_to_the_last_bit(
    spark_engine: SparkEngine, tmp_path: Path, seed: int
) -> None:
    draw = Random(seed)
    (tables, points), plan = _company(draw, tmp_path), _plan(draw)
    expected = reference_features(tables, points, plan)
    assert expected.notna().to_numpy().mean() > 0.3
    same = LocalEngine(threads=1).compute(tables, points, plan)
    pd.testing.assert_frame_equal(same, expected, check_exact=True)
    found = spark_engine.compute(tables, points, plan)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    own, asked = spark_engine.to_spark(tables, points.assign(place=np.arange(len(points))))
    events = open_session(spark_engine.settings).read.parquet(str(tables.events.folder))
    own = replace(own, events=events, properties=SPELL_COLUMNS)
    table = spark_engine.features(own, asked, plan).toArrow().to_pandas()
    table = table.sort_values("place", ignore_index=True)[list(plan.columns)]
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
