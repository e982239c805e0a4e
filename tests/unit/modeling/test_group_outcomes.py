import numpy as np
import pandas as pd
import pytest

from mqlml.modeling.group_outcomes import Judged, group_outcomes, named_groups


def judged(labels, is_mql=None, leads=None):
    labels = np.array(labels, float)
    picked = labels == 1 if is_mql is None else np.array(is_mql, bool)
    names = np.arange(len(labels)) if leads is None else np.array(leads)
    return Judged(labels, np.full(len(labels), 0.25), picked, names.astype(object))


def test_each_group_has_its_rates_and_small_ones_are_one_group():
    values = pd.Series(["x"] * 40 + ["y"] * 60 + ["z"] * 20 + ["w"] * 10, dtype="str")
    found = group_outcomes(values, judged([1] * 10 + [0] * 30 + [0] * 60 + [1] * 3 + [0] * 27))
    rows = found.set_index("group")
    assert list(found["group"]) == ["y", "x", "(small groups)"]
    assert rows["leads"].to_dict() == {"y": 60, "x": 40, "(small groups)": 30}
    assert rows["rate"].to_dict() == {"y": 0.0, "x": 0.25, "(small groups)": 0.1}
    assert rows["mql_share"].to_dict() == rows["rate"].to_dict()
    assert rows["promised"].to_dict() == dict.fromkeys(rows.index, 0.25)
    # Wilson, 10 of 40 at 95 %: (0.25 + 0.048 ± 0.139) / 1.096.
    interval = (rows.loc["x", "low"], rows.loc["x", "high"])
    assert interval == pytest.approx((0.1419, 0.4019), abs=5e-4)


def test_what_is_left_over_is_not_shown_if_it_would_tell_of_single_people():
    values = pd.Series(["x"] * 40 + ["y"] * 29, dtype="str")
    assert list(group_outcomes(values, judged([0] * 69))["group"]) == ["x"]


def test_a_lead_that_is_looked_at_often_is_one_lead():
    values = pd.Series(["x"] * 60, dtype="str")
    assert group_outcomes(values, judged([0] * 60, leads=[i // 3 for i in range(60)])).empty


def test_numbers_are_cut_into_bands_of_equal_size_in_their_order():
    ages = pd.Series([*range(20, 60)] * 4 + [np.nan] * 40, dtype=float)
    names = ["up to 29", "over 29 to 39", "over 39 to 49", "over 49", "(missing)"]
    found = group_outcomes(ages, judged([0] * 200))
    assert list(found["group"]) == names
    assert list(found["leads"]) == [40] * 5


def test_a_number_that_is_always_the_same_is_one_group():
    assert set(named_groups(pd.Series([3.0, 3.0]))) == {"all"}
    assert set(named_groups(pd.Series([np.nan, np.nan]))) == {"(missing)"}
