"""A firm of the drift worlds as the whole loop sees it: learnt from, scored, looked at, judged.

Models are linear in the firm's numbers, so that each is a handful of weights and says its fit
and engagement parts exactly. Weeks are counted from the firm's first; `now` is the begin of a
week, of which and of later ones nothing is known.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmarks.drift_cast import FIRST_FIT, NUMBERS, PLAN
from benchmarks.drift_worlds import (
    FIRST_LOOK,
    HORIZON_WEEKS,
    LEARNT_WEEKS,
    Firm,
    Played,
    draw_firm,
    lasting_chance,
    play,
    true_chance,
)
from mqlml.modeling.young_labels import Prior, YoungOutcomes, fit_young
from mqlml.monitoring.delay import Delay, observed_delay
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.timeline import MICROS_PER_WEEK, NEVER

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

HORIZON = HORIZON_WEEKS * MICROS_PER_WEEK
_LARGEST = 8.0
_HELD = 60.0


@dataclass(frozen=True)
class Linear:
    """Log-odds = intercept + design · weights; learnt from leads before the week `learnt_until`.

    `data_end` is the week at whose begin it was learnt. A correction knows the model it corrects
    (`base`), since which moment (microseconds).
    """

    intercept: float
    weights: Floats
    learnt_until: int
    data_end: int
    base: "Linear | None" = None
    since: int | None = None


@dataclass(frozen=True)
class Funnel:
    """Leads in the order of their creation, and what became of them.

    Args:
        week: in which each lead came.
        created: when, microseconds since the begin of week 0.
        converted_at: when it converted, NEVER if it did not.
        design: the numbers that models use.
        names: their names.
        horizon: microseconds; `horizon_weeks` are as many whole weeks or more.
        delay: of conversions, as the first champion learnt it.
        first_model: the champion when the looks begin.
        weeks: how many are known.
        reference: what monitoring knows of the plan.
    """

    week: Ints
    created: Ints
    converted_at: Ints
    design: Floats
    names: tuple[str, ...]
    horizon: int
    delay: Delay
    first_model: Linear
    weeks: int
    reference: Reference

    @property
    def horizon_weeks(self) -> int:
        """Return the horizon in weeks, rounded up; 0 where outcomes are known at once."""
        return int(np.ceil(round(self.horizon / MICROS_PER_WEEK, 3)))

    def log_odds(self, model: Linear) -> Floats:
        """Return what a model says of every lead."""
        return np.asarray(model.intercept + self.design @ model.weights)

    def outcomes(self, rows: Rows, now: int) -> YoungOutcomes:
        """Return what is known of some leads at the begin of a week."""
        age = now * MICROS_PER_WEEK - self.created[rows]
        came = self.converted_at[rows] < now * MICROS_PER_WEEK
        share = np.where(age >= self.horizon, 1.0, self.delay.share_by(age.astype(np.float64)))
        return YoungOutcomes(came.astype(np.float64), share)

    def mature(self, now: int, *, since: int = 0, until: int | None = None) -> Rows:
        """Return leads created from `since` on whose outcomes are final at `now` (or `until`)."""
        last = (now if until is None else until) - self.horizon_weeks
        return np.flatnonzero((self.week >= since) & (self.week < last))

    def learnt(self, rows: Rows, now: int, *, half_life: float | None = None) -> Linear:
        """Return a ridge logistic model of leads whose outcomes are final."""
        newer = len(rows) - 1.0 - np.arange(len(rows))
        fit = fit_young(
            self.design[rows],
            self.outcomes(rows, now),
            prior=Prior(np.full(self.design.shape[1], _HELD)),
            weights=1.0 if half_life is None else 0.5 ** (newer / half_life),
        )
        last = int(self.week[rows].max()) + 1
        return Linear(fit.intercept, fit.coefficients, last, now)

    def history(self, model: Linear, now: int) -> ScoredHistory:
        """Return the past as monitoring sees it when `model` is champion."""
        raise NotImplementedError


@dataclass(frozen=True)
class Watched(Funnel):
    """A firm of the drift worlds in one world, and the truth about each lead."""

    firm: Firm
    played: Played

    @cached_property
    def truth(self) -> Floats:
        """Return each lead's true chance to convert within the horizon."""
        firm = self.firm
        in_time = (firm.delay < HORIZON_WEEKS).mean()
        chance = true_chance(firm, firm.numbers, self.played.world.name, firm.handed)
        return np.asarray(chance * in_time)

    def history(self, model: Linear, now: int) -> ScoredHistory:
        """Return the past as monitoring sees it when `model` is champion."""
        end, whole, firm = now * MICROS_PER_WEEK, self.played.history, self.firm
        rows = np.flatnonzero(whole.as_of < end)
        lead, look = firm.row_lead[rows], firm.row_look[rows]
        behaved = self.design[:, :FIRST_FIT] @ model.weights[:FIRST_FIT]
        log_odds = self.log_odds(model)
        scores = whole.scores.iloc[rows].reset_index(drop=True)
        chance = 1.0 / (1.0 + np.exp(-log_odds[lead]))
        handed = np.asarray(whole.handed_at)[rows]
        return replace(
            whole,
            scores=scores.assign(
                probability=lasting_chance(chance, look),
                fit_part=(log_odds - behaved)[lead],
                engagement_part=behaved[lead],
            ),
            matrix=whole.matrix.iloc[rows].reset_index(drop=True),
            converted_at=_known(whole.converted_at[rows], end),
            handed_at=_known(handed, end),
            data_end=end,
            learnt_until=model.learnt_until * MICROS_PER_WEEK,
        )


def _known(at: Ints, end: int) -> Ints:
    return np.where(at < end, at, NEVER).astype(np.int64)


def watched_firm(
    seed: int, world: str, *, leads_a_week: int, weeks: int, changed_share: float | None = None
) -> Watched:
    """Return the firm of a seed in one world.

    `changed_share` is how much of what the score says a change of concept takes away and gives
    to as many other columns; None: three quarters, as in the drift worlds.
    """
    firm = draw_firm(seed, leads_a_week, weeks=weeks)
    if changed_share is not None:
        firm = replace(firm, beta_new=_moved(firm.beta, firm.beta_new, changed_share))
    return _watched(firm, play(firm, world))


def _watched(firm: Firm, played: Played) -> Watched:
    first = np.flatnonzero(firm.row_look == 0)
    converted_at = np.asarray(played.history.converted_at[first], dtype=np.int64)
    learnt = np.flatnonzero(firm.week < LEARNT_WEEKS)
    numbers = (firm.numbers.astype(np.float64) - firm.centre) / firm.spread
    return Watched(
        week=firm.week,
        created=firm.created,
        converted_at=converted_at,
        design=np.clip(numbers, -_LARGEST, _LARGEST),
        names=NUMBERS,
        horizon=HORIZON,
        delay=observed_delay(firm.created[learnt], converted_at[learnt], HORIZON),
        first_model=Linear(float(firm.weights[0]), firm.weights[1:], LEARNT_WEEKS, FIRST_LOOK),
        weeks=firm.weeks,
        reference=Reference(PLAN, {}),
        firm=firm,
        played=played,
    )


def _moved(before: Floats, after: Floats, changed_share: float) -> Floats:
    """Return tastes in which columns of so much weight (squared) give way to as many others."""
    old = np.flatnonzero(before)
    lost = old[np.cumsum(before[old] ** 2) <= changed_share * (before**2).sum()]
    gained = np.flatnonzero((after != 0) & (before == 0))[: len(lost)]
    moved = before.copy()
    moved[lost] = 0.0
    moved[gained] = after[gained] * np.sqrt((before[lost] ** 2).sum() / (after[gained] ** 2).sum())
    return moved
