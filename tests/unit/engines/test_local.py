from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.builders import make_points, make_tables

from mqlml.engines.local import LocalEngine
from mqlml.errors import ConfigError
from mqlml.features.plan import Plan, make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import EVENTS, Column, ColumnType, Tables

SETTINGS = {
    "signals": {"webinar": {"where": "type = 'webinar'"}},
    "features": [
        {"kinds": ["count", "days_since_last"], "signals": ["webinar", "any"]},
        {"kinds": ["last_value", "sum"], "of": "value", "windows_days": [7]},
        {"kinds": ["distinct"], "of": "page"},
    ],
}
LEADS = [
    {"lead_id": name, "created_at": "2026-01-01", "industry": industry}
    for name, industry in (("a", "Steel"), ("b", None), ("c", "Food"))
]
EVENT_ROWS = [
    {"lead_id": "a", "occurred_at": "2026-01-05", "type": "webinar", "value": 2.0},
    {"lead_id": "a", "occurred_at": "2026-01-09", "page": "/x", "value": 1.0},
    {"lead_id": "b", "occurred_at": "2026-01-07", "page": "/y"},
    {"lead_id": "b", "occurred_at": "2026-01-06", "is_bot": True},
    {"lead_id": "stranger", "occurred_at": "2026-01-06", "page": "/z"},
]
POINTS = (("b", "2026-01-10"), ("a", "2026-01-10"), ("nobody", "2026-01-10"), ("a", "2026-01-06"))


def plan_of(tables: Tables, settings: dict[str, Any] = SETTINGS) -> Plan:
    columns = (*EVENTS.columns, *tables.events.properties)
    return make_plan(
        PlanSettings.model_validate(settings), tables.attribute_specs, event_columns=columns
    )


def compute(tables: Tables, *points: tuple[str, Any], **engine: Any) -> pd.DataFrame:
    """Return the engine's matrix, after seeing that the reference gives the same."""
    plan, asked = plan_of(tables), make_points(*points)
    matrix = LocalEngine(**engine).compute(tables, asked, plan)
    pd.testing.assert_frame_equal(matrix, reference_features(tables, asked, plan), check_exact=True)
    return matrix


def test_rows_come_in_the_order_of_the_points(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    matrix = compute(tables, *POINTS)
    assert matrix["any__count__ever"].tolist() == [1, 2, 0, 1]
    assert matrix["webinar__count__ever"].tolist() == [0, 1, 0, 1]
    assert matrix["any__sum_value__7d"].tolist() == [0, 3, 0, 2]
    assert matrix["industry"].fillna("-").tolist() == ["-", "Steel", "-", "Steel"]


def test_the_columns_are_the_plans(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    matrix = compute(tables, *POINTS)
    assert tuple(matrix.columns) == plan_of(tables).columns
    assert isinstance(matrix.index, pd.RangeIndex)
    dtypes = {str(dtype) for dtype in matrix.drop(columns="industry").dtypes}
    assert (dtypes, str(matrix["industry"].dtype)) == ({"float64"}, "str")


def test_the_same_point_twice_gives_the_same_row_twice(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    matrix = compute(tables, POINTS[1], POINTS[0], POINTS[1])
    assert matrix.iloc[0].to_dict() == matrix.iloc[2].to_dict()


def test_without_events_counts_are_zero_and_recency_is_missing(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS)
    matrix = compute(tables, *POINTS)
    assert (matrix["any__count__ever"] == 0).all()
    assert matrix["any__days_since_last__ever"].isna().all()


def test_without_points_the_matrix_has_no_rows(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    matrix = LocalEngine().compute(tables, make_points(), plan_of(tables))
    assert matrix.shape == (0, len(plan_of(tables).columns))


def test_a_plan_without_features_gives_attributes_only(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    matrix = LocalEngine().compute(tables, make_points(*POINTS), plan_of(tables, {}))
    assert tuple(matrix.columns) == ("industry",)


def test_an_empty_plan_still_has_a_row_per_point(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    matrix = LocalEngine().compute(tables, make_points(*POINTS), plan_of(tables, {}))
    assert matrix.shape == (4, 0)
    assert isinstance(matrix.index, pd.RangeIndex)


def test_properties_of_events_are_read(tmp_path: Path) -> None:
    properties = (Column("depth", ColumnType.NUMBER), Column("form", ColumnType.TEXT))
    rows = [
        {"lead_id": "a", "occurred_at": "2026-01-05", "depth": 4.0, "form": "demo"},
        {"lead_id": "a", "occurred_at": "2026-01-06", "depth": 9.0},
    ]
    tables = make_tables(tmp_path, events=rows, properties=properties)
    settings = {
        "signals": {"demo": {"where": "form = 'demo'"}},
        "features": [{"kinds": ["max"], "of": "depth", "signals": ["demo", "any"]}],
    }
    matrix = LocalEngine().compute(
        tables, make_points(("a", "2026-01-10")), plan_of(tables, settings)
    )
    assert matrix.iloc[0].tolist() == [4.0, 9.0]


def test_progress_is_told_in_events_read(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    told: list[tuple[int, int]] = []
    LocalEngine().compute(
        tables,
        make_points(*POINTS),
        plan_of(tables),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (5, 5)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("engine", [{"threads": 1}, {"threads": 4}, {"memory_limit": "1KB"}])
def test_cores_and_memory_change_nothing(tmp_path: Path, engine: dict[str, Any]) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    expected = compute(tables, *POINTS)
    pd.testing.assert_frame_equal(compute(tables, *POINTS, **engine), expected, check_exact=True)


def test_several_files_of_a_bucket_are_one_bucket(tmp_path: Path) -> None:
    first = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    second = make_tables(tmp_path / "more", events=EVENT_ROWS)
    for file in sorted(second.events.folder.rglob("*.parquet")):
        file.rename(first.events.folder / file.parent.name / "part-2.parquet")
    assert compute(first, *POINTS)["any__count__ever"].tolist() == [2, 4, 0, 2]


def test_events_at_one_instant_are_taken_in_the_order_of_their_ids(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "a", "occurred_at": "2026-01-05", "event_id": name, "value": value}
        for name, value in (("c", 3.0), ("a", 1e16), ("b", -1e16))
    ]
    matrix = compute(make_tables(tmp_path, events=rows), ("a", "2026-01-06"))
    assert matrix["any__last_value_value__7d"].tolist() == [3.0]
    assert matrix["any__sum_value__7d"].tolist() == [3.0]


def test_all_events_may_be_bots(tmp_path: Path) -> None:
    rows = [row | {"is_bot": True} for row in EVENT_ROWS]
    matrix = compute(make_tables(tmp_path, events=rows), *POINTS)
    assert matrix["any__count__ever"].tolist() == [0, 0, 0, 0]


def test_a_condition_that_fails_on_the_data_is_named(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    settings = {
        "signals": {"odd": {"where": "CAST(page AS DOUBLE) > 1"}},
        "features": [{"kinds": ["count"], "signals": ["odd"]}],
    }
    with pytest.raises(ConfigError, match=r"signals\.odd\.where"):
        LocalEngine().compute(tables, make_points(*POINTS), plan_of(tables, settings))


@pytest.mark.parametrize("limit", ["", "2 parsecs", "GB", "-1GB"])
def test_an_amount_of_memory_that_is_none_is_refused(tmp_path: Path, limit: str) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    with pytest.raises(ConfigError, match="not an amount of memory"):
        LocalEngine(memory_limit=limit).compute(tables, make_points(*POINTS), plan_of(tables))


def test_the_beginning_of_time_is_seen_a_microsecond_later(tmp_path: Path) -> None:
    rows = [{"lead_id": "a", "occurred_at": "1970-01-01", "page": "/x"}]
    matrix = compute(make_tables(tmp_path, events=rows), ("a", "2200-01-01"), ("a", 0), ("a", 1))
    assert matrix["any__count__ever"].tolist() == [1, 0, 1]
    assert np.isnan(matrix["any__days_since_last__ever"][1])
