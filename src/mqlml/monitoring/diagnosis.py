"""What changed, since when: the layers' evidence at one week, put into named changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mqlml.monitoring.evidence import Change, week_start
from mqlml.monitoring.input_changes import input_change
from mqlml.monitoring.input_odds import InputEvidence
from mqlml.monitoring.outcome_changes import outcome_change
from mqlml.monitoring.selection import RANK, SHARE
from mqlml.monitoring.watch import Watch

# Mean weeks until a false alarm of each layer is at least this, if nothing changes.
OUTCOME_LIMIT = float(np.log(60.0))
INPUT_LIMIT = float(np.log(400.0))
SELECTION_LIMIT = float(np.log(2000.0))
# Evidence about the limit comes and goes by the luck of single weeks: what was raised stands on.
_STANDS_WEEKS = 8
# An outcome that breaks up to so many weeks before or after a cause comes from it.
_NEAR = 5
_AFTER = 26


@dataclass(frozen=True)
class Edit:
    """A change of criteria or stage definitions: when it began to hold, and in words."""

    at: int
    says: str


@dataclass(frozen=True)
class Alarms:
    """The week by which each layer's evidence is beyond its limit at the week of looking."""

    outcomes: bool
    inputs: bool
    selection: bool

    @property
    def any(self) -> bool:
        """Return whether any layer raises the alarm."""
        return self.outcomes or self.inputs or self.selection


@dataclass(frozen=True)
class Raised:
    """The week in which each layer last was beyond its limit; None if not in the last eight."""

    outcomes: int | None
    inputs: int | None
    selection: int | None


def alarms_at(watch: Watch, week: int) -> Alarms:
    """Return which layers raise the alarm when one looks at the end of `week`."""
    raised = _raised_within(watch, week, 1)
    return Alarms(
        outcomes=raised.outcomes is not None,
        inputs=raised.inputs is not None,
        selection=raised.selection is not None,
    )


def standing_at(watch: Watch, week: int) -> Raised:
    """Return which alarms stand at the end of `week`: raised in it or in the seven before."""
    return _raised_within(watch, week, _STANDS_WEEKS)


def _raised_within(watch: Watch, week: int, weeks: int) -> Raised:
    shared = watch.figures.weeks
    layers = (
        (watch.outcomes, watch.outcomes.weeks if watch.outcomes else shared, OUTCOME_LIMIT),
        (watch.inputs, shared, INPUT_LIMIT),
        (watch.selection, shared, SELECTION_LIMIT),
    )
    found: list[int | None] = []
    for layer, known, limit in layers:
        odds = np.zeros(0) if layer is None else layer.odds
        at = np.arange(week - weeks + 1, week + 1) - int(known[0])
        seen = at[(at >= 0) & (at < len(odds))]
        beyond = seen[odds[seen] >= limit + watch.strictness]
        found.append(int(beyond[-1] + known[0]) if len(beyond) else None)
    return Raised(*found)


def diagnose(
    watch: Watch, week: int = -1, *, edits: Sequence[Edit] = (), with_columns: bool = True
) -> tuple[Change, ...]:
    """Return what changed by the end of `week`, causes before effects.

    A change of inputs, of routing or of definitions that began when outcomes broke is named
    as the cause; the outcomes are then its evidence and its cost, not a second change. What
    has gone quiet is told as it was when it last raised the alarm. The columns of a concept
    need all features and may be left out.
    """
    raised = standing_at(watch, week)
    outcome = None
    if raised.outcomes is not None and watch.outcomes is not None:
        outcome = outcome_change(watch, watch.outcomes, raised.outcomes, with_columns=with_columns)
    found: list[Change] = []
    if raised.selection is not None and watch.selection is not None:
        found.append(_selection_change(watch, watch.selection, raised.selection))
    if raised.inputs is not None and watch.inputs is not None:
        found.append(input_change(watch, watch.inputs, raised.inputs))
    if outcome is None:
        return tuple(found)
    edit = _edit_near(outcome, edits)
    if edit is not None:
        return (_as_definition(outcome, edit), *found)
    for place, cause in enumerate(found):
        if cause.kind != "covariate" and _is_near(cause, outcome):
            found[place] = _merged(cause, outcome)
            return tuple(found)
    return (outcome, *found)


def _weeks_between(first: int | None, second: int | None) -> float:
    if first is None or second is None:
        return np.inf
    return (second - first) / (7 * 86_400_000_000)


def _is_near(cause: Change, outcome: Change) -> bool:
    return -_NEAR <= _weeks_between(cause.since, outcome.since) <= _AFTER


def _edit_near(outcome: Change, edits: Sequence[Edit]) -> Edit | None:
    near = [
        edit
        for edit in edits
        if _weeks_between(outcome.earliest, edit.at) >= -_NEAR
        and _weeks_between(outcome.latest, edit.at) <= _NEAR
    ]
    return min(near, key=lambda e: abs(_weeks_between(outcome.since, e.at))) if near else None


def _as_definition(outcome: Change, edit: Edit) -> Change:
    return replace(
        outcome,
        kind="definition",
        since=edit.at,
        earliest=edit.at,
        latest=edit.at,
        evidence=f"{edit.says}; since then {outcome.evidence}",
        act="retrain for the new definition; older outcomes mean something else",
        proposal="retrain",
    )


def _merged(cause: Change, outcome: Change) -> Change:
    return replace(
        cause,
        evidence=f"{cause.evidence}; {outcome.evidence}",
        cost=outcome.cost,
        strength=max(cause.strength, outcome.strength),
    )


def _selection_change(watch: Watch, found: InputEvidence, week: int) -> Change:
    place = week - int(watch.figures.weeks[0])
    told = found.dated(place)
    share, rank = (told.figure_words(SHARE), told.figure_words(RANK))
    words = "; ".join(text for text in (share, rank) if text)
    end = watch.history.data_end
    return Change(
        kind="selection",
        since=week_start(told.since, end),
        columns=tuple(told.columns),
        segment=None,
        evidence=f"sales works other leads than before: {words}",
        act="ask sales why the routing changed; keep a share of leads explored at random",
        strength=told.strength,
        earliest=week_start(told.earliest, end),
        latest=week_start(told.latest, end),
        proposal="nothing",
    )
