"""The firm that the whole loop is measured on: no look into the future, a change of known size."""

import numpy as np
from benchmarks.loop_firm import watched_firm

from mqlml.timeline import MICROS_PER_WEEK, NEVER


def test_monitoring_is_shown_nothing_of_the_week_it_looks_in_or_of_later_ones() -> None:
    watched = watched_firm(4, "concept", leads_a_week=30, weeks=80)
    history = watched.history(watched.first_model, 55)
    end = 55 * MICROS_PER_WEEK
    assert history.as_of.max() < end
    dated = history.converted_at[history.converted_at != NEVER]
    assert 0 < dated.max() < end
    whole = watched.history(watched.first_model, 80)
    assert (whole.converted_at != NEVER).sum() > len(dated)
    # What is known of a lead on the day after the horizon is what became of it.
    mature = watched.mature(55)
    known = watched.outcomes(mature, 55)
    assert known.known_share.min() == 1.0
    assert known.came.tolist() == (watched.converted_at[mature] != NEVER).tolist()


def test_a_change_takes_so_much_of_the_weight_and_gives_as_much_to_other_columns() -> None:
    watched = watched_firm(4, "concept", leads_a_week=30, weeks=80, changed_share=0.59)
    before, after = watched.firm.beta, watched.firm.beta_new
    lost, gained = (before != 0) & (after == 0), (before == 0) & (after != 0)
    share = (before[lost] ** 2).sum() / (before**2).sum()
    assert 0.4 < share <= 0.59
    assert np.isclose((after[gained] ** 2).sum(), (before[lost] ** 2).sum())
    assert np.array_equal(after[~lost & ~gained], before[~lost & ~gained])
