import numpy as np
import pandas as pd
import pytest
from tests.builders import at

from mqlml import timeline
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import make_split
from mqlml.errors import ConfigError, DataError

DAY = timeline.MICROS_PER_DAY
FLAT = TargetSettings(stage="outcome")
HORIZON = TargetSettings(stage="sql", horizon_days=20)


def daily(leads, *, positive_every=4, per_day=1):
    """One point per lead, `per_day` leads a day from 2026-01-01; every n-th converts."""
    as_of = at("2026-01-01") + np.arange(leads) // per_day * DAY
    return pd.DataFrame({
        "lead_id": [f"L{i:05d}" for i in range(leads)],
        "as_of": as_of, "cohort": as_of,
        "label": (np.arange(leads) % positive_every == 0).astype(float),
    })  # fmt: skip


def weekly(leads, weeks, *, positive_every=4):
    """`weeks` points per lead, one new lead a day; every n-th converts after its last week."""
    points = daily(leads).loc[np.repeat(np.arange(leads), weeks)].reset_index(drop=True)
    week = np.tile(np.arange(weeks), leads)
    points["as_of"] += week * 7 * DAY
    is_positive = np.repeat(np.arange(leads) % positive_every == 0, weeks)
    points["label"] = (is_positive & (week == weeks - 1)).astype(float)
    return points.sort_values(["as_of", "lead_id"], kind="stable", ignore_index=True)


def test_the_last_share_of_leads_is_the_test():
    split = make_split(daily(100), FLAT, SplitSettings(test_share=0.2))
    assert split.test.tolist() == list(range(80, 100))
    assert split.test_from == at("2026-01-01") + 80 * DAY
    assert split.development.tolist() == list(range(80))


def test_points_without_a_label_belong_to_no_block():
    points = daily(120)
    points.loc[100:, "label"] = np.nan
    split = make_split(points, FLAT, SplitSettings(test_share=0.2))
    assert split.test.tolist() == list(range(80, 100))


def test_what_trains_is_decided_a_horizon_before_the_next_block_begins():
    split = make_split(daily(200), HORIZON, SplitSettings())
    # The test begins on day 160; a label of day 140 is decided on day 160, one of day 141 is not.
    assert split.development.max() == 140
    for fold in split.folds:
        assert fold.train.max() == fold.valid.min() - 20


def test_the_reporting_lag_widens_the_gap():
    target = TargetSettings(stage="sql", horizon_days=20, reporting_lag_days=5)
    split = make_split(daily(200), target, SplitSettings())
    assert split.development.max() == 135


def test_forward_folds_expand_and_their_slices_follow_one_another():
    split = make_split(daily(200), FLAT, SplitSettings(folds=4))
    # 160 development leads: a fifth to begin with, then four slices of a fifth each.
    assert [f.valid.tolist() for f in split.folds] == [
        list(range(start, start + 32)) for start in (32, 64, 96, 128)
    ]
    assert [len(f.train) for f in split.folds] == [32, 64, 96, 128]
    assert split.calibration.tolist() == list(range(128, 160))


def test_leads_of_one_time_stay_on_one_side():
    # Ten times of thirty leads; a third of all leads needs the last four times.
    split = make_split(daily(300, per_day=30), FLAT, SplitSettings(test_share=0.33))
    assert split.test.tolist() == list(range(180, 300))
    for fold in split.folds:
        assert fold.train.max() + 1 == fold.valid.min()
        assert fold.valid.min() % 30 == 0


def test_a_lead_belongs_to_the_block_of_its_first_point():
    points = weekly(400, 6)
    split = make_split(points, TargetSettings(stage="sql", horizon_days=7), SplitSettings())
    test_leads = set(points["lead_id"].iloc[split.test])
    assert test_leads == {f"L{i:05d}" for i in range(320, 400)}
    assert not test_leads & set(points["lead_id"].iloc[split.development])
    for fold in split.folds:
        assert not set(points["lead_id"].iloc[fold.valid]) & set(points["lead_id"].iloc[fold.train])


def test_late_points_of_early_leads_do_not_train_for_a_later_block():
    points = weekly(400, 6)
    target = TargetSettings(stage="sql", horizon_days=7)
    split = make_split(points, target, SplitSettings())
    assert points["as_of"].iloc[split.development].max() + 7 * DAY <= split.test_from
    for fold in split.folds:
        decided = points["as_of"].iloc[fold.train].max() + 7 * DAY
        assert decided <= points["cohort"].iloc[fold.valid].min()


def test_the_test_may_begin_at_a_date():
    settings = SplitSettings(test_from="2026-05-01")
    split = make_split(daily(200), FLAT, settings)
    assert split.test_from == at("2026-05-01")
    assert split.test.min() == 120  # January to April 2026 have 120 days
    zoned = SplitSettings(test_from="2026-05-01T00:00:00+02:00")
    assert make_split(daily(200), FLAT, zoned).test_from == at("2026-04-30 22:00")


def test_the_test_grows_until_it_holds_both_outcomes():
    points = daily(200)
    points.loc[140:, "label"] = 0.0
    split = make_split(points, FLAT, SplitSettings(test_share=0.2))
    # Five conversions are needed: those of leads 120, 124, 128, 132 and 136.
    assert split.test.min() == 120


def test_slices_with_one_outcome_are_merged_with_their_neighbours():
    points = daily(200)
    points.loc[64:126, "label"] = 0.0
    split = make_split(points, FLAT, SplitSettings(folds=4))
    assert all(points["label"].iloc[f.valid].nunique() == 2 for f in split.folds)
    assert sorted(np.concatenate([f.valid for f in split.folds])) == list(range(32, 160))


def test_a_long_horizon_leaves_fewer_rows_to_begin_with():
    target = TargetSettings(stage="sql", horizon_days=50)
    points = daily(460, per_day=2)
    split = make_split(points, target, SplitSettings(folds=2))
    assert len(split.folds) == 2
    assert len(split.folds[0].train) >= 44


def test_a_first_train_set_smaller_than_a_slice_will_do_when_the_gap_is_long():
    target = TargetSettings(stage="sql", horizon_days=48)
    split = make_split(daily(600, per_day=4), target, SplitSettings(folds=2))
    # The test begins on day 120, so 73 days of leads are decided; a slice of a third of their
    # 292 leads would need 25 days and a gap, which ends on the last of them.
    assert len(split.folds) == 2
    assert 50 <= len(split.folds[0].train) < 97


@pytest.mark.parametrize(
    ("points", "what", "found"),
    [
        (daily(20), "too few leads to learn from", "20 leads with a known outcome of 20"),
        (daily(100).assign(label=np.nan), "no outcome is known yet", "0 leads"),
        (daily(100).assign(label=0.0), "the outcome never happens", "0 converted"),
        (daily(100).assign(label=1.0), "every lead converts", "100 converted"),
        (daily(96, positive_every=8), "too few leads of one outcome", "12 leads that converted"),
        (daily(100, per_day=50), "too few periods to look forward in time", "0 usable forward"),
    ],
)
def test_what_cannot_be_split_is_refused_with_what_was_found(points, what, found):
    with pytest.raises(DataError) as error:
        make_split(points, FLAT, SplitSettings())
    (fault,) = error.value.faults
    assert fault.what == what
    assert found in fault.found
    assert fault.mend


def test_a_history_shorter_than_the_gap_is_refused_with_its_days():
    target = TargetSettings(stage="sql", horizon_days=90)
    with pytest.raises(DataError, match=r"over 99 days, a gap of 90 days"):
        make_split(daily(100), target, SplitSettings())


def test_a_test_date_after_the_data_is_refused():
    with pytest.raises(DataError, match="the test holds 0 converted and 0 other leads"):
        make_split(daily(100), FLAT, SplitSettings(test_from="2027-01-01"))


@pytest.mark.parametrize("text", ["soon", "NaT"])
def test_a_test_date_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="not a date"):
        make_split(daily(100), FLAT, SplitSettings(test_from=text))
