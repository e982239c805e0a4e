import math

import pandas as pd

from mqlml.reports.training_tables import reliability_table


def test_each_group_says_whether_it_kept_its_promise() -> None:
    rows = [
        ("band", "MQL", 100, 20.0, 21, 1.05, 0.8, 1.3),
        ("band", "Warm", 100, 20.0, 30, 1.5, 1.1, 1.9),
        ("month", "2026-01", 100, 20.0, 10, 0.5, 0.2, 0.8),
        ("month", "2026-02", 9, 2.0, 4, 2.0, math.nan, math.nan),
    ]
    names = ["kind", "group", "rows", "expected", "observed", "ratio", "low", "high"]
    table = reliability_table(pd.DataFrame(rows, columns=names))
    assert [(row[0].text, row[0].below) for row in table.rows][:2] == [
        ("MQL", "band"),
        ("Warm", "band"),
    ]
    assert [row[5].text for row in table.rows] == [
        "as promised",
        "more than promised",
        "fewer than promised",
        "too few to say",
    ]
    assert [row[5].tone for row in table.rows] == ["good", "bad", "bad", ""]
    assert table.rows[0][4].text == "0.80 to 1.30"
    assert table.rows[3][4].text == "–"
