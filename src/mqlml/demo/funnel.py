"""The weekly loop of the firm: who is handed over, what sales says, who decides to buy.

Every Monday: leads with the most points (and hand-raisers, and a few picked by
chance) go to sales; reps accept or reject; every open lead may decide to buy with
its true probability of that week.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import buyers, catalogue, sales
from mqlml.demo.activity import LIFE_WEEKS, Activity
from mqlml.demo.draws import Dice, in_office
from mqlml.demo.drift import SEGMENT_COUNTRIES, concept_share, progress
from mqlml.demo.settings import DemoSettings, DriftKind
from mqlml.timeline import MICROS_PER_HOUR, MICROS_PER_SECOND, MICROS_PER_WEEK, NEVER

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Market:
    """What the weekly loop reads: the leads, their true parts and their points."""

    settings: DemoSettings
    people: pd.DataFrame
    fit_old: Floats
    fit_new: Floats
    in_old: Flags
    in_new: Flags
    in_segment: Flags
    engagement: Floats
    signups: Floats
    points_fixed: Floats
    points_signals: Floats
    asked_at: Ints
    first_week: Ints

    def week_of_life(self, leads: Ints, monday: int) -> Ints:
        """Return the calendar weeks since the week of each lead's creation."""
        week = (monday - self.settings.start_at) // MICROS_PER_WEEK
        return np.asarray(week - self.first_week[leads], dtype=np.int64)

    def changed(self, kind: DriftKind, monday: int) -> float:
        """Return how far a change of the world has come on `monday`."""
        return float(progress(self.settings.all_drifts, kind, np.array([monday]))[0])

    def new_share(self, leads: Ints, monday: int) -> Floats:
        """Return how much of the new profile holds for each lead on `monday`."""
        at = np.full(len(leads), monday)
        return concept_share(self.settings.all_drifts, at, self.in_segment[leads])

    def fit(self, leads: Ints, monday: int) -> Floats:
        """Return the fit part of the log-odds that holds on `monday`."""
        share = self.new_share(leads, monday)
        return (1.0 - share) * self.fit_old[leads] + share * self.fit_new[leads]


@dataclass
class Course:
    """What has become of each lead so far; times are microseconds UTC, NEVER if not yet."""

    handed_at: Ints
    judged_at: Ints
    closed_at: Ints
    decided_at: Ints
    accepted: Flags
    points: Floats
    route: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]
    rep: Ints
    hazard: Floats = field(repr=False)


def make_market(people: pd.DataFrame, activity: Activity, settings: DemoSettings) -> Market:
    """Return everything that the weekly loop looks up."""
    counts = buyers.weekly_counts(people, activity, settings.start_at)
    fit_old, fit_new = buyers.fit_parts(people)
    return Market(
        settings=settings,
        people=people,
        fit_old=fit_old,
        fit_new=fit_new,
        in_old=_in_profile(people, catalogue.OLD_SIZES, catalogue.OLD_INDUSTRIES),
        in_new=_in_profile(people, catalogue.NEW_SIZES, catalogue.NEW_INDUSTRIES),
        in_segment=people["country"].isin(SEGMENT_COUNTRIES).to_numpy(),
        engagement=buyers.engagement_part(counts),
        signups=np.cumsum(counts["webinar_registered"], axis=1),
        points_fixed=sales.fixed_points(people),
        points_signals=sales.signal_points(counts),
        asked_at=buyers.first_request(people, activity),
        first_week=(people["created"].to_numpy() - settings.start_at) // MICROS_PER_WEEK,
    )


def _in_profile(people: pd.DataFrame, sizes: tuple[int, int], industries: tuple[str, ...]) -> Flags:
    return (people["size"].between(*sizes) & people["industry"].isin(industries)).to_numpy()


def run_funnel(market: Market, *, seed: int) -> Course:
    """Return the course of every lead after all weeks of the simulation."""
    course = _beginning(len(market.people))
    everyone = np.arange(len(market.people))
    for week in range(1, market.settings.weeks):
        monday = market.settings.start_at + week * MICROS_PER_WEEK
        age = market.week_of_life(everyone, monday)
        is_open = (age >= 1) & (age <= LIFE_WEEKS) & (course.closed_at > monday)
        dice = Dice(seed, f"week {week}")
        undecided = np.flatnonzero(is_open & (course.decided_at == NEVER))
        _hand_over(market, course, leads=undecided, monday=monday, dice=dice)
        _decide(market, course, leads=np.flatnonzero(is_open), monday=monday, dice=dice)
    return course


def _beginning(n: int) -> Course:
    return Course(
        handed_at=np.full(n, NEVER),
        judged_at=np.full(n, NEVER),
        closed_at=np.full(n, NEVER),
        decided_at=np.full(n, NEVER),
        accepted=np.zeros(n, dtype=bool),
        points=np.full(n, np.nan),
        route=np.full(n, "", dtype=object),
        reason=np.full(n, "", dtype=object),
        rep=np.full(n, -1),
        hazard=np.zeros((n, LIFE_WEEKS + 1)),
    )


def capacity(market: Market, monday: int) -> int:
    """Return how many leads by points sales takes in the week of `monday`."""
    settings = market.settings
    plain = settings.handover_share * settings.n_leads / settings.weeks
    return round(plain / (1.0 + market.changed("selection", monday)))


def _hand_over(market: Market, course: Course, *, leads: Ints, monday: int, dice: Dice) -> None:
    """Hand over this week's leads of each route and let the reps judge them."""
    luck = dice().random((4, len(market.people)))
    free = leads[course.handed_at[leads] == NEVER]
    asked = market.asked_at[free]
    raised = free[(asked >= 0) & (asked < monday)]
    others = np.setdiff1d(free, raised)
    places = capacity(market, monday)
    scored = _best(market, others, monday)[:places]
    chance = market.settings.explored_share * places / max(len(others), 1)
    explored = np.setdiff1d(others[luck[0, others] < chance], scored)
    for route, chosen in (("scored", scored), ("hand_raiser", raised), ("explored", explored)):
        course.route[chosen] = route
        hours = 6 * MICROS_PER_HOUR + _hours(10.0 * luck[1, chosen])
        course.handed_at[chosen] = monday + hours
    wait = _hours(20.0 * luck[1, raised] + 16.0)
    course.handed_at[raised] = in_office(market.asked_at[raised] + wait)
    chosen = np.concatenate([scored, raised, explored])
    _judge(market, course, leads=chosen, monday=monday, luck=luck[2:, chosen])


def _hours(hours: Floats) -> Ints:
    return (hours * 3_600).astype(np.int64) * MICROS_PER_SECOND


def _best(market: Market, leads: Ints, monday: int) -> Ints:
    """Return the leads by points, best first; after a change of routing by title alone."""
    points = _points(market, leads, monday)
    if market.changed("selection", monday) > 0:
        points = sales.title_points(market.people)[leads]
    return leads[np.lexsort((leads, -points))]


def _points(market: Market, leads: Ints, monday: int) -> Floats:
    week = market.week_of_life(leads, monday)
    return np.asarray(market.points_fixed[leads] + market.points_signals[leads, week])


def _judge(market: Market, course: Course, *, leads: Ints, monday: int, luck: Floats) -> None:
    """Let a rep accept or reject each handed-over lead, some days later."""
    people = market.people.iloc[leads]
    week = market.week_of_life(leads, monday)
    engagement = market.engagement[leads, week]
    rep = np.asarray(leads * 7 + week) % len(catalogue.REPS)
    log_odds = sales.acceptance(
        people,
        fit=market.fit(leads, monday),
        engagement=engagement,
        signups=market.signups[leads, week - 1],
        rep=rep,
    )
    accepted = luck[0] < 1.0 / (1.0 + np.exp(-log_odds))
    is_new = market.new_share(leads, monday) > 0.5
    in_profile = np.where(is_new, market.in_new[leads], market.in_old[leads])
    words = sales.reasons(people, is_in_profile=in_profile, engagement=engagement, luck=luck[1])
    given = in_office(course.handed_at[leads] + _hours(24 * (0.4 + 3.2 * luck[1])))
    course.points[leads] = _points(market, leads, monday)
    course.rep[leads] = rep
    course.judged_at[leads] = given
    course.accepted[leads] = accepted
    course.reason[leads] = np.where(accepted, "", words)
    is_closing = ~accepted & np.isin(words, sales.CLOSING_REASONS)
    course.closed_at[leads[is_closing]] = given[is_closing]


def _decide(market: Market, course: Course, *, leads: Ints, monday: int, dice: Dice) -> None:
    """Note each open lead's chance of this week, and let those decide that luck picks."""
    luck = dice().random((2, len(market.people)))[:, leads]
    week = market.week_of_life(leads, monday)
    log_odds = buyers.BASE + market.fit(leads, monday) + market.engagement[leads, week]
    log_odds += buyers.WORKED * _work(course, leads, monday)
    log_odds -= buyers.PRIOR_DROP * market.changed("prior", monday)
    hazard = 1.0 / (1.0 + np.exp(-log_odds))
    course.hazard[leads, week] = hazard
    moment = np.maximum(monday + _hours(117.0 * luck[1]), _after_verdict(course, leads, monday))
    is_undecided = course.decided_at[leads] == NEVER
    decides = is_undecided & (luck[0] < hazard) & (moment < course.closed_at[leads])
    course.decided_at[leads[decides]] = moment[decides]


def _after_verdict(course: Course, leads: Ints, monday: int) -> Ints:
    """Return the earliest decision of leads that sales is just looking at: after its verdict."""
    judged = course.judged_at[leads]
    return np.where((judged > monday) & (judged < NEVER), judged + MICROS_PER_HOUR, monday)


def _work(course: Course, leads: Ints, monday: int) -> Floats:
    """Return how much sales still works each lead: 1 fresh after acceptance, fading."""
    accepted = course.accepted[leads] & (course.judged_at[leads] <= monday)
    weeks = np.where(accepted, (monday - course.judged_at[leads]) / MICROS_PER_WEEK, np.inf)
    return np.asarray(0.5 ** (weeks / buyers.WORKED_HALF_LIFE_WEEKS), dtype=np.float64)
