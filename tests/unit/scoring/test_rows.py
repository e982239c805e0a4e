from pathlib import Path

import numpy as np
import pandas as pd
from tests.builders import make_points, make_tables

from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Attribute, ColumnType, Known

TEXT, NUMBER, FLAG, TIME = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.FLAG, ColumnType.TIME


def test_rules_see_text_as_written_numbers_as_computed_and_nothing_of_the_outcome(
    tmp_path: Path,
) -> None:
    lead = {"lead_id": "a", "created_at": "2026-01-01"}
    given = {"country": "Germany", "size": "51-200", "opted_in": True, "points": 7.0}
    late = {"lost_reason": "price", "birthday": "1980-01-01"}
    specs = (
        Attribute("country", TEXT),
        Attribute("size", TEXT),
        Attribute("opted_in", FLAG),
        Attribute("points", NUMBER),
        Attribute("lost_reason", TEXT, Known.OUTCOME),
        Attribute("birthday", TIME),
        Attribute("budget", NUMBER, Known.DATED),
    )
    other = {"lead_id": "b", "created_at": "2026-01-01"}
    tables = make_tables(
        tmp_path,
        leads=[{**lead, **given, **late}, {**other, "birthday": "1980-01-01"}],
        attributes=[
            {"lead_id": "a", "name": "budget", "value": "100", "known_at": "2026-01-02"},
            {"lead_id": "a", "name": "budget", "value": "900", "known_at": "2026-01-05"},
            {"lead_id": "b", "name": "budget", "value": "a lot", "known_at": "2026-01-02"},
        ],
        attribute_specs=specs,
    )
    matrix = pd.DataFrame(
        {
            "visit__count__7d": [3.0, 0.0],
            "country": pd.Series(["germany", None], dtype="str"),
            "size": [125.5, np.nan],
        }
    )
    points = make_points(("a", "2026-01-05"), ("b", "2026-01-05"))
    rows = rule_rows(tables, points, matrix)
    assert set(rows) == {"visit__count__7d", "country", "size", "opted_in", "points", "budget"}
    assert rows.loc[0, "country"] == "Germany"
    assert rows.loc[0, "size"] == 125.5
    assert rows.loc[0, "opted_in"]
    assert rows.loc[0, "points"] == 7.0
    # The budget of 900 was given at as_of itself and is not seen.
    assert rows.loc[0, "budget"] == 100.0
    assert rows.loc[1, ["country", "size", "opted_in", "points", "budget"]].isna().all()
