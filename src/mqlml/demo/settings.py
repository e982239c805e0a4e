"""Settings of the demo company: its size, its calendar, and what changes in its world and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK

DriftKind = Literal[
    "prior",
    "concept_abrupt",
    "concept_gradual",
    "concept_segment",
    "covariate",
    "definition",
    "sales_cycle",
    "selection",
    "tag_lost",
    "field_renamed",
    "unit_changed",
    "bot_opens",
]


def day_start(day: date) -> int:
    """Return the first microsecond of `day` in UTC.

    >>> day_start(date(1970, 1, 2)) == MICROS_PER_DAY
    True
    """
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def months_after(day: date, months: int) -> date:
    """Return the first day of the month that lies `months` after the month of `day`.

    >>> months_after(date(2024, 11, 1), 3)
    datetime.date(2025, 2, 1)
    """
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


@dataclass(frozen=True)
class Drift:
    """One change of the world: its kind, the day it begins, and how strong it is (1 is plain)."""

    kind: DriftKind
    on: date
    strength: float = 1.0

    @property
    def at(self) -> int:
        """Return the begin of the change in microseconds UTC."""
        return day_start(self.on)


@dataclass(frozen=True)
class DemoSettings:
    """How large the company is, how long it is watched, and what changes.

    `start` is a Monday, because sales plans in calendar weeks. With
    `icp_change_month` the firm moves up-market that many months after the
    start: buyers and sales follow the new profile from that day (an abrupt
    concept change). None keeps the old profile. `drifts` come on top.
    """

    n_leads: int = 12_000
    months: int = 18
    start: date = date(2024, 1, 1)
    icp_change_month: int | None = 11
    handover_share: float = 0.25
    explored_share: float = 0.05
    drifts: tuple[Drift, ...] = ()

    def __post_init__(self) -> None:
        if self.n_leads < 1 or self.months < 1:
            raise ValueError("a company needs at least one lead and one month")
        if self.start.weekday() != 0:
            raise ValueError("the start is a Monday")

    @property
    def start_at(self) -> int:
        """Return the first instant of the simulation in microseconds UTC."""
        return day_start(self.start)

    @property
    def end_at(self) -> int:
        """Return the instant at which the simulation stops (not included)."""
        return day_start(months_after(self.start, self.months))

    @property
    def weeks(self) -> int:
        """Return the number of calendar weeks that begin within the simulation."""
        return -(-(self.end_at - self.start_at) // MICROS_PER_WEEK)

    @property
    def icp_change_on(self) -> date | None:
        """Return the day of the ICP change, or None without one."""
        if self.icp_change_month is None:
            return None
        return months_after(self.start, self.icp_change_month)

    @property
    def all_drifts(self) -> tuple[Drift, ...]:
        """Return every change of the world, the ICP change among them."""
        if self.icp_change_on is None:
            return self.drifts
        return (Drift("concept_abrupt", self.icp_change_on), *self.drifts)

    @property
    def days(self) -> int:
        """Return the length of the simulation in days."""
        return (self.end_at - self.start_at) // MICROS_PER_DAY
