from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.builders import make_points, make_tables

from mqlml.errors import DataError
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.features.plan import make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType, Known, Tables

TEXT, NUMBER, FLAG = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.FLAG


def matrix_of(
    tables: Tables, *points: tuple[str, str], icp: dict[str, Any] | None = None
) -> pd.DataFrame:
    """Return the attribute columns, after seeing that the reference gives the same."""
    settings = PlanSettings.model_validate({"icp": icp or {}})
    plan = make_plan(settings, tables.attribute_specs, event_columns=EVENTS.columns)
    asked = make_points(*points)
    matrix = pd.DataFrame(attribute_columns(tables, asked, plan))
    pd.testing.assert_frame_equal(matrix, reference_features(tables, asked, plan))
    return matrix


def values(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


def test_creation_attributes_are_known_from_the_very_moment_of_creation(tmp_path: Path) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-05 10:00", "source": "ads", "visits": 3.0}
    tables = make_tables(tmp_path, leads=[lead])
    matrix = matrix_of(tables, ("a", "2026-01-05 09:59"), ("a", "2026-01-05 10:00"), ("b", 0))
    assert values(matrix["source"]) == [None, "ads", None]
    assert values(matrix["visits"]) == [None, 3.0, None]


def test_a_dated_attribute_has_its_latest_value_given_strictly_before(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "a", "name": "plan", "value": "free", "known_at": "2026-01-05"},
        {"lead_id": "a", "name": "plan", "value": "pro", "known_at": "2026-02-05"},
        {"lead_id": "a", "name": "plan", "value": None, "known_at": "2026-03-05"},
        {"lead_id": "b", "name": "plan", "value": "trial", "known_at": "2026-01-01"},
        {"lead_id": "b", "name": "other", "value": "x", "known_at": "2026-01-01"},
    ]
    tables = make_tables(tmp_path, attributes=rows)
    matrix = matrix_of(
        tables,
        ("a", "2026-01-05"),
        ("a", "2026-01-06"),
        ("a", "2026-02-05"),
        ("a", "2026-02-06"),
        ("a", "2026-04-01"),
        ("b", "2026-04-01"),
        ("c", "2026-04-01"),
    )
    assert values(matrix["plan"]) == [None, "free", "free", "pro", None, "trial", None]


def test_of_dated_values_given_at_once_the_last_in_text_order_is_taken(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "a", "name": "plan", "value": value, "known_at": "2026-01-05"}
        for value in ("pro", None, "free")
    ]
    tables = make_tables(tmp_path, attributes=rows)
    assert values(matrix_of(tables, ("a", "2026-02-01"))["plan"]) == ["pro"]


def test_dated_numbers_and_flags_are_read_from_text(tmp_path: Path) -> None:
    specs = (Attribute("seats", NUMBER, Known.DATED), Attribute("active", FLAG, Known.DATED))
    rows = [
        {"lead_id": lead, "name": name, "value": value, "known_at": "2026-01-05"}
        for lead, seats, active in (("a", "12.5", "Yes"), ("b", "many", "0"), ("c", "1e3", "maybe"))
        for name, value in (("seats", seats), ("active", active))
    ]
    tables = make_tables(tmp_path, attributes=rows, attribute_specs=specs)
    matrix = matrix_of(tables, *((lead, "2026-02-01") for lead in "abc"))
    assert values(matrix["seats"]) == [12.5, None, 1000.0]
    assert values(matrix["active"]) == [1.0, 0.0, None]


def test_flags_become_one_and_zero(tmp_path: Path) -> None:
    leads = [
        {"lead_id": lead, "created_at": "2026-01-05", "opted_in": opted_in}
        for lead, opted_in in (("a", True), ("b", False), ("c", None))
    ]
    matrix = matrix_of(
        make_tables(tmp_path, leads=leads), *((lead, "2026-02-01") for lead in "abc")
    )
    assert values(matrix["opted_in"]) == [1.0, 0.0, None]


ICP = {
    "title": "job_title",
    "seniorities": ["vp", "director"],
    "functions": ["it"],
    "size": "size",
    "size_min": 100,
    "size_max": 1000,
    "industry": "industry",
    "industries": ["Financial Services"],
    "country": "country",
    "countries": ["DE"],
}


@pytest.mark.parametrize(
    ("title", "size", "industry", "country", "fits", "share"),
    [
        ("Head of IT", "51-200", " financial  SERVICES", "de", [1, 1, 1, 1], 1.0),
        ("Head of Sales", "10-20", "Steel", "DE", [0, 0, 1, 0], 0.25),
        ("IT Manager", "5000+", None, None, [0, None, None, 0], 0.0),
        (None, "?", None, "DE", [None, None, 1, None], 0.25),
        (None, None, None, None, [None, None, None, None], None),
    ],
)
def test_the_icp_columns_say_which_stated_parts_fit(
    tmp_path: Path, title: Any, size: Any, industry: Any, country: Any, fits: Any, share: Any
) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-05", "job_title": title, "size": size}
    lead |= {"industry": industry, "country": country}
    specs = tuple(Attribute(name, TEXT) for name in ("job_title", "size", "industry", "country"))
    tables = make_tables(tmp_path, leads=[lead], attribute_specs=specs)
    row = matrix_of(tables, ("a", "2026-02-01"), icp=ICP).iloc[0]
    found = [row["icp__size"], row["icp__industry"], row["icp__country"], row["icp__title"]]
    assert [None if np.isnan(f) else f for f in found] == fits
    assert (None if np.isnan(row["icp__match_share"]) else row["icp__match_share"]) == share


def test_icp_attributes_are_tidied_and_sizes_become_numbers(tmp_path: Path) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-05", "size": "51-200", "industry": "  STEEL "}
    tables = make_tables(tmp_path, leads=[lead | {"country": "  "}])
    icp = {"size": "size", "industry": "industry", "country": "country"}
    matrix = matrix_of(tables, ("a", "2026-02-01"), icp=icp)
    assert values(matrix.iloc[0]) == [125.5, "steel", None]


def test_an_open_ended_size_has_one_bound(tmp_path: Path) -> None:
    leads = [
        {"lead_id": str(size), "created_at": "2026-01-05", "employees": size}
        for size in (49.0, 50.0, 1e6)
    ]
    tables = make_tables(tmp_path, leads=leads)
    points = [(str(row["lead_id"]), "2026-02-01") for row in leads]
    at_least = matrix_of(tables, *points, icp={"size": "employees", "size_min": 50})
    at_most = matrix_of(tables, *points, icp={"size": "employees", "size_max": 50})
    assert values(at_least["icp__size"]) == [0, 1, 1]
    assert values(at_most["icp__size"]) == [1, 1, 0]


def test_categories_are_text_and_numbers_are_floats(tmp_path: Path) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-05", "job_title": "CEO", "visits": 3.0}
    matrix = matrix_of(make_tables(tmp_path, leads=[lead]), ("a", "2026-02-01"))
    assert [str(dtype) for dtype in matrix.dtypes] == ["str", "str", "str", "float64"]


@pytest.mark.parametrize("known", [None, Known.OUTCOME])
def test_an_attribute_that_the_data_lack_or_moved_to_the_outcome_is_named(
    tmp_path: Path, known: Known | None
) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-05", "visits": 3.0}
    before = make_tables(tmp_path, leads=[lead])
    plan = make_plan(PlanSettings(), before.attribute_specs, event_columns=EVENTS.columns)
    now = () if known is None else (Attribute("visits", NUMBER, known),)
    after = make_tables(tmp_path, leads=[lead], attribute_specs=now)
    with pytest.raises(DataError, match=r"leads\.visits"):
        attribute_columns(after, make_points(("a", "2026-02-01")), plan)
