"""The breaks of two public tables, found by looking at them week by week."""

from pathlib import Path

import pandas as pd
import pytest
from benchmarks.drift_real import at, replays

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"REAL DATA MISSING: {DATA} is not there"),
]


def test_olist_breaks_at_the_new_year_of_2018_and_banks_rate_moves_after_2008() -> None:
    olist, bank = replays(DATA)
    first = olist.changes[0]
    assert first.kind == "prior"
    low, high = at(first.earliest), at(first.latest)
    assert low is not None
    assert high is not None
    assert low <= pd.Timestamp("2018-01-01") <= high
    assert high - low <= pd.Timedelta(weeks=4)
    assert olist.alarm_at is not None
    assert olist.alarm_at <= pd.Timestamp("2018-02-01")
    # From December 2008 to March 2009 nobody was called; then 45 % said yes, of 5 % before.
    priors = [c for c in bank.changes if c.kind == "prior"]
    found = [at(c.since) for c in priors]
    assert any(s is not None and s >= pd.Timestamp("2008-12-01") for s in found)
