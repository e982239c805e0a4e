"""The answer of `mqlml why`: two days, what lies between them, in numbers and in sentences."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from mqlml.features.columns import Feature
from mqlml.features.plan import Plan
from mqlml.features.windows import within_words
from mqlml.scoring.hints import Hint
from mqlml.scoring.reasons import reason_groups
from mqlml.scoring.why import (
    CALIBRATION,
    ENTERED,
    LEFT,
    MODEL,
    TIME,
    Views,
    changed_cells,
    events_entered,
    events_left,
)
from mqlml.scoring.wording import value_in_words
from mqlml.timeline import EVER
from mqlml.workflows.project import shown_instant


@dataclass(frozen=True)
class Side:
    """One of the two days: which model and criteria, and what they say of the lead.

    `run` is the run of this very moment, None if there was none; `given` the
    probability it gave, None if it did not score the lead. `score_low` and `score_high` are
    the ends of the score's interval, NaN if the model has none.
    """

    as_of: int
    version: str
    criteria_version: str
    criteria_digest: str
    mql_probability: float
    log_odds: float
    probability: float
    score: float
    outcome: str
    because: str
    run: int | None
    given: float | None
    score_low: float = math.nan
    score_high: float = math.nan

    @property
    def is_as_given(self) -> bool:
        """Return whether the score of then is given again, or none was given."""
        return self.given is None or self.given == self.probability

    def document(self) -> dict[str, Any]:
        """Return the day for programs."""
        values = {k: None if v != v else v for k, v in asdict(self).items()}
        return {**values, "as_of": shown_instant(self.as_of), "as_given": self.is_as_given}

    @property
    def interval(self) -> str:
        """Return the score's 90 % interval in words; "" if the model has none."""
        if math.isnan(self.score_low):
            return ""
        return f" ({self.score_low:g} to {self.score_high:g} %)"


@dataclass(frozen=True)
class Part:
    """One reason why the score moved: its cause, what it is about, its sentence, its log-odds."""

    cause: str
    about: str
    sentence: str
    log_odds: float


@dataclass(frozen=True)
class Move:
    """Why one lead's score moved; the parts add up to the difference of the log-odds.

    Criteria have no part in a score; `by_earlier_criteria` is the outcome that the later
    score would have by the earlier criteria. `hints` say what would have led to another outcome
    on the later day.
    """

    lead_id: str
    before: Side
    after: Side
    parts: tuple[Part, ...]
    by_earlier_criteria: str
    hints: tuple[Hint, ...] = ()

    @property
    def total(self) -> float:
        """Return the whole difference of the log-odds."""
        return self.after.log_odds - self.before.log_odds

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "lead_id": self.lead_id,
            "from": self.before.document(),
            "to": self.after.document(),
            "log_odds_difference": self.total,
            "parts": [asdict(part) for part in self.parts],
            "criteria_changed": self.before.criteria_digest != self.after.criteria_digest,
            "outcome_by_earlier_criteria": self.by_earlier_criteria,
            "hints": [hint.document() for hint in self.hints],
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: the two days, a line per part, the sum, the criteria."""
        for side in (self.before, self.after):
            chance = f"{side.probability:.1%}{side.interval}"
            yield (
                f"{shown_instant(side.as_of)}: {chance}, {side.outcome} "
                f"(model {side.version}, criteria {side.criteria_version}): {side.because}"
            )
            if not side.is_as_given:
                yield (
                    f"    NOT what run {side.run} gave then ({side.given:.1%}): "
                    "what was known at that moment was changed since"
                )
        yield f"{'log-odds':>9}{'odds ×':>9}  why"
        for part in self.parts:
            yield _line(part.log_odds, part.sentence)
        yield _line(self.total, "together" if self.parts else "nothing changed")
        yield from self._criteria()
        for hint in self.hints:
            yield f"hint: {hint.sentence}"

    def _criteria(self) -> Iterator[str]:
        one, other = self.before, self.after
        if one.criteria_digest != other.criteria_digest:
            yield f"criteria: version {one.criteria_version} → {other.criteria_version}"
        if one.mql_probability != other.mql_probability:
            yield f"MQL begins at: {one.mql_probability:.1%} → {other.mql_probability:.1%}"
        if self.by_earlier_criteria != other.outcome:
            yield f"by the earlier criteria the lead would be {self.by_earlier_criteria}"


def _line(log_odds: float, words: str) -> str:
    return f"{log_odds:>+9.3f}{math.exp(min(log_odds, 500.0)):>9.2f}  {words}"


def move_of(
    lead_id: str,
    before: Side,
    after: Side,
    parts: pd.DataFrame,
    views: Views,
    plan: Plan,
    by_earlier_criteria: str,
) -> Move:
    """Return the answer about the one lead that `parts` and `views` are about."""
    said = [
        Part(
            str(part["cause"]),
            str(part["about"]),
            _sentence(part, views, plan, before, after),
            float(part["log_odds"]),
        )
        for part in parts.to_dict("records")
    ]
    said.sort(key=lambda part: -abs(part.log_odds))
    return Move(lead_id, before, after, tuple(said), by_earlier_criteria)


def _sentence(part: Mapping[Any, Any], views: Views, plan: Plan, before: Side, after: Side) -> str:
    cause, about = str(part["cause"]), str(part["about"])
    if cause == MODEL:
        return f"model: version {before.version} → {after.version}"
    if cause == CALIBRATION:
        return f"calibration: of version {before.version} → of version {after.version}"
    if cause in {ENTERED, LEFT, TIME} and about.startswith("signal "):
        return _of_events(cause, about.removeprefix("signal "), views, plan)
    words = _changes(cause, about, views, plan)
    return f"{'time' if cause == TIME else cause}: {words or about}"


def _of_events(cause: str, signal: str, views: Views, plan: Plan) -> str:
    features = [f for f in plan.features if f.signal.name == signal]
    says = features[0].signal.says
    if cause == ENTERED:
        return f"came: {int(events_entered(views, features[0])[0]):,} {says}"
    if cause == LEFT:
        return f"left: {says}, {_left(features, views)}"
    return f"time: {says} lie longer back"


def _left(features: list[Feature], views: Views) -> str:
    windows = {f.window: f for f in features if f.window != EVER}
    counts = {w: int(events_left(views, f)[0]) for w, f in sorted(windows.items())}
    gone = [f"{n:,} no longer {within_words(w)}" for w, n in counts.items() if n > 0]
    return ", ".join(gone)


def _changes(cause: str, about: str, views: Views, plan: Plan) -> str:
    """Return the columns of a topic that changed, as "before → after"."""
    one, other = (views.waited, views.after)
    if cause in {LEFT, TIME}:
        one, other = views.before, views.waited
    changed = changed_cells(one, other)
    columns = _columns_about(about, plan)
    return ", ".join(
        f"{value_in_words(plan, c, one[c].iloc[0])} → {value_in_words(plan, c, other[c].iloc[0])}"
        for c in changed
        if c in columns
    )


def _columns_about(about: str, plan: Plan) -> frozenset[str]:
    groups = {group.name: frozenset(group.columns) for group in reason_groups(plan)}
    if about in groups:
        return groups[about]
    return frozenset(plan.columns).difference(*groups.values())
