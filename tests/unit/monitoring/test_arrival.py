import pytest
from tests.builders import at, write_events

from mqlml.monitoring.arrival import arrival_delays, arrival_warnings


def event(lead: str, source: str, occurred: str, arrived: str) -> dict[str, object]:
    return {"lead_id": lead, "source": source, "occurred_at": occurred, "arrived_at": arrived}


def test_delays_are_told_by_source_of_late_and_before(tmp_path) -> None:
    log = write_events(
        tmp_path,
        [
            # Of late, from 2026-02-02 on: one, one and 48 hours.
            event("a", "web", "2026-02-10T00:00", "2026-02-10T01:00"),
            event("b", "web", "2026-02-11T00:00", "2026-02-11T01:00"),
            event("c", "web", "2026-02-10T00:00", "2026-02-12T00:00"),
            # Before: at once, and ten hours.
            event("a", "web", "2026-01-10T00:00", "2026-01-10T00:00"),
            event("b", "web", "2026-01-10T00:00", "2026-01-10T10:00"),
            # At the moment of the look: not seen.
            event("b", "web", "2026-03-01T00:00", "2026-03-02T00:00"),
            event("c", "mail", "2026-01-10T00:00", "2026-01-10T00:00"),
        ],
    )
    found = arrival_delays(log, as_of=at("2026-03-02"), recent_days=28)
    assert found["source"].tolist() == ["mail", "web"]
    mail, web = found.to_dict("records")
    assert (mail["events"], mail["before_h"]) == (0, 0.0)
    assert web["events"] == 3
    assert web["median_h"] == pytest.approx(1.0, rel=0.024)
    assert web["slow_h"] == pytest.approx(48.0, rel=0.024)
    assert web["late_share"] == pytest.approx(1 / 3)
    assert (web["before_h"], web["slow_before_h"]) == (0.0, pytest.approx(10.0, rel=0.024))


def test_events_that_arrived_before_they_happened_did_not_wait(tmp_path) -> None:
    ahead = event("a", "web", "2026-02-10T06:00", "2026-02-10T00:00")
    found = arrival_delays(write_events(tmp_path, [ahead]), as_of=at("2026-03-02"), recent_days=28)
    assert found[["median_h", "late_share"]].to_numpy().tolist() == [[0.0, 0.0]]


def test_without_events_there_are_no_sources(tmp_path) -> None:
    found = arrival_delays(write_events(tmp_path, []), as_of=at("2026-03-02"), recent_days=28)
    assert len(found) == 0


def test_a_clock_a_day_off_is_told_whichever_way_it_is_off(tmp_path) -> None:
    days = [f"2026-01-{day:02d}" for day in range(1, 29)]
    usual = [
        event("a", s, f"{d}T08:00", f"{d}T09:00") for d in days for s in ("web", "mail", "ads")
    ]
    pairs = [(f"2026-02-{day:02d}", f"2026-02-{day + 1:02d}") for day in range(3, 27)]
    lately = [
        *(event("a", "web", f"{d}T08:00", f"{d}T09:00") for d, _ in pairs),
        # A day behind: what arrives at nine seems to have happened the day before.
        *(event("a", "mail", f"{d}T08:00", f"{after}T09:00") for d, after in pairs),
        # A day ahead: it arrives before it happens.
        *(event("a", "ads", f"{after}T08:00", f"{d}T09:00") for d, after in pairs),
    ]
    log = write_events(tmp_path, [*usual, *lately])
    found = arrival_delays(log, as_of=at("2026-03-02"), recent_days=28)
    ads, mail = arrival_warnings(found)
    assert ads.startswith("ads: 100% of the latest events arrived before they happened")
    assert mail.startswith("mail: events arrive later than they did")
    before = arrival_delays(log, as_of=at("2026-02-01"), recent_days=28)
    assert arrival_warnings(before) == ()
