from bisect import bisect_right
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mqlml.errors import ConfigError
from mqlml.sources.zones import checked_zone, instant, stretches

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock


def micros(wall):
    return (wall - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca"]
)
def test_every_half_hour_of_a_year_has_the_offset_that_zoneinfo_gives_it(name):
    zone, found = ZoneInfo(name), stretches(name)
    starts = [s.local_from for s in found]
    assert starts == sorted(starts)
    for step in range(48 * 365):
        wall = datetime(2017, 1, 1) + timedelta(minutes=30 * step)  # noqa: DTZ001
        offset = wall.replace(tzinfo=zone).utcoffset() // timedelta(microseconds=1)
        assert found[bisect_right(starts, micros(wall)) - 1].offset == offset


def test_the_hour_that_never_happens_and_the_one_that_happens_twice_are_marked():
    special = {
        datetime(2024, 3, 31, 2): "gap",  # noqa: DTZ001
        datetime(2024, 10, 27, 2): "twice",  # noqa: DTZ001
    }
    found = {s.local_from: s for s in stretches("Europe/Berlin")}
    for wall, kind in special.items():
        stretch = found[micros(wall)]
        assert (stretch.is_gap, stretch.is_twice) == (kind == "gap", kind == "twice")
        assert micros(wall + timedelta(hours=1)) in found


def test_a_zone_without_changes_is_one_stretch():
    assert len(stretches("UTC")) == 1


@pytest.mark.parametrize("name", ["Europe/Berln", "../etc", ""])
def test_a_zone_that_does_not_exist_is_a_config_error(name):
    with pytest.raises(ConfigError, match="unknown time zone"):
        checked_zone(name, "timezone")


def test_an_instant_takes_its_own_offset_before_the_zone():
    assert instant("1970-01-01T02:00+02:00", "America/New_York", "x") == 0
    assert instant("1970-01-01", "Europe/Berlin", "x") == -3_600_000_000
