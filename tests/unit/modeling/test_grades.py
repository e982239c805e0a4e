import json

import numpy as np
import pandas as pd
import pytest

from mqlml.modeling.grades import AxisBands, GradeCuts, cut_grades

CUTS = GradeCuts(AxisBands(("A", "B", "D"), (1.0, 0.0)), AxisBands(("1", "4"), (0.5,)))


def parts(fit: list[float], engagement: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"base": 0.0, "fit": fit, "engagement": engagement})


def test_a_part_that_reaches_a_cut_is_in_the_better_band() -> None:
    grades = CUTS.grades(parts([1.0, 0.99, 0.0, -1.0], [0.5, 0.4, 0.5, 0.0]))
    assert grades.tolist() == ["A1", "B4", "B1", "D4"]
    assert grades.dtype == "str"


def test_bands_that_convert_differently_are_all_kept() -> None:
    part = np.arange(4_000) / 4_000
    labels = (np.random.default_rng(0).random(4_000) < part**2).astype(float)
    cuts = cut_grades(parts(part.tolist(), part.tolist()), labels)
    assert cuts.fit.names == ("A", "B", "C", "D")
    assert cuts.fit.cuts == pytest.approx((0.9, 0.75, 0.5), abs=0.001)
    assert cuts.engagement.names == ("1", "2", "3", "4")


def test_neighbours_that_convert_alike_carry_the_lesser_name() -> None:
    # The upper half converts at one rate, the lower half never.
    part = np.arange(4_000) / 4_000
    labels = ((part >= 0.5) & (np.arange(4_000) % 2 == 0)).astype(float)
    assert cut_grades(parts(part.tolist(), part.tolist()), labels).fit.names == ("C", "D")


def test_a_part_that_says_nothing_is_one_band_with_the_last_name() -> None:
    labels = np.array([0.0, 1.0] * 50)
    cuts = cut_grades(parts([0.0] * 100, [0.0] * 100), labels)
    assert cuts.grades(parts([0.0], [0.0])).tolist() == ["D4"]


def test_cuts_survive_json() -> None:
    assert GradeCuts.from_json(json.loads(json.dumps(CUTS.to_json()))) == CUTS
