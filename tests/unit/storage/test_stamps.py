import pytest

from mqlml.storage.stamps import stamp, unstamp

MARCH_2 = 1_772_409_600_000_000


@pytest.mark.parametrize(
    ("as_of", "text"),
    [
        (0, "19700101T000000Z"),
        (MARCH_2, "20260302T000000Z"),
        (MARCH_2 + 1, "20260302T000000.000001Z"),
    ],
)
def test_a_stamp_is_read_back_as_the_time_it_was_made_from(as_of, text):
    assert stamp(as_of) == text
    assert unstamp(text) == as_of


def test_what_is_no_stamp_is_refused():
    with pytest.raises(ValueError, match="not a stamp"):
        unstamp("2026-03-02")
