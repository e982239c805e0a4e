import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mqlml.features.signals import Signal
from mqlml.storage.changed_events import examples_of, read_lead_events, write_versions
from mqlml.tables.contracts import EventLog
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR

NOON = 1_772_452_800_000_000  # 2026-03-02 12:00 UTC
VISIT, ASKED = Signal("visit", "type = 'visit'", "visits"), Signal("ask", "type = 'ask'", "asks")
NEVER = Signal("never", "type = 'never'", "nothing")
UTC = pa.timestamp("us", "UTC")


def write(folder, *rows):
    """Write events (id, lead, days before noon, type, is_bot) as a log; return it."""
    ids, leads, days, types, bots = zip(*rows, strict=True)
    at = pa.array([NOON - day * MICROS_PER_DAY for day in days], pa.int64()).cast(UTC)
    table = pa.table(
        {
            "event_id": pa.array(ids),
            "lead_id": pa.array(leads),
            "occurred_at": at,
            "arrived_at": at,
            "type": pa.array(types).dictionary_encode(),
            "is_bot": pa.array(bots),
        }
    )
    (folder / "bucket=0").mkdir(parents=True)
    pq.write_table(table, folder / "bucket=0" / "part.parquet")
    return EventLog(folder, table.num_rows)


@pytest.fixture
def events(tmp_path):
    """Return what lead "a" did before noon: two visits, one by a robot; others asked."""
    log = write(
        tmp_path / "log",
        ("1", "a", 5, "visit", False),
        ("2", "a", 3, "visit", False),
        ("3", "a", 2, "visit", True),
        ("4", "a", 0, "visit", False),  # at noon itself: not seen
        ("5", "b", 9, "ask", False),
    )
    signals = (VISIT, ASKED, NEVER)
    return read_lead_events(log, examples_of(log, signals), "a", NOON, signals)


def told(table):
    """Return (lead, hours before noon, type) of each event, the latest first."""
    hours = (NOON - table["occurred_at"].cast(pa.int64()).to_numpy()) / MICROS_PER_HOUR
    rows = zip(table["lead_id"].to_pylist(), hours, table["type"].to_pylist(), strict=True)
    return sorted(rows, key=lambda row: row[1])


def test_nothing_changed_is_what_the_lead_did_before_the_moment(events):
    assert told(events.as_is("x")) == [
        ("x", 48.0, "visit"),
        ("x", 72.0, "visit"),
        ("x", 120.0, "visit"),
    ]


def test_more_happened_half_a_day_before_the_moment_and_a_day_before_that_each(events):
    found = told(events.version("x", "visit", 2))
    assert found[:2] == [("x", 12.0, "visit"), ("x", 36.0, "visit")]
    assert len(found) == 5


def test_what_the_lead_never_did_is_copied_from_somebody_who_did(events):
    assert told(events.version("x", "ask", 1))[0] == ("x", 12.0, "ask")
    assert events.version("x", "never", 1) is None


def test_fewer_takes_the_latest_away_but_no_robots(events):
    found = told(events.version("x", "visit", -1))
    assert found == [("x", 48.0, "visit"), ("x", 120.0, "visit")]
    assert events.version("x", "visit", -3) is None
    assert events.version("x", "ask", -1) is None


def test_versions_lie_in_one_log_by_lead_and_time(events, tmp_path):
    both = [events.version("2", "visit", 1), events.version("1", "visit", -1)]
    log = write_versions(EventLog(tmp_path, 0), both, tmp_path / "new")
    found = pd.read_parquet(log.folder / "bucket=0" / "part.parquet")
    assert list(found["lead_id"]) == ["1"] * 2 + ["2"] * 4
    assert log.rows == 6
    for _, times in found.groupby("lead_id")["occurred_at"]:
        assert times.is_monotonic_increasing
