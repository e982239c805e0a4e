"""Everything a weekly look needs, summed up once: evidence for a change in every layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mqlml.monitoring.directions import watched_directions
from mqlml.monitoring.evidence import Ints, Reference, ScoredHistory, week_of
from mqlml.monitoring.figures import Figures, Once, weekly_figures
from mqlml.monitoring.input_odds import InputEvidence, input_evidence
from mqlml.monitoring.leans import DELAY, Doubt, Evidence, change_evidence, sum_leans
from mqlml.monitoring.residuals import (
    Residuals,
    conversion_residuals,
    delay_of,
    has_enough,
)
from mqlml.monitoring.selection import first_rows, selection_figures
from mqlml.monitoring.settings import MonitoringSettings

_MOST_SEGMENT_COLUMNS = 3
_LEVELS = 4
# What a sound model promises of all leads together it keeps closely; a slope it keeps less so.
_LEVEL = Doubt(lean=0.05, drift=0.10, tolerance=0.05, share=0.40)
_DELAY = Doubt(lean=0.2, drift=0.15, tolerance=0.10, share=0.10)
_AXIS = Doubt(lean=0.15, drift=0.05, tolerance=0.05, share=0.10)
_SEGMENT = Doubt(lean=0.2, drift=0.08, tolerance=0.05, share=0.20)
# Conversions expected since a change before anything is said of it.
_LEAST_WEIGHT = 12.0
# At this alarm_p_value the limits hold as they stand; half of it doubles them.
_PLAIN = 0.001


@dataclass(frozen=True)
class Watch:
    """The evidence by week of a change and week of looking; None where it cannot be judged.

    Weeks later than the one that is looked at add nothing to what is known in it, so one
    Watch serves a look at any of its weeks. `strictness` is added to every limit.
    """

    history: ScoredHistory
    reference: Reference
    residuals: Residuals
    outcomes: Evidence | None
    inputs: InputEvidence | None
    selection: InputEvidence | None
    figures: Figures
    strictness: float


def watch(
    history: ScoredHistory,
    reference: Reference,
    settings: MonitoringSettings,
    *,
    figures: Figures | None = None,
) -> Watch:
    """Return the evidence in `history`; `figures` of its inputs are made if not given."""
    learnt = np.flatnonzero(~history.is_news)
    residuals = conversion_residuals(history, delay_of(history, reference.facts))
    directions = watched_directions(
        history.scores, history.matrix, segments_of(history, reference), learnt
    )
    outcomes = None
    if has_enough(residuals):
        sums = sum_leans(residuals, directions)
        outcomes = change_evidence(sums, _doubts(sums.names), least_weight=_LEAST_WEIGHT)
    figures = figures or figures_of(history, reference)
    since = int(week_of(np.array([history.learnt_until]), history.data_end)[0])
    routed = selection_figures(history, figures)
    selection = None
    if routed is not None:
        selection = input_evidence(routed, learnt_until=since, fewest=settings.min_points)
    return Watch(
        history=history,
        reference=reference,
        residuals=residuals,
        outcomes=outcomes,
        inputs=input_evidence(figures, learnt_until=since, fewest=settings.min_points),
        selection=selection,
        figures=figures,
        strictness=float(np.log(_PLAIN / settings.alarm_p_value)),
    )


def figures_of(
    history: ScoredHistory, reference: Reference, columns: tuple[str, ...] | None = None
) -> Figures:
    """Return the weekly figures of all columns of the plan, or of `columns` only."""
    names = list(reference.plan.columns if columns is None else columns)
    # A selection is a copy, and of a million rows a large one.
    is_whole = list(history.matrix.columns) == names
    return weekly_figures(
        history.matrix if is_whole else history.matrix[names],
        week_of(history.as_of, history.data_end),
        categories=frozenset(reference.plan.categories),
        known=_known(reference),
        learnt=~history.is_news,
        once=Once(
            frozenset(part.column for part in reference.plan.attributes), first_rows(history)
        ),
    )


def segments_of(history: ScoredHistory, reference: Reference) -> dict[str, list[Any]]:
    """Return the frequent levels of the first few categories that have any."""
    learnt = np.flatnonzero(~history.is_news)
    found: dict[str, list[Any]] = {}
    for name in reference.plan.categories:
        known = _known(reference).get(name, {}).get("levels")
        if not known:
            rows: Ints = learnt if len(learnt) else np.arange(len(history.matrix))
            known = list(history.matrix[name].iloc[rows].value_counts().index)
        if len(known) >= 2:
            found[name] = list(known)[:_LEVELS]
        if len(found) == _MOST_SEGMENT_COLUMNS:
            break
    return found


def _known(reference: Reference) -> Mapping[str, Any]:
    columns: Mapping[str, Any] = reference.facts.get("reference", {}).get("columns", {})
    return columns


def _doubts(names: tuple[str, ...]) -> dict[str, Doubt]:
    """Return how each direction may lean by itself; shares that nobody uses go to the level."""
    axes = [name for name in names if name in ("score", "fit", "engagement")]
    segments = [name for name in names if "=" in name]
    doubts = dict.fromkeys(axes, _AXIS) | {DELAY: _DELAY}
    for name in segments:
        doubts[name] = Doubt(
            _SEGMENT.lean, _SEGMENT.drift, _SEGMENT.tolerance, _SEGMENT.share / len(segments)
        )
    rest = 1.0 - sum(doubt.share for doubt in doubts.values())
    return doubts | {"level": Doubt(_LEVEL.lean, _LEVEL.drift, _LEVEL.tolerance, rest)}
