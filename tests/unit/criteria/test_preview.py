import math

import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.preview import History, Version, moved_today, preview, restated
from mqlml.criteria.settings import Criteria, Rule, Thresholds
from mqlml.timeline import MICROS_PER_WEEK

DEMO = Rule(name="demo", when="demo")
OLD = Version(Criteria(version=1), 0.5)
LOWER = Version(Criteria(version=2), 0.3)


def history(*rows: tuple[str, int, float, float, str]) -> History:
    """Return points of (lead, week, probability, label, persona), in order of time."""
    points = pd.DataFrame(rows, columns=["lead_id", "as_of", "probability", "label", "segment"])
    points["as_of"] *= MICROS_PER_WEEK
    points = points.sort_values(["as_of", "lead_id"], ignore_index=True)
    return History(
        points=points[["lead_id", "as_of", "label"]],
        probability=points["probability"].to_numpy(float),
        rows=pd.DataFrame({"demo": points["lead_id"] == "z"}),
        segment=points["segment"],
    )


PAST = history(
    ("a", 0, 0.9, 1.0, "boss"),
    ("a", 1, 0.2, 0.0, "boss"),
    ("b", 0, 0.4, 0.0, "boss"),
    ("b", 1, 0.6, 1.0, "boss"),
    ("c", 1, 0.35, 0.0, "clerk"),
    ("d", 1, 0.1, 0.0, "clerk"),
    ("e", 1, 0.55, math.nan, "clerk"),
)


def test_a_lead_counts_once_in_the_week_it_first_goes_to_sales() -> None:
    found = preview(PAST, OLD, LOWER, weeks=2)
    assert found.by_week["old"].to_list() == [1, 2]
    assert found.by_week["new"].to_list() == [2, 2]
    assert found.old.volume.mean == 1.5
    # Two weeks of 1 and 2: standard deviation √.5, half width 1.96·√.5/√2 = .98.
    assert found.old.volume.low == pytest.approx(0.52, abs=0.001)
    assert found.new.volume.most == 2


def test_precision_is_of_leads_whose_outcome_is_final() -> None:
    found = preview(PAST, OLD, LOWER, weeks=2)
    # Old: a (1) and b at week 1 (1); e is open. New: a (1), b already at week 0 (0), c (0).
    assert (found.old.handed.leads, found.old.handed.mature, found.old.handed.converted) == (
        3,
        2,
        2,
    )
    assert (found.new.handed.leads, found.new.handed.mature, found.new.handed.converted) == (
        4,
        3,
        1,
    )
    assert found.gain == pytest.approx(1 / 3 - 1)
    assert found.gain_low <= found.gain <= found.gain_high
    # Wilson at 1 of 3.
    assert found.new.handed.low == pytest.approx(0.0615, abs=0.0005)
    assert found.new.handed.high == pytest.approx(0.7923, abs=0.0005)


def test_who_enters_and_who_leaves_is_named() -> None:
    found = preview(PAST, OLD, LOWER, weeks=2)
    assert (found.entering, found.leaving) == (("c",), ())
    back = preview(PAST, LOWER, OLD, weeks=2)
    assert (back.entering, back.leaving) == ((), ("c",))
    assert (back.leaves.leads, back.leaves.converted) == (1, 0)


def test_segments_are_told_apart() -> None:
    table = preview(PAST, OLD, LOWER, weeks=2).by_segment.set_index("segment")
    assert table["old_leads"].to_dict() == {"boss": 2, "clerk": 1}
    assert table["new_leads"].to_dict() == {"boss": 2, "clerk": 2}
    assert table.loc["clerk", "new_precision"] == 0.0
    assert math.isnan(table.loc["clerk", "old_precision"])


def test_who_went_to_sales_before_the_weeks_does_not_go_again() -> None:
    found = preview(PAST, OLD, OLD, weeks=1)
    assert found.by_week["old"].to_list() == [2]
    assert found.old.handed.leads == 2
    assert math.isnan(found.old.volume.low)


def test_the_same_version_changes_nothing() -> None:
    found = preview(PAST, OLD, OLD, weeks=2)
    assert (found.gain, found.gain_low, found.gain_high) == (0, 0, 0)
    assert found.entering == found.leaving == ()


def test_when_nobody_goes_to_sales_there_is_no_precision_to_compare() -> None:
    found = preview(PAST, OLD, Version(Criteria(version=3), 1.0), weeks=2)
    assert found.new.handed.leads == 0
    assert math.isnan(found.gain) and math.isnan(found.gain_low)  # noqa: PT018
    assert found.leaving == ("a", "b", "e")


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(3)
    many = history(
        *(
            (f"l{i}", int(rng.integers(0, 5)), p, float(rng.random() < p), "x")
            for i, p in enumerate(rng.random(200))
        )
    )
    one, other = (preview(many, OLD, LOWER, weeks=5, seed=7) for _ in range(2))
    assert (one.gain_low, one.gain_high) == (other.gain_low, other.gain_high)
    assert one.gain_low < one.gain < one.gain_high < 0


def test_today_only_leads_whose_outcome_differs_are_shown() -> None:
    asks = Version(
        Criteria(version=2, hand_raisers=(DEMO,), thresholds=Thresholds(mql_probability=0.5)), 0.5
    )
    today = history(("z", 0, 0.1, math.nan, "boss"), ("y", 0, 0.1, math.nan, "clerk"))
    moved = moved_today(today, OLD, asks)
    assert moved.to_dict("records") == [
        {
            "lead_id": "z",
            "segment": "boss",
            "probability": 0.1,
            "before": "cold",
            "after": "hand_raiser",
        }
    ]


def test_history_is_told_as_it_was_in_force_and_under_every_version() -> None:
    # Version 1 was in force in week 0, version 2 from week 1 on.
    in_force = (PAST.points["as_of"] >= MICROS_PER_WEEK).to_numpy().astype(np.intp)
    table = restated(PAST, [OLD, LOWER], in_force, weeks=1)
    leads = table.pivot(index="period", columns="version", values="leads").to_numpy().tolist()
    # As in force: a in week 0; b, c and e in week 1.
    assert leads == [[1, 1, 2], [3, 2, 2]]
    first = table[(table["version"] == 0)].iloc[0]
    assert (first["mature"], first["precision"]) == (1, 1.0)
    alone = restated(PAST, [OLD], np.zeros(len(PAST.points), dtype=np.intp), weeks=2)
    assert alone["leads"].to_list() == [3, 3]
