import numpy as np
import pandas as pd
from tests.people_facts import sensitive_facts

from mqlml.reports.sensitive import SensitiveFacts, fare_tables, sensitive_limits, sensitive_table

RATES = np.linspace(0.05, 0.5, 900)
FACTS = sensitive_facts((np.arange(900) % 5 == 0).astype(float), RATES)


def test_each_column_says_whether_it_counts_why_and_what_tells_it():
    age, place = sensitive_table(FACTS).rows
    assert (age[1].text, age[1].below) == ("allowed", "a pension plan is sold by age")
    assert (age[2].text, age[3].text) == ("hardly", "–")
    assert place[0].below == "where somebody lives"
    assert place[1].text == "left out"
    assert (place[2].text, place[2].below) == ("well", "ROC-AUC 0.83 (0.80 to 0.86)")
    assert place[3].text == "country of the firm (0.21)"


def test_a_group_that_goes_to_sales_far_less_often_is_named():
    two = {
        "column": "zip",
        "group": ["1010", "8001"],
        "leads": [400, 400],
        "rate": [0.2, 0.2],
        "low": [0.16, 0.16],
        "high": [0.24, 0.24],
        "promised": [0.2, 0.2],
        "mql_share": [0.1, 0.4],
        "mql_low": [0.07, 0.35],
        "mql_high": [0.13, 0.45],
    }
    (table,) = fare_tables(SensitiveFacts((), pd.DataFrame(two)), "customer")
    assert table.note.startswith("1010 goes to sales 0.25 times as often as 8001")
    alike = two | {"mql_share": [0.35, 0.4]}
    (table,) = fare_tables(SensitiveFacts((), pd.DataFrame(alike)), "customer")
    assert table.note == ""


def test_limits_say_what_is_allowed_and_what_is_told_all_the_same():
    assert list(sensitive_limits(FACTS)) == [
        "It looks at age, allowed because: a pension plan is sold by age.",
        "Its features tell zip although it is left out.",
    ]
    assert list(sensitive_limits(None)) == []
