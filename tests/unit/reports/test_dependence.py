import pandas as pd

from mqlml.reports.dependence import dependence_pictures
from mqlml.reports.pictures import Box, Curve


def frame(**more):
    rows = {
        "column": "visits",
        "value": ["0", "2", "9", "missing"],
        "rows": [400, 100, 3, 50],
        "is_supported": [True, True, False, True],
        "mean": [0.1, 0.25, 0.6, 0.05],
        "low": [0.05, 0.1, 0.3, 0.02],
        "high": [0.2, 0.4, 0.9, 0.1],
        "sentence": "visits so far",
        "axis": "engagement",
        "family": "behavioural",
        "dtype": "number",
    }
    return pd.DataFrame(rows | more)


def test_what_few_leads_have_is_grey_and_so_says_the_table():
    (picture,) = dependence_pictures(frame())
    shades = [mark for mark in picture.marks if isinstance(mark, Box) and mark.kind == "shade"]
    assert len(shades) == 1
    assert [row[4].text for row in picture.table.rows] == ["yes", "yes", "no: a guess", "yes"]


def test_the_sentence_tells_between_which_supported_values_the_mean_moves():
    (picture,) = dependence_pictures(frame())
    said = picture.label.replace("\u202f", " ")
    assert "between 5.0 % (at missing) and 25 % (at 2)" in said
    assert "Grey: 1 value that too few leads have" in said


def test_bars_show_how_many_leads_have_each_value():
    (picture,) = dependence_pictures(frame())
    tall = [m.height for m in picture.marks if isinstance(m, Box) and m.kind == "support"]
    assert tall == [28.0, 7.0, 0.2, 3.5]


def test_numbers_are_joined_by_a_line_that_leaves_missing_out_and_categories_are_not():
    (number,) = dependence_pictures(frame())
    (line,) = [mark for mark in number.marks if isinstance(mark, Curve)]
    assert len(line.points.split()) == 3
    (category,) = dependence_pictures(frame(dtype="category"))
    assert not any(isinstance(mark, Curve) for mark in category.marks)


def test_without_columns_there_is_no_picture():
    assert dependence_pictures(pd.DataFrame()) == ()
