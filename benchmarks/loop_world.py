"""Companies whose truth is known, for the benchmark of the loop: leads, outcomes, delays.

300 leads a week with 100 columns, about 25 of them convert within twelve weeks, most of them
late. What makes leads convert may change on one day: some columns lose their weight and others
gain as much.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mqlml.modeling.calibration import probability_of
from mqlml.modeling.young_labels import YoungOutcomes

Floats = npt.NDArray[np.float64]

LEADS_A_WEEK = 300
COLUMNS = 100
HORIZON_WEEKS = 12.0
_FEW = (9, 3)
_MANY = (24, 12)
_SPREAD = 1.15
_CHANGED_SHARE = 0.59
_BASE = -2.75
_DELAY = (1.3, 1.8)
_DELAYS_KNOWN = 20_000


@dataclass(frozen=True)
class World:
    """What each column is worth before and after the change, and how long conversions take."""

    before: Floats
    after: Floats
    known_delays: Floats

    def share_by(self, age_weeks: Floats) -> Floats:
        """Return which share of the conversions has come by an age."""
        position = np.searchsorted(self.known_delays, age_weeks, side="right")
        return np.asarray(position / len(self.known_delays), dtype=np.float64)


@dataclass(frozen=True)
class Leads:
    """Leads of some weeks: columns, week of arrival, outcome in the end, weeks until it came."""

    design: Floats
    week: Floats
    truth: Floats
    label: Floats
    delay: Floats

    def known_at(self, world: World, week: float) -> YoungOutcomes:
        """Return what is known of each lead at the begin of a week."""
        age = np.clip(week - self.week, 0.0, HORIZON_WEEKS)
        came = self.label * (self.delay <= age)
        return YoungOutcomes(came, np.where(age >= HORIZON_WEEKS, 1.0, world.share_by(age)))

    def rows(self, rows: npt.NDArray[np.intp]) -> "Leads":
        """Return some of the leads."""
        return Leads(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def make_world(rng: np.random.Generator, *, is_dense: bool = False) -> World:
    """Return a company where few columns count and change, or many (`is_dense`)."""
    order = rng.permutation(COLUMNS)
    informative, changed = _MANY if is_dense else _FEW
    kept, lost, gained = np.split(
        order[: informative + changed], [informative - changed, informative]
    )
    before, after = np.zeros(COLUMNS), np.zeros(COLUMNS)
    shared = _drawn(rng, len(kept), (1 - _CHANGED_SHARE) ** 0.5)
    before[kept] = after[kept] = shared
    before[lost] = _drawn(rng, len(lost), _CHANGED_SHARE**0.5)
    after[gained] = _drawn(rng, len(gained), _CHANGED_SHARE**0.5)
    delays = np.sort(rng.beta(*_DELAY, _DELAYS_KNOWN) * HORIZON_WEEKS)
    return World(before, after, delays)


def _drawn(rng: np.random.Generator, count: int, length: float) -> Floats:
    """Return weights of a given joint length, none of them tiny."""
    weights = rng.choice([-1.0, 1.0], count) * rng.uniform(0.5, 1.5, count)
    return np.asarray(weights * _SPREAD * length / np.sqrt((weights**2).sum()))


def draw_leads(
    world: World, rng: np.random.Generator, *, first_week: int, weeks: int, is_changed: bool
) -> Leads:
    """Return the leads that arrive in some weeks, before or after the change."""
    rows = weeks * LEADS_A_WEEK
    design = rng.normal(size=(rows, COLUMNS))
    weights = world.after if is_changed else world.before
    truth = probability_of(_BASE + design @ weights)
    label = (rng.random(rows) < truth).astype(np.float64)
    week = first_week + np.repeat(np.arange(weeks), LEADS_A_WEEK) + rng.random(rows)
    return Leads(design, week, truth, label, rng.beta(*_DELAY, rows) * HORIZON_WEEKS)


def joined(first: Leads, second: Leads) -> Leads:
    """Return both, in order."""
    return Leads(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in first.__dataclass_fields__
        )
    )
