from datetime import date

import pytest

from mqlml.demo.settings import DemoSettings, day_start
from mqlml.demo.story import as_of, make_story


def test_the_story_of_the_default_company_has_these_days() -> None:
    story = make_story(DemoSettings())
    assert story.first_training == date(2024, 10, 28)
    assert story.scoring == (date(2024, 10, 28), date(2024, 11, 4), date(2024, 11, 11))
    assert story.icp_change == date(2024, 12, 1)
    assert story.monitor == date(2025, 3, 31)
    assert story.retrain == story.review == date(2025, 6, 30)


def test_steps_of_one_day_share_an_export() -> None:
    story = make_story(DemoSettings())
    assert story.exports == (
        date(2024, 10, 28),
        date(2024, 11, 4),
        date(2024, 11, 11),
        date(2025, 3, 31),
        date(2025, 6, 30),
    )


def test_every_step_but_the_change_is_on_a_monday() -> None:
    story = make_story(DemoSettings(months=20, icp_change_month=13))
    days = {story.monitor, story.retrain, *story.exports}
    assert {day.weekday() for day in days} == {0}


def test_a_step_is_played_at_midnight_utc() -> None:
    assert as_of(date(2025, 3, 31)) == day_start(date(2025, 3, 31))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (DemoSettings(icp_change_month=None), "a change of the ideal customer"),
        (DemoSettings(icp_change_month=9), "nine months before"),
        (DemoSettings(months=15, icp_change_month=12), "five after"),
    ],
)
def test_a_company_without_room_for_the_story_is_refused(
    settings: DemoSettings, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make_story(settings)
