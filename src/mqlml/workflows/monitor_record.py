"""A look as MLflow keeps it: figures, weekly series, the model's time line, what it belongs to."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from mqlml.criteria.file import criteria_digest
from mqlml.monitoring.early import MATURE, YOUNG
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.reports.monitor import MonitorFacts, monitor_pictures
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.recording import picture_artifacts

if TYPE_CHECKING:
    from mqlml.tracking.records import Campaign, RunRecord

_WHO = {YOUNG: "young", MATURE: "mature"}
_SERIES = {
    "expected": "week.expected_rate",
    "observed": "week.observed_rate",
    "leads": "week.leads",
}


def change_document(change: Change) -> dict[str, Any]:
    """Return a change as JSON values; times as ISO 8601 text."""
    times = {
        name: shown_instant(at) if at is not None else None
        for name, at in (
            ("since", change.since),
            ("from", change.earliest),
            ("to", change.latest),
        )
    }
    values = asdict(change)
    kept = ("kind", "segment", "evidence", "act", "proposal", "strength", "is_alarm", "cost")
    return {**{k: values[k] for k in kept}, **times, "columns": list(change.columns)}


def monitor_record(
    project: Project, facts: MonitorFacts, *, data: str, page: str, campaign: "Campaign | None"
) -> "RunRecord":
    """Return the record of a look as of `facts.as_of`; `data` is the digest of the tables."""
    from mqlml.tracking.records import RunRecord

    found, moment = facts.found, facts.as_of or 0
    alarms = [change for change in found.changes if change.is_alarm]
    changes = [change_document(change) for change in found.changes]
    figures = quality_figures(found.quality)
    counts = {"alarm": float(found.alarm), "changes": float(len(found.changes))}
    version = facts.model_version
    champion = {"champion_version": float(version)} if version.isdigit() else {}
    return RunRecord(
        name=facts.name,
        kind="monitor",
        as_of=moment,
        reason="; ".join(sorted({change.kind for change in alarms})),
        decision="alarm" if found.alarm else "no alarm",
        model_version=version,
        metrics={**counts, **figures},
        tags=_tags(project, alarms, data),
        artifacts={
            "report.html": page.encode(),
            "changes.json": json.dumps(changes, indent=1).encode(),
            **picture_artifacts(monitor_pictures(facts)),
        },
        series=weekly_series(found),
        timeline={**counts, **figures, **champion},
        campaign=campaign,
    )


def _tags(project: Project, alarms: list[Change], data: str) -> dict[str, str]:
    criteria, first = project.settings.criteria, alarms[0] if alarms else None
    told = {
        "mqlml.criteria_version": str(criteria.version),
        "mqlml.criteria_digest": criteria_digest(criteria),
        "mqlml.data_digest": data,
        "change_kind": "" if first is None else first.kind,
        "change_since": "" if first is None or first.since is None else str(first.since),
        "change_columns": "" if first is None else ", ".join(first.columns),
        "proposal": "" if first is None else first.proposal,
        "decided_by": "mqlml",
    }
    return {name: text for name, text in told.items() if text}


def weekly_series(found: Monitoring) -> Mapping[str, list[tuple[int, float]]]:
    """Return what was expected, came and was seen by week; weeks that are not mature are left out.

    Each value stands at its week's start, microseconds UTC.
    """
    if not len(found.weekly):
        return {}
    weeks = [int(week) for week in found.weekly["week"]]
    return {
        name: [
            (week, float(value))
            for week, value in zip(weeks, found.weekly[column], strict=True)
            if pd.notna(value)
        ]
        for column, name in _SERIES.items()
    }


def quality_figures(quality: pd.DataFrame) -> dict[str, float]:
    """Return the estimates of today's quality and what is known of older leads, as metrics.

    Names are `quality.young.roc_auc`, `quality.mature.conversions_of_expected` and so on; an
    estimate's bounds end in `.low` and `.high`.
    """
    figures = {}
    for row in quality.to_dict("records"):
        measure = str(row["measure"])
        who = next(short for words, short in _WHO.items() if measure.endswith(words))
        what = "roc_auc" if measure.startswith("ROC-AUC") else "conversions_of_expected"
        figures[f"quality.{who}.{what}"] = float(row["value"])
        figures |= {f"quality.{who}.{what}.{end}": float(row[end]) for end in ("low", "high")}
    return figures
