"""A firm of the drift worlds as the whole loop sees it: learnt from, scored, looked at, judged.

Models are linear in the firm's numbers, so that each is a handful of weights and says its fit
and engagement parts exactly. Weeks are counted from the firm's first; `now` is the begin of a
week, of which and of later ones nothing is known.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmarks.drift_cast import FIRST_FIT
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
from mqlml.monitoring.evidence import ScoredHistory
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
class Watched:
    """A firm in one world, and the truth about each lead."""

    firm: Firm
    played: Played

    @cached_property
    def design(self) -> Floats:
        """Return each lead's numbers as models use them."""
        numbers = self.firm.numbers.astype(np.float64)
        return np.clip((numbers - self.firm.centre) / self.firm.spread, -_LARGEST, _LARGEST)

    @cached_property
    def truth(self) -> Floats:
        """Return each lead's true chance to convert within the horizon."""
        firm = self.firm
        in_time = (firm.delay < HORIZON_WEEKS).mean()
        chance = true_chance(firm, firm.numbers, self.played.world.name, firm.handed)
        return np.asarray(chance * in_time)

    @cached_property
    def converted_at(self) -> Ints:
        """Return when each lead converts, NEVER if it does not."""
        first = np.flatnonzero(self.firm.row_look == 0)
        return np.asarray(self.played.history.converted_at[first], dtype=np.int64)

    @cached_property
    def delay(self) -> Delay:
        """Return the delay of conversions as the first champion learnt it."""
        rows = np.flatnonzero(self.firm.week < LEARNT_WEEKS)
        return observed_delay(self.firm.created[rows], self.converted_at[rows], HORIZON)

    @cached_property
    def first_model(self) -> Linear:
        """Return the model that is champion when the looks begin."""
        weights = self.firm.weights
        return Linear(float(weights[0]), weights[1:], LEARNT_WEEKS, FIRST_LOOK)

    def log_odds(self, model: Linear) -> Floats:
        """Return what a model says of every lead."""
        return np.asarray(model.intercept + self.design @ model.weights)

    def outcomes(self, rows: Rows, now: int) -> YoungOutcomes:
        """Return what is known of some leads at the begin of a week."""
        age = now * MICROS_PER_WEEK - self.firm.created[rows]
        came = self.converted_at[rows] < now * MICROS_PER_WEEK
        share = np.where(age >= HORIZON, 1.0, self.delay.share_by(age.astype(np.float64)))
        return YoungOutcomes(came.astype(np.float64), share)

    def mature(self, now: int, *, since: int = 0, until: int | None = None) -> Rows:
        """Return leads created from `since` on whose outcomes are final at `now` (or `until`)."""
        last = (now if until is None else until) - HORIZON_WEEKS
        return np.flatnonzero((self.firm.week >= since) & (self.firm.week < last))

    def learnt(self, rows: Rows, now: int, *, half_life: float | None = None) -> Linear:
        """Return a ridge logistic model of leads whose outcomes are final."""
        newer = len(rows) - 1.0 - np.arange(len(rows))
        fit = fit_young(
            self.design[rows],
            self.outcomes(rows, now),
            prior=Prior(np.full(self.design.shape[1], _HELD)),
            weights=1.0 if half_life is None else 0.5 ** (newer / half_life),
        )
        last = int(self.firm.week[rows].max()) + 1
        return Linear(fit.intercept, fit.coefficients, last, now)

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
    return Watched(firm, play(firm, world))


def _moved(before: Floats, after: Floats, changed_share: float) -> Floats:
    """Return tastes in which columns of so much weight (squared) give way to as many others."""
    old = np.flatnonzero(before)
    lost = old[np.cumsum(before[old] ** 2) <= changed_share * (before**2).sum()]
    gained = np.flatnonzero((after != 0) & (before == 0))[: len(lost)]
    moved = before.copy()
    moved[lost] = 0.0
    moved[gained] = after[gained] * np.sqrt((before[lost] ** 2).sum() / (after[gained] ** 2).sum())
    return moved
