import math

import numpy as np
import pandas as pd
import pytest

from mqlml.reports.curves import calibration_picture, gains_picture
from mqlml.reports.pictures import Box, Curve, Dot, Frame, Line, Scale, Words, curve, ticks, whisker
from mqlml.reports.review import effect_picture
from mqlml.reports.timeline_picture import Champion, weekly_picture

AREA = Frame(Scale(0, 1, 0, 100), Scale(0, 1, 100, 0), ())
WEEK = 7 * 86_400_000_000


def bins(**columns):
    frame = {"rows": [50, 50], "predicted": [0.1, 0.4], "observed": [0.1, 0.6]}
    return pd.DataFrame(frame | {"low": [0.05, 0.45], "high": [0.2, 0.7]} | columns)


def weeks(**columns):
    frame = {
        "week": [0, WEEK, 2 * WEEK],
        "leads": [100, 100, 100],
        "expected": [0.1, 0.1, 0.1],
        "observed": [0.1, 0.3, np.nan],
        "low": [0.05, 0.2, np.nan],
        "high": [0.2, 0.4, np.nan],
    }
    return pd.DataFrame(frame | columns)


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 0.07, [0, 0.02, 0.04, 0.06]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (3, 3, [3]),
        (0, math.nan, [0]),
    ],
)
def test_ticks_are_round(low, high, values):
    assert ticks(low, high) == values


def test_a_value_beyond_the_scale_is_drawn_at_its_end():
    scale = Scale(0, 2, 10, 20)
    assert [scale.at(value) for value in (-1, 0, 1, 2, 9)] == [10, 10, 15, 20, 20]
    assert Scale(3, 3, 10, 20).at(3) == 15


def test_a_curve_leaves_out_points_with_a_missing_value():
    drawn = curve("main", AREA, [0, 0.5, 1], [0, math.nan, 1])
    assert drawn.points == "0,100 100,0"


def test_an_interval_without_an_end_is_not_drawn():
    assert whisker("main", AREA, 0.5, (0.1, math.nan)) == []
    assert len(whisker("main", AREA, 0.5, (0.1, 0.2))) == 3


def test_calibration_says_in_how_many_groups_the_promise_was_kept():
    picture = calibration_picture(bins())
    assert "2 groups of leads: in 1 of them" in picture.label
    assert len([mark for mark in picture.marks if isinstance(mark, Dot)]) == 2
    assert [cell.text.replace("\u202f", " ") for cell in picture.table.rows[0]] == [
        "10 %",
        "10 %",
        "5.0 % to 20 %",
        "50",
    ]


def test_calibration_without_outcomes_is_an_empty_area_that_says_so():
    picture = calibration_picture(bins().head(0))
    assert picture.label.startswith("No outcomes are known")
    assert not picture.table.rows


def test_gains_name_every_curve_and_draw_the_first_on_top():
    frame = pd.DataFrame({"share": [0.2, 1], "found": [0.6, 1], "lift": [3, 1]})
    picture = gains_picture({"Gradient boosting": frame, "Points rules": frame.assign(found=0.4)})
    curves = [mark for mark in picture.marks if isinstance(mark, Curve)]
    assert [mark.kind for mark in curves] == ["second", "main"]
    assert "gradient boosting finds 60" in picture.label
    assert "points rules finds 40" in picture.label
    assert len(picture.table.heads) == 5
    assert len(picture.table.rows) == 2


def test_gains_of_nothing_say_so():
    assert "nothing can be counted" in gains_picture({}).label
    unknown = pd.DataFrame({"share": [0.2], "found": [np.nan], "lift": [np.nan]})
    assert "nothing can be counted" in gains_picture({"Base rate": unknown}).label


def test_weeks_that_are_not_mature_are_shaded_and_have_no_dot():
    picture = weekly_picture(weeks(), [])
    assert len([mark for mark in picture.marks if isinstance(mark, Dot)]) == 2
    assert [mark.kind for mark in picture.marks if isinstance(mark, Box)] == ["shade"]
    assert "In 1 of 2 weeks with known outcomes" in picture.label


def test_weeks_that_are_all_mature_have_no_shade():
    known = weeks(observed=[0.1] * 3, low=[0.05] * 3, high=[0.2] * 3)
    picture = weekly_picture(known, [])
    assert not [mark for mark in picture.marks if isinstance(mark, Box)]


def test_a_first_week_without_outcomes_can_be_drawn():
    young = weeks(observed=[np.nan] * 3, low=[np.nan] * 3, high=[np.nan] * 3)
    picture = weekly_picture(young.head(1), [])
    assert picture.label == "No week's outcomes are known yet."


def test_a_champion_is_a_line_inside_the_weeks_and_nothing_outside():
    champions = [Champion(WEEK, "3"), Champion(2 * WEEK, "4"), Champion(9 * WEEK, "5")]
    marks = weekly_picture(weeks(), champions).marks
    told = [m for m in marks if isinstance(m, Words) and m.text.startswith("version")]
    assert [(mark.text, mark.anchor) for mark in told] == [
        ("version 3", "start"),
        ("version 4", "end"),
    ]


def effects(**columns):
    frame = {
        "feature": ["webinars", "visits", "industry = steel"],
        "sentence": ["webinars", "visits", "industry"],
        "share": [0.5, 0.3, 0.2],
        "effect": [-0.5, np.nan, 0.4],
        "low": [-0.8, np.nan, np.nan],
        "high": [-0.2, np.nan, np.nan],
        "verdicts": [100, 3, 50],
        "tier": ["confirmed", "none", "none"],
        "class": ["model over-rates", "too few verdicts", "agree"],
    }
    return pd.DataFrame(frame | columns)


def test_effects_are_numbered_like_their_table_and_unknown_ones_are_not_drawn():
    picture = effect_picture(effects())
    dots = [mark for mark in picture.marks if isinstance(mark, Dot)]
    assert [dot.kind for dot in dots] == ["second", "third"]
    numbers = [m.text for m in picture.marks if isinstance(m, Words) and m.text in "123"]
    assert numbers == ["1", "3"]
    assert picture.table.rows[2][0].text == "3. industry"
    assert picture.table.rows[2][0].below == "= steel"
    assert picture.table.rows[2][3].text == "–"
    assert "Of 2 features" in picture.label
    assert "fewer leads with 1 and clearly more with 0" in picture.label
    assert len([m for m in picture.marks if isinstance(m, Line) and "whisker" in m.kind]) == 3


def test_verdicts_that_say_nothing_are_told_as_such():
    assert "no feature" in effect_picture(effects(tier="none")).label
    found = effect_picture(effects(tier="indicated"))
    assert "main" in {mark.kind for mark in found.marks if isinstance(mark, Dot)}
