import math

import numpy as np
import pandas as pd

from mqlml.reports.summaries import found_at, rate_frame


def test_an_immature_lead_counts_as_a_lead_but_not_in_the_rate():
    frame = rate_frame(["b", "a", "a", "a"], [np.nan, 1, 0, np.nan]).set_index("group")
    assert list(frame.index) == ["a", "b"]
    assert frame.loc["a", ["leads", "known", "conversions", "rate"]].tolist() == [3, 2, 1, 0.5]
    assert frame.loc["b", "leads"] == 1
    assert frame.loc["b", ["rate", "low", "high"]].isna().all()


def test_the_interval_is_wilsons():
    frame = rate_frame(["a"] * 10, [1] + [0] * 9)
    # 1 of 10 by hand: centre (0.1 + 0.19207) / 1.38415, half 0.2055 / 1.38415 …
    assert frame.loc[0, ["low", "high"]].round(4).tolist() == [0.0179, 0.4042]


def test_the_found_share_is_read_from_the_curve_or_missing():
    gains = pd.DataFrame({"share": [0.1, 0.2], "found": [0.3, 0.5]})
    assert found_at(gains, 0.2) == 0.5
    assert math.isnan(found_at(gains, 0.15))
