"""One look at the champion: inputs, outcomes, calibration, criteria, volumes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.modeling.metrics import calibration_curve
from mqlml.monitoring.diagnosis import Edit, diagnose
from mqlml.monitoring.early import estimated_quality
from mqlml.monitoring.evidence import (
    Change,
    Monitoring,
    Reference,
    ScoredHistory,
    week_of,
    week_start,
)
from mqlml.monitoring.funnel import funnel_questions
from mqlml.monitoring.inputs import input_table
from mqlml.monitoring.kept_estimates import checked_estimates
from mqlml.monitoring.segments import calibration_by_segment
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.verdicts import verdict_change
from mqlml.monitoring.watch import Watch, watch
from mqlml.monitoring.weekly import weekly_rates

_MOST_COLUMNS = 6


def monitor(
    history: ScoredHistory,
    reference: Reference,
    settings: MonitoringSettings,
    *,
    criteria_then: Criteria,
    criteria_now: Criteria,
    retargeted: str = "",
    estimates: Iterable[Mapping[str, Any]] = (),
) -> Monitoring:
    """Return what changed since the champion was trained, the strongest first.

    Nothing later than `history.data_end` is looked at. `estimates` are those of earlier looks
    at the same champion, see `checked_estimates`. An alarm is raised by
    what needs somebody to act: conversions or verdicts that no longer follow the
    scores, inputs that broke or shifted, criteria edited without a new version.
    """
    watched = watch(history, reference, settings)
    edited = (*criteria_change(criteria_then, criteria_now), *target_change(retargeted))
    edits = [Edit(c.since, c.evidence) for c in edited if c.since is not None]
    found = diagnose(watched, edits=edits)
    if any(change.kind == "definition" for change in found):
        edited = tuple(change for change in edited if change.since is None)
    early, unjudged = verdict_change(history, reference, settings)
    changes = (*edited, *_with_verdicts(found, early))
    table, blind = input_table(watched, found, settings)
    warnings = [*_too_few(watched), *([unjudged] if unjudged else []), *blind]
    ordered = tuple(sorted(changes, key=lambda change: (not change.is_alarm, -change.strength)))
    return Monitoring(
        alarm=any(change.is_alarm for change in ordered),
        changes=ordered,
        weekly=weekly_rates(history),
        inputs=table,
        calibration=matured_calibration(history),
        volumes=_volumes(history),
        quality=estimated_quality(history, watched.residuals),
        checked=checked_estimates(history, watched.residuals, estimates),
        segments=calibration_by_segment(watched),
        questions=funnel_questions(
            history.stages, horizon=history.horizon, data_end=history.data_end
        ),
        warnings=tuple(warnings),
    )


def _too_few(watched: Watch) -> list[str]:
    if watched.outcomes is not None:
        return []
    came = watched.residuals.observed
    text = f"only {came:.0f} conversions since training: too few to judge base rate and concept"
    return [text]


def _with_verdicts(found: tuple[Change, ...], early: Change | None) -> tuple[Change, ...]:
    """Return the changes with what verdicts say: one change where both say the same."""
    if early is None:
        return found
    for place, change in enumerate(found):
        if change.kind == "concept":
            strong, weak = sorted((change, early), key=lambda c: -c.strength)
            columns = tuple(dict.fromkeys((*strong.columns, *weak.columns)))[:_MOST_COLUMNS]
            evidence = f"{strong.evidence}; {weak.evidence}"
            both = replace(strong, columns=columns, evidence=evidence, cost=change.cost)
            return (*found[:place], both, *found[place + 1 :])
    return (*found, early)


def target_change(retargeted: str) -> tuple[Change, ...]:
    """Return the change of definition if the target differs from what the champion learnt."""
    if not retargeted:
        return ()
    return (
        Change(
            kind="definition",
            since=None,
            columns=("target",),
            segment=None,
            evidence=retargeted,
            act="retrain: the champion answers another question than the config now asks",
            strength=0.0,
            proposal="retrain",
        ),
    )


def target_words(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words how two targets differ, nothing if they do not.

    >>> target_words({"stage": "sql", "horizon_days": 60}, {"stage": "sql", "horizon_days": 90})
    'target.horizon_days was 60 and is 90'
    """
    return "; ".join(
        f"target.{key} was {then.get(key)} and is {now.get(key)}"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    )


def criteria_change(then: Criteria, now: Criteria) -> tuple[Change, ...]:
    """Return the change of definition if the criteria's content differs, told in sentences.

    A change under a new version is an agreed one and no alarm; the same version
    with other content was edited behind the version's back.
    """
    if criteria_digest(then) == criteria_digest(now):
        return ()
    is_registered = then.version != now.version
    act = "preview who enters and leaves the MQL list; retrain if the target itself changed"
    mend = "give the edited criteria a new version and let both teams sign it"
    return (
        Change(
            kind="definition",
            since=_day(now.valid_from) if is_registered else None,
            columns=("criteria",),
            segment=None,
            evidence="; ".join(criteria_changes(then, now)),
            act=act if is_registered else mend,
            strength=0.0,
            is_alarm=not is_registered,
            proposal="nothing" if is_registered else "ask_for_criteria",
        ),
    )


def _day(day: str | None) -> int | None:
    return None if day is None else int(pd.Timestamp(day, tz="UTC").value) // 1_000


def matured_calibration(history: ScoredHistory) -> pd.DataFrame:
    """Return predicted and observed rates by bin of scores the champion did not learn from.

    Only scores whose whole horizon lies in the data count; without any the frame
    is empty.
    """
    mature = np.asarray(timeline.is_mature(history.as_of, history.horizon, 0, history.data_end))
    rows = np.flatnonzero(mature & history.is_news)
    as_of, converted_at = history.as_of[rows], history.converted_at[rows]
    labels = np.asarray(timeline.is_in_horizon(converted_at, as_of, history.horizon), dtype=float)
    probabilities = history.scores["probability"].to_numpy(dtype=np.float64)[rows]
    if not len(rows):
        return pd.DataFrame(columns=["rows", "predicted", "observed", "low", "high"], dtype=float)
    return calibration_curve(labels, probabilities)


def _volumes(history: ScoredHistory) -> pd.DataFrame:
    numbers: Any
    numbers, counts = np.unique(week_of(history.as_of, history.data_end), return_counts=True)
    weeks = [week_start(int(number), history.data_end) for number in numbers]
    return pd.DataFrame({"week": np.array(weeks, dtype=np.int64), "leads": counts})
