"""Runs that hold others together: one per change that was found, and one time line per model.

Looks at a change, the retrainings for it and a person's word on them are children of the
change's run, so that MLflow shows them under it. The time line gathers what each look measured
and each change of champion: its charts have quality, alarms and champions on one axis, a step a
week.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from mqlml.timeline import MICROS_PER_WEEK
from mqlml.tracking.records import Campaign, Number
from mqlml.tracking.runs import run_with_tag

CAMPAIGN, TIMELINE = "campaign", "timeline"
_MICROS_PER_MILLI = 1000
_MOST_LETTERS = 5000


def campaign_run(client: Any, experiment: str, name: str, campaign: Campaign) -> str:
    """Return the run of a change; it is made with the first look at the change."""
    found = run_with_tag(client, experiment, CAMPAIGN, campaign.key)
    if found is not None:
        return found
    tags = {
        "mqlml.campaign": campaign.key,
        "mqlml.kind": CAMPAIGN,
        "mqlml.as_of": str(campaign.as_of),
        "mqlml.model_name": name,
        "mqlml.model_version": campaign.version,
        "change_kind": campaign.kind,
        "change_since": "" if campaign.since is None else str(campaign.since),
        "change_columns": ", ".join(campaign.columns),
        "mlflow.note.content": campaign.evidence,
    }
    return _made(client, experiment, f"change: {campaign.kind}", tags, at=campaign.as_of)


def log_timeline(
    client: Any, experiment: str, name: str, *, at: int, figures: Mapping[str, Number]
) -> None:
    """Add figures as of a moment to the model's time line; the same ones again change nothing."""
    from mlflow.entities import Metric

    run_id = run_with_tag(client, experiment, TIMELINE, name)
    if run_id is None:
        tags = {
            "mqlml.timeline": name,
            "mqlml.kind": TIMELINE,
            "mqlml.as_of": str(at),
            "mqlml.model_name": name,
            "mlflow.note.content": "Quality, alarms and champions, one step a week.",
        }
        run_id = _made(client, experiment, "time line", tags, at=at)
    millis, step = at // _MICROS_PER_MILLI, week_step(at)
    points = [
        Metric(key, float(value), millis, step)
        for key, value in sorted(figures.items())
        if isfinite(value)
    ]
    client.log_batch(run_id, metrics=points)


def week_step(at: int) -> int:
    """Return the number of a moment's week since 1970, as the step of a metric.

    >>> week_step(1_772_409_600_000_000)
    2930
    """
    return at // MICROS_PER_WEEK


def _made(client: Any, experiment: str, title: str, tags: dict[str, str], *, at: int) -> str:
    millis = at // _MICROS_PER_MILLI
    kept = {key: value[:_MOST_LETTERS] for key, value in tags.items() if value}
    run = client.create_run(experiment, start_time=millis, tags=kept, run_name=title)
    client.set_terminated(run.info.run_id, "FINISHED", end_time=millis)
    return str(run.info.run_id)
