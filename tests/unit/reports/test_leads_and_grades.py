import numpy as np
import pandas as pd

from mqlml.reports.facts import became, become, contestant_words, kind_words, outcome_words
from mqlml.reports.grades import band_table, is_graded, ordered_outcomes, rate_matrix, volume_matrix
from mqlml.reports.leads import leads_of
from mqlml.reports.summaries import rate_frame
from mqlml.reports.tables import shares_of


def texts(row):
    return [cell.text.replace("\u202f", " ") for cell in row]


def test_bands_stand_hottest_first_whatever_their_alphabet():
    assert ordered_outcomes(["cold", "new", "mql", "hand_raiser"]) == [
        "hand_raiser",
        "mql",
        "cold",
        "new",
    ]


def test_a_band_shows_its_rate_volume_and_share():
    bands = rate_frame(["cold", "cold", "cold", "mql"], [0, 0, 1, 1])
    table = band_table(bands, "customer")
    assert table.caption == "How many leads of each band became customers"
    assert texts(table.rows[0])[:2] == ["MQL", "100 %"]
    assert texts(table.rows[1])[:2] == ["Cold", "33 %"]
    assert table.rows[1][3].below.replace("\u202f", " ") == "75 %"
    assert [row[1].bar for row in table.rows] == [1.0, 1 / 3]


def test_the_matrix_has_sixteen_cells_and_says_where_there_are_no_leads():
    table = rate_matrix(rate_frame(["A1", "A1", "D4"], [1, 0, 0]), "Rates")
    assert texts(table.rows[0]) == ["A", "50 %", "–", "–", "–"]
    assert table.rows[0][1].below == "1 of 2"
    assert table.rows[0][2].below == "no leads"
    assert texts(table.rows[3]) == ["D", "–", "–", "–", "0 %"]
    assert table.rows[0][1].heat == 1.0


def test_the_volumes_of_an_empty_grade_are_zero():
    table = volume_matrix({"A1": 3, "B2": 1})
    assert texts(table.rows[0]) == ["A", "3", "0", "0", "0"]
    assert table.rows[1][2].below.replace("\u202f", " ") == "25 %"


def test_grades_are_recognised():
    assert is_graded(["B2", None])
    assert not is_graded(["", np.nan])


def test_bars_of_nothing_are_empty():
    assert shares_of([]) == []
    assert shares_of([0.0, float("nan")]) == [0.0, 0.0]


def test_a_lead_shows_what_is_there_and_leaves_out_what_is_not():
    scores = pd.DataFrame(
        {
            "lead_id": ["a", "b"],
            "probability": [0.5, 0.25],
            "outcome": ["mql", None],
            "reasons_up": ["one; two", np.nan],
            "trend": [np.nan, -3.0],
        }
    )
    first, second = leads_of(scores, limit=5)
    assert (first.reasons_up, first.reasons_down, first.trend) == (("one", "two"), (), "")
    assert (second.reasons_up, second.outcome, second.trend) == ((), "", "−3")
    assert len(leads_of(scores, limit=1)) == 1
    assert leads_of(scores[["lead_id"]], limit=1)[0].probability == ""


def test_a_rule_that_decided_is_shown_and_a_mere_threshold_is_not():
    because = ["outside the ICP: country", "probability 30.0 % reaches the MQL threshold of 20.0 %"]
    leads = leads_of(pd.DataFrame({"lead_id": ["a", "b"], "because": because}), limit=2)
    assert [lead.because for lead in leads] == ["outside the ICP: country", ""]


def test_words_for_stages_outcomes_contestants_and_kinds():
    assert became("sal", 1) == "was accepted by sales"
    assert become("sal") == "be accepted by sales"
    assert become("outcome") == "convert"
    assert outcome_words("hand_raiser") == "Hand raiser"
    assert outcome_words("odd") == "odd"
    assert contestant_words("mine") == "mine"
    assert kind_words("sales_cycle") == "Sales takes another time to close"
