import pytest

from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import in_force, starts_at, version_faults
from mqlml.errors import ConfigError
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR

EVER = Criteria(version=1)
SECOND_DAY = Criteria(version=2, valid_from="1970-01-02")
FIFTH_DAY = Criteria(version=3, valid_from="1970-01-05")


@pytest.mark.parametrize(
    ("as_of", "version"),
    [
        (0, 1),
        (MICROS_PER_DAY - 1, 1),
        (MICROS_PER_DAY, 2),
        (4 * MICROS_PER_DAY - 1, 2),
        (4 * MICROS_PER_DAY, 3),
        (99 * MICROS_PER_DAY, 3),
    ],
)
def test_a_version_is_in_force_from_its_midnight_until_the_next_ones(as_of, version) -> None:
    assert in_force([FIFTH_DAY, EVER, SECOND_DAY], as_of).version == version


def test_midnight_is_that_of_the_zone() -> None:
    # Berlin kept no summer time in 1970: its midnight is 23:00 UTC of the day before.
    assert starts_at(SECOND_DAY, "Europe/Berlin") == MICROS_PER_DAY - MICROS_PER_HOUR


def test_before_the_first_version_nothing_is_in_force() -> None:
    with pytest.raises(ConfigError, match="version 2 is valid from 1970-01-02"):
        in_force([FIFTH_DAY, SECOND_DAY], 0)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"version": 3, "valid_from": "1970-01-02"}, "two active versions: versions 2 and 3"),
        ({"version": 2, "valid_from": "1970-01-09"}, "two files are one version"),
        ({"version": 3}, "versions 2 and 3 are valid in the wrong order"),
    ],
)
def test_two_versions_that_could_both_be_meant_are_refused(other, what) -> None:
    (fault,) = version_faults([Criteria(**other), SECOND_DAY])
    assert fault.what == what


def test_versions_in_order_have_no_fault() -> None:
    assert list(version_faults([EVER, SECOND_DAY, FIFTH_DAY])) == []
