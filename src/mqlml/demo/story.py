"""The dates on which the demo's story is played, worked out from the company's settings.

The firm trains a first model, scores three Mondays in a row, hears what sales
says, changes its ideal customer, is warned by the monitor, retrains and reviews.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from mqlml.demo.settings import DemoSettings, day_start, months_after

_SCORED_WEEKS = 3


@dataclass(frozen=True)
class Story:
    """Each step's day; every step is played at midnight UTC, knowing what arrived before.

    `icp_change` is the day from which buyers and sales follow the new profile.
    """

    first_training: date
    scoring: tuple[date, ...]
    icp_change: date
    monitor: date
    retrain: date
    review: date

    @property
    def exports(self) -> tuple[date, ...]:
        """Return the days on which fresh exports are needed, in order, each once."""
        days = {self.first_training, *self.scoring, self.monitor, self.retrain, self.review}
        return tuple(sorted(days))


def make_story(settings: DemoSettings) -> Story:
    """Return the story of the company, on Mondays but for the change itself.

    The first training is four weeks before the change. The monitor looks
    seventeen weeks after it: then the outcomes of nine weeks of points are known
    (a horizon of sixty days). The retraining is in the last week that is
    simulated, so that its newest labels come from the new profile alone.

    ValueError if the company does not change its profile, or is not watched for
    nine months before the first training and five after the change.

    >>> make_story(DemoSettings()).first_training
    datetime.date(2024, 10, 28)
    """
    change = settings.icp_change_on
    last = monday_before(months_after(settings.start, settings.months))
    if change is None:
        raise ValueError("the story needs a change of the ideal customer profile")
    first = monday_before(change - timedelta(weeks=_SCORED_WEEKS + 1))
    monitor = monday_before(change + timedelta(weeks=18))
    if first < months_after(settings.start, 9) or monitor >= last:
        raise ValueError(
            "the story needs nine months before its first training, five after the change"
        )
    return Story(
        first_training=first,
        scoring=tuple(first + timedelta(weeks=week) for week in range(_SCORED_WEEKS)),
        icp_change=change,
        monitor=monitor,
        retrain=last,
        review=last,
    )


def monday_before(day: date) -> date:
    """Return the last Monday before `day`, or `day` itself if it is one.

    >>> monday_before(date(2025, 7, 1))
    datetime.date(2025, 6, 30)
    """
    return day - timedelta(days=day.weekday())


def as_of(day: date) -> int:
    """Return the instant at which a step of `day` is played, in microseconds UTC."""
    return day_start(day)
