"""Ways to keep a model fresh: never, by the calendar, and by what monitoring finds.

The last is the package's own loop: its weekly look, its reasons to retrain, its treatments, its
adjustments, its promotion, in the order in which `mqlml cycle` calls them. What is simpler than
the package is the learner of a tournament: one ridge logistic model, which is what made these
firms' leads convert, with or without a half-life. Calendars use the same learner and promote
whatever it gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.loop_firm import Funnel, Linear, Rows
from mqlml.modeling.adjustment import Evidence
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.young_labels import mature_outcomes
from mqlml.monitoring.adjustments import adjustments, chosen_adjustment
from mqlml.monitoring.diagnosis import alarms_at, diagnose
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.promotion import FEWEST_CONVERSIONS, Compared, judge
from mqlml.monitoring.retraining import (
    Attempt,
    Request,
    Treatment,
    retrain_request,
    treatment_of,
)
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.watch import Watch, watch
from mqlml.timeline import MICROS_PER_WEEK

_LEAST_KNOWN = 0.02
# A window since a change must hold a test, a gap, and folds with gaps of their own.
_FOLD_WEEKS = 8


@dataclass(frozen=True)
class Step:
    """One retraining: when, why, how, whether it was promoted, and the champion from then on."""

    week: int
    reason: str
    kind: str
    approach: str
    is_promoted: bool
    champion: Linear


def never(_funnel: Funnel, _weeks: int) -> Iterator[Step]:
    """Yield nothing: the first model stays."""
    yield from ()


def by_calendar(watched: Funnel, weeks: int, *, every: int, window: int) -> Iterator[Step]:
    """Yield a model of the latest `window` weeks of final outcomes, every so many weeks."""
    for now in range(watched.first_model.data_end + every, weeks, every):
        rows = watched.mature(now, since=now - watched.horizon_weeks - window)
        if watched.outcomes(rows, now).came.sum() < FEWEST_CONVERSIONS:
            continue
        yield Step(now, "schedule", "", "calendar", True, watched.learnt(rows, now))


def by_monitoring(
    watched: Funnel, weeks: int, settings: MonitoringSettings | None = None
) -> Iterator[Step]:
    """Yield every retraining of the package's loop, looked at each week."""
    loop = _Loop(watched, settings or MonitoringSettings())
    for now in range(watched.first_model.data_end, weeks):
        step = loop.cycle(now)
        if step is not None:
            yield step


class _Loop:
    """The loop at work: the champion, what was tried, and the evidence about the champion."""

    def __init__(self, watched: Funnel, settings: MonitoringSettings) -> None:
        self.watched, self.settings = watched, settings
        self.champion = watched.first_model
        self.attempts: list[Attempt] = []
        self._whole: Watch | None = None

    def cycle(self, now: int) -> Step | None:
        """Look at the begin of a week; return the retraining if there was one."""
        at = now * MICROS_PER_WEEK
        if self.champion.base is not None and not self._request((), at).is_needed:
            # Whatever outcomes say of a corrected champion waits for its follow-up.
            return None
        watch_now, week = self._watch(now)
        changes = self._changes(watch_now, week, with_columns=False)
        request = self._request(changes, at)
        if not request.is_needed or self._is_nothing_new(request, now):
            return None
        if request.change is not None and changes:
            changes = self._changes(watch_now, week, with_columns=True)
            request = self._request(changes, at)
        treatment = self._treatment(request, now)
        learn = self._tournament if treatment.approach == "tournament" else self._adjusted
        found = learn(request, treatment, now)
        if found is None:
            return None
        challenger, is_promoted, why = found
        if is_promoted:
            self.champion, self._whole = challenger, None
            self.attempts = [replace(attempt, corrects=None) for attempt in self.attempts]
        corrects = challenger.since if is_promoted else None
        self.attempts.append(Attempt(request.reason, at, why, corrects))
        kind = "" if request.change is None else request.change.kind
        return Step(now, request.reason, kind, treatment.approach, is_promoted, self.champion)

    def _watch(self, now: int) -> tuple[Watch, int]:
        """Return the evidence at `now`, and the number of its last week.

        Once all that the champion learnt from is final, later weeks add nothing to an earlier
        one, and one table of evidence serves all looks.
        """
        watched, champion = self.watched, self.champion
        if now < champion.learnt_until + watched.horizon_weeks:
            return watch(watched.history(champion, now), watched.reference, self.settings), -1
        if self._whole is None:
            history = watched.history(champion, watched.weeks)
            self._whole = watch(history, watched.reference, self.settings)
        return self._whole, now - 1 - watched.weeks

    def _changes(self, watched: Watch, week: int, *, with_columns: bool) -> tuple[Change, ...]:
        if not alarms_at(watched, week).any:
            return ()
        return diagnose(watched, week, with_columns=with_columns)

    def _request(self, changes: tuple[Change, ...], at: int) -> Request:
        return retrain_request(
            "auto",
            changes,
            trained_at=self.champion.data_end * MICROS_PER_WEEK,
            as_of=at,
            settings=self.settings,
            attempts=self.attempts,
        )

    def _is_nothing_new(self, request: Request, now: int) -> bool:
        return (
            request.reason == "schedule"
            and now - self.watched.horizon_weeks <= self.champion.learnt_until
        )

    def _treatment(self, request: Request, now: int) -> Treatment:
        came, is_long, change = 0, True, request.change
        if change is not None and change.since is not None:
            rows = self._rows_since(change.since, now)
            came = int(self.watched.outcomes(rows, now).came.sum())
            is_long = now - change.since // MICROS_PER_WEEK >= self._long_weeks
        return treatment_of(
            request,
            is_same_target=True,
            conversions_since=came,
            has_horizon=True,
            is_long=is_long,
        )

    @property
    def _long_weeks(self) -> float:
        return self.settings.judged_weeks + 3 * self.watched.horizon_weeks + _FOLD_WEEKS

    def _rows_since(self, since: int, now: int) -> Rows:
        created = self.watched.created
        rows = np.flatnonzero((created >= since) & (created < now * MICROS_PER_WEEK))
        known = self.watched.outcomes(rows, now)
        return rows[(known.known_share >= _LEAST_KNOWN) | (known.came == 1)]

    def _adjusted(
        self, request: Request, treatment: Treatment, now: int
    ) -> tuple[Linear, bool, str] | None:
        """Adjust the champion to leads since the change; judged on those it did not learn from.

        A follow-up corrects once more the model that the champion corrects.
        """
        watched, old = self.watched, self.champion
        base = old.base if request.is_follow_up and old.base is not None else old
        learnt_until = base.learnt_until * MICROS_PER_WEEK
        since = max(treatment.since or learnt_until, learnt_until)
        rows = self._rows_since(since, now)
        known = watched.outcomes(rows, now)
        news = np.flatnonzero(watched.week[rows] >= old.learnt_until)
        if known.came[news].sum() < FEWEST_CONVERSIONS:
            return None
        columns = () if request.change is None else request.change.columns
        named = tuple(i for i, name in enumerate(watched.names) if name.split("=")[0] in columns)
        offset = watched.log_odds(base)[rows]
        evidence = Evidence(offset, watched.design[rows], known, rows.astype(np.int64), named)
        chosen = chosen_adjustment(adjustments(evidence, seed=0), evidence, treatment.approach)
        said = probability_of(watched.log_odds(old)[rows])
        compared = Compared(
            rows[news], known.rows(news), said[news], chosen.said[news], is_change_expected=True
        )
        decision = judge(compared, self.settings, is_follow_up=request.is_follow_up)
        learnt = chosen.learnt
        challenger = Linear(
            learnt.shift + learnt.stretch * base.intercept,
            learnt.stretch * base.weights + learnt.coefficients,
            now,
            now,
            *((base, since) if treatment.approach == "correction" else ()),
        )
        return challenger, decision.promote, decision.why

    def _tournament(
        self, request: Request, treatment: Treatment, now: int
    ) -> tuple[Linear, bool, str] | None:
        """Learn anew from final outcomes; judged on the latest that nobody learnt from."""
        watched, old = self.watched, self.champion
        test_from = now - watched.horizon_weeks - round(self.settings.judged_weeks)
        since = self._window(treatment, test_from)
        development = watched.mature(now, since=since, until=test_from)
        if watched.outcomes(development, now).came.sum() < FEWEST_CONVERSIONS:
            return None
        half_life = self._half_life(development, now)
        tested = watched.learnt(development, now, half_life=half_life)
        judged = watched.mature(now, since=max(test_from, old.learnt_until))
        sides = [probability_of(watched.log_odds(m)[judged]) for m in (old, tested)]
        outcomes = mature_outcomes(watched.outcomes(judged, now).came)
        is_concept = request.change is not None and request.change.kind == "concept"
        compared = Compared(judged, outcomes, *sides, is_change_expected=is_concept)
        decision = judge(compared, self.settings)
        fresh = watched.learnt(watched.mature(now, since=since), now, half_life=half_life)
        return fresh, decision.promote, decision.why

    def _window(self, treatment: Treatment, test_from: int) -> int:
        """Return the first week that is learnt from: all, where the change is too young."""
        if treatment.since is None:
            return 0
        since = treatment.since // MICROS_PER_WEEK
        is_long = test_from - since >= 2 * (self.watched.horizon_weeks + _FOLD_WEEKS)
        return int(since) if is_long else 0

    def _half_life(self, development: Rows, now: int) -> float | None:
        """Return the half-life under which the latest of the development rows are best foretold."""
        watched, week = self.watched, self.watched.week[development]
        valid_from = int(week.max()) + 1 - _FOLD_WEEKS
        valid = development[week >= valid_from]
        earlier = development[week < valid_from - watched.horizon_weeks]
        outcomes = watched.outcomes(valid, now)
        if watched.outcomes(earlier, now).came.sum() < FEWEST_CONVERSIONS:
            return None

        def loss(half_life: float | None) -> float:
            model = watched.learnt(earlier, now, half_life=half_life)
            return float(outcomes.losses(probability_of(watched.log_odds(model)[valid])).mean())

        half = len(development) / 2
        return half if loss(half) < loss(None) else None


def champions(steps: Iterator[Step], first: Linear, weeks: range) -> Iterator[tuple[int, Linear]]:
    """Yield who is champion in each week: promotions hold from their own week on."""
    promoted = {step.week: step.champion for step in steps if step.is_promoted}
    champion = first
    for week in range(first.data_end, weeks.stop):
        champion = promoted.get(week, champion)
        if week in weeks:
            yield week, champion
