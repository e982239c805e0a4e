import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import tournament

from mqlml.modeling.gates import check_gates
from mqlml.modeling.outlook import BETTER_SIGNALS, more_words, surer_words, weekly_rates
from mqlml.modeling.settings import GateSettings
from mqlml.timeline import MICROS_PER_WEEK


def points(*rows: tuple[str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["lead_id", "week", "label"])
    as_of = (frame["week"] * MICROS_PER_WEEK).astype("int64")
    return frame.assign(as_of=as_of)


def test_rates_are_of_leads_first_seen_in_the_latest_twelve_weeks() -> None:
    _, split, _ = tournament("logistic")
    rows = [(f"old{i}", 0, 1.0) for i in range(30)]
    rows += [(f"new{i}", 20 - i % 12, float(i < 6)) for i in range(36)]
    rows += [("old0", 20, 1.0), ("open", 20, math.nan)]
    seen = points(*rows)
    late = replace(split, test=np.arange(30, 36))
    # Thirty-six new leads and six conversions in twelve weeks; 6 of 36 conversions are tested.
    found = weekly_rates(seen, late)
    assert found == pytest.approx(
        {"leads": 3.0, "conversions": 0.5, "test_conversions": 0.5 * 6 / 36}
    )


def test_without_a_final_outcome_there_is_no_rate() -> None:
    _, split, _ = tournament("logistic")
    assert weekly_rates(points(("a", 0, math.nan)), split) == {}


def test_a_long_wait_is_said_in_years() -> None:
    assert more_words(0, 104, 1.0).endswith("in about 2.0 years")


def test_a_ranking_at_chance_asks_for_signals_not_for_patience() -> None:
    assert surer_words(0.49, 0.40, 0.5) == BETTER_SIGNALS
    assert surer_words(math.nan, math.nan, 0.5) == BETTER_SIGNALS


def test_a_gate_that_is_not_passed_says_what_would_have_to_change() -> None:
    company, split, result = tournament("logistic", "lightgbm")
    strict = GateSettings(min_leads=901)
    dated = {g.name: g for g in check_gates(company.points, split, result, strict)}
    assert dated["leads"].mend.startswith("1 more are needed: at the latest rate of ")
    assert dated["conversions"].mend == ""
    ordered = check_gates(company.points, split, result, strict, is_dated=False)
    assert {g.name: g.mend for g in ordered}["leads"] == "1 more are needed"
