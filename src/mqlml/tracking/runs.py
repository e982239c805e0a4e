"""Runs in MLflow: one per training, monitoring, retraining, review or scoring."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mqlml.errors import BundleError, Fault
from mqlml.reports.words import day
from mqlml.timeline import MICROS_PER_WEEK
from mqlml.tracking.library import mlflow
from mqlml.tracking.races import written
from mqlml.tracking.records import DatasetFacts, Number, RunRecord, RunRow

_PREFIX = "mqlml."
# The tag of a run that waited in a workspace until MLflow could be had again.
KEPT_BACK = "kept_back"
_BATCH = 100
_PAGE = 1000
_METRIC_BATCH = 1000
_VALUE_LENGTH = 5000
_DIGEST_LENGTH = 36
_MICROS_PER_MILLI = 1000
_FINISHED = "FINISHED"
_FRAMES = ("campaign", "timeline")


def experiment_id(client: Any, name: str, *, location: str | None) -> str:
    """Return the experiment that keeps the runs of model `name`; it is made if missing.

    `location` is where its artefacts go; None leaves that to the server.

    Raises:
        BundleError: The experiment was deleted in MLflow.
    """
    library = mlflow()
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except library.MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    if found.lifecycle_stage != "active":
        raise BundleError(
            Fault(
                "the experiment was deleted in MLflow",
                where=f"experiment {name}",
                mend="restore it in the MLflow UI, or give the project another name",
            )
        )
    return str(found.experiment_id)


@contextmanager
def running(
    client: Any, experiment: str, record: RunRecord, *, parent: str | None = None
) -> Iterator[str]:
    """Yield the id of a new run that is FINISHED if the block ends well, else FAILED.

    Its times are those of `as_of`, not of the clock. MLflow shows it under the run `parent`.
    """
    above = {} if parent is None else {"mlflow.parentRunId": parent}
    millis = record.as_of // _MICROS_PER_MILLI
    run = client.create_run(
        experiment,
        start_time=millis,
        tags=_run_tags(record) | above,
        run_name=f"{record.kind} {record.reason}".strip(),
    )
    run_id = str(run.info.run_id)
    try:
        yield run_id
    except BaseException:
        # What went wrong matters more than a store that cannot even note it.
        with suppress(mlflow().MlflowException, OSError):
            client.set_terminated(run_id, "FAILED", end_time=millis)
        raise
    client.set_terminated(run_id, _FINISHED, end_time=millis)


def log_figures(
    client: Any,
    run_id: str,
    record: RunRecord,
    *,
    metrics: Mapping[str, Number],
    model_id: str | None = None,
) -> None:
    """Write `metrics` and the record's parameters, tags and artefacts into a run, in few calls.

    Metrics that are no finite numbers are left out; long texts are cut.
    """
    from mlflow.entities import Metric, Param, RunTag

    millis = record.as_of // _MICROS_PER_MILLI
    params = [Param(key, _text(value)) for key, value in sorted(record.params.items())]
    tags = [RunTag(key, _text(value)) for key, value in sorted(record.tags.items())]
    points = [
        Metric(key, float(value), millis, 0, model_id=model_id, run_id=run_id)
        for key, value in sorted(metrics.items())
        if isfinite(value)
    ]
    points += [
        Metric(key, float(value), at // _MICROS_PER_MILLI, at // MICROS_PER_WEEK)
        for key, values in sorted(record.series.items())
        for at, value in values
        if isfinite(value)
    ]
    while params or tags or points:
        client.log_batch(
            run_id, metrics=points[:_METRIC_BATCH], params=params[:_BATCH], tags=tags[:_BATCH]
        )
        params, tags, points = params[_BATCH:], tags[_BATCH:], points[_METRIC_BATCH:]
    _log_artifacts(client, run_id, record.artifacts)


def log_dataset(client: Any, run_id: str, facts: DatasetFacts) -> None:
    """Tell a run which data it was trained on."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = facts.digest
    if len(digest) > _DIGEST_LENGTH:
        digest = sha256(digest.encode()).hexdigest()[:_DIGEST_LENGTH]
    dataset = Dataset(
        name=facts.name,
        digest=digest,
        source_type="local",
        source=json.dumps({"uri": facts.source}),
        profile=json.dumps({"num_rows": facts.rows}),
    )
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    written(lambda: client.log_inputs(run_id, datasets=inputs))


def list_runs(client: Any, name: str) -> tuple[RunRow, ...]:
    """Return the finished runs of model `name`, oldest as_of first."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return ()
    versions = _version_of_run(client, name)
    rows = [_row(run, versions) for run in _all_runs(client, found.experiment_id)]
    # What holds runs together is MLflow's pages' business.
    rows = [row for row in rows if row.kind not in _FRAMES]
    return tuple(sorted(rows, key=lambda row: (row.at, row.kind, row.version, row.run_id)))


def find_tagged(client: Any, name: str, tag: str, value: str) -> tuple[str, str] | None:
    """Return run id and version ("" if none) of the finished run whose tag of ours has a value."""
    found = client.get_experiment_by_name(name)
    run_id = None if found is None else run_with_tag(client, found.experiment_id, tag, value)
    return None if run_id is None else (run_id, _version_of_run(client, name).get(run_id, ""))


def run_with_tag(client: Any, experiment: str, tag: str, value: str) -> str | None:
    """Return the finished run whose tag of ours has a value, the first one made; None if none."""
    quote = '"' if "'" in value else "'"
    asked = f"attributes.status = '{_FINISHED}' and tags.`{_PREFIX}{tag}` = {quote}{value}{quote}"
    order = ["attributes.start_time ASC"]
    runs = client.search_runs([experiment], asked, max_results=1, order_by=order)
    return str(runs[0].info.run_id) if runs else None


def unfinished_runs(client: Any, name: str) -> tuple[str, ...]:
    """Return the ids of runs that were begun and neither finished nor failed."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return ()
    runs = client.search_runs([found.experiment_id], "attributes.status = 'RUNNING'")
    return tuple(sorted(run.info.run_id for run in runs))


def flat_contestants(contestants: Mapping[str, Mapping[str, Number]]) -> dict[str, Number]:
    """Return the metrics of all contestants as `contestant.NAME.METRIC`."""
    return {
        f"contestant.{name}.{metric}": value
        for name, figures in contestants.items()
        for metric, value in figures.items()
    }


def with_tags(record: RunRecord, tags: Mapping[str, object]) -> RunRecord:
    """Return `record` with `tags` of ours added; empty ones are left out."""
    ours = {f"{_PREFIX}{key}": value for key, value in tags.items() if value != ""}
    return replace(record, tags={**record.tags, **ours})


def decision_tag(decision: str) -> tuple[str, str]:
    """Return name and value of the tag that tells what followed from a run."""
    return f"{_PREFIX}decision", decision


def _run_tags(record: RunRecord) -> dict[str, str]:
    ours = {
        "kind": record.kind,
        "as_of": str(record.as_of),  # for programs, microseconds
        "when": day(record.as_of),  # for people
        "reason": record.reason,
        "decision": record.decision,
        "model_name": record.name,
        "model_version": record.model_version,
    }
    note = {"mlflow.note.content": _text(record.note)} if record.note else {}
    return {f"{_PREFIX}{key}": _text(value) for key, value in ours.items()} | {
        **note,
        "mlflow.source.name": "mqlml",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": "mqlml",
    }


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text[:_VALUE_LENGTH]


def _log_artifacts(client: Any, run_id: str, artifacts: Mapping[str, bytes | Path]) -> None:
    if not artifacts:
        return
    with TemporaryDirectory() as temporary:
        for name, content in artifacts.items():
            path = Path(temporary, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        client.log_artifacts(run_id, temporary)


def _all_runs(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            f"attributes.status = '{_FINISHED}'",
            max_results=_PAGE,
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def _version_of_run(client: Any, name: str) -> dict[str, str]:
    quote = '"' if "'" in name else "'"
    versions = client.search_model_versions(f"name = {quote}{name}{quote}")
    return {version.run_id: str(version.version) for version in versions}


def _row(run: Any, versions: Mapping[str, str]) -> RunRow:
    tags = run.data.tags
    run_id = run.info.run_id
    at = tags.get(f"{_PREFIX}as_of")
    return RunRow(
        run_id=run_id,
        kind=tags.get(f"{_PREFIX}kind", ""),
        # A run that someone else wrote into our experiment has only the clock's time.
        at=int(at) if at else run.info.start_time * _MICROS_PER_MILLI,
        name=tags.get(f"{_PREFIX}model_name", ""),
        version=versions.get(run_id) or tags.get(f"{_PREFIX}model_version", ""),
        reason=tags.get(f"{_PREFIX}reason", ""),
        decision=tags.get(f"{_PREFIX}decision", ""),
    )
