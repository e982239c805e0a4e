"""A training → one MLflow run with everything that explains the model."""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from mqlml.criteria.file import criteria_digest
from mqlml.dataset.audit import overrides
from mqlml.modeling.bundle import save_bundle
from mqlml.reports.model_card import model_card, short_card
from mqlml.reports.training import training_page, training_pictures, training_verdict
from mqlml.reports.training_facts import TrainingFacts
from mqlml.workflows.fallback import fallback_tags, recorded_decision
from mqlml.workflows.kept_back import Recorder
from mqlml.workflows.learning import Learnt
from mqlml.workflows.project import Project, shown_instant

if TYPE_CHECKING:
    from mqlml.tracking.records import Campaign, DatasetFacts, LoggedModel, RunRecord


# MLflow keeps so many characters of a tag, and a run's note is one.
_NOTE_LENGTH = 5000
_NAME_LENGTH = 80


@dataclass(frozen=True)
class Circumstances:
    """When, why and by which seed was trained; under which change; what is new since before.

    `since` says in sentences what changed since the champion before, `extra` are tags.
    """

    as_of: int
    seed: int
    reason: str
    kind: str = "train"
    since: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    campaign: "Campaign | None" = None


def record_training(
    recorder: Recorder,
    project: Project,
    learnt: Learnt,
    *,
    facts: TrainingFacts,
    circumstances: Circumstances,
) -> "LoggedModel":
    """Return the run and, if every gate was passed, the registered version."""
    from mqlml.tracking.records import TrainingRecord

    settings, plan = project.settings, learnt.dataset.plan
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        save_bundle(learnt.bundle, bundle)
        record = TrainingRecord(
            run=_run(project, learnt, facts, circumstances),
            bundle=bundle,
            dataset=_data(settings.name, learnt, facts),
            contestants=_contestants(learnt),
            columns=plan.columns,
            categories=plan.categories,
            example=usual_row(learnt.dataset.matrix),
            plan_fingerprint=plan.fingerprint,
            criteria_version=str(settings.criteria.version),
            criteria_digest=criteria_digest(settings.criteria),
            seed=circumstances.seed,
        )
        return recorder.log_training(record, publish=learnt.published)


def _run(
    project: Project, learnt: Learnt, facts: TrainingFacts, circumstances: Circumstances
) -> "RunRecord":
    from mqlml.tracking.records import RunRecord

    card = model_card(facts, circumstances.since)
    return RunRecord(
        name=project.settings.name,
        kind=circumstances.kind,
        as_of=circumstances.as_of,
        reason=circumstances.reason,
        decision=recorded_decision(learnt),
        params=_params(project, learnt, circumstances.seed),
        metrics=_metrics(learnt, facts),
        tags=dict(circumstances.extra) | _override_tags(learnt) | fallback_tags(learnt),
        artifacts=_artifacts(learnt, facts) | {"model_card.md": card.encode()},
        note=short_card(card, _NOTE_LENGTH),
        summary=training_verdict(facts),
        campaign=circumstances.campaign,
    )


def _data(name: str, learnt: Learnt, facts: TrainingFacts) -> "DatasetFacts":
    from mqlml.tracking.records import DatasetFacts

    # By name and digest MLflow knows a dataset again, and then keeps its first row count.
    return DatasetFacts(
        _data_name(name, facts),
        learnt.tables.digest,
        len(learnt.dataset.points),
        source=", ".join(Path(count.file).name for count in facts.sources),
    )


def _data_name(name: str, facts: TrainingFacts) -> str:
    return name if facts.as_of is None else f"{name} as of {shown_instant(facts.as_of)}"


def usual_row(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return one row of usual values: nobody's own, so that nobody has to be erased from it."""
    usual = {
        name: [values.median() if is_numeric_dtype(values) else _most(values)]
        for name, values in matrix.items()
    }
    return pd.DataFrame(usual).astype(matrix.dtypes)


def _most(values: pd.Series) -> object:
    common = values.mode()
    return common.iloc[0] if len(common) else None


def _params(project: Project, learnt: Learnt, seed: int) -> dict[str, object]:
    settings = project.settings
    winner = next(c for c in learnt.result.contestants if c.name == learnt.result.winner)
    return {
        "winner": learnt.result.winner,
        **{f"winner.{name}": value for name, value in winner.settings.items()},
        "target": settings.target.stage,
        "horizon_days": settings.target.horizon_days,
        "points": settings.points.rule,
        "features": len(learnt.dataset.plan.columns),
        "rows": len(learnt.dataset.points),
        "mql_probability": learnt.mql_probability,
        "seed": seed,
        "candidates": learnt.result.candidates,
        "audit_overrides": len(overrides(learnt.findings)),
        "sensitive_excluded": len(learnt.sensitive) - len(_allowed(learnt)),
        "sensitive_allowed": len(_allowed(learnt)),
    }


def _override_tags(learnt: Learnt) -> dict[str, str]:
    """Return the columns used although the audit would stop at them, each with its reason."""
    allowed, sensitive = overrides(learnt.findings), _allowed(learnt)
    told = {"audit_overrides": json_artifact(allowed).decode()} if allowed else {}
    return told | ({"sensitive_allowed": json_artifact(sensitive).decode()} if sensitive else {})


def _allowed(learnt: Learnt) -> dict[str, str]:
    """Return the sensitive columns that the model looks at, each with its reason."""
    columns = (found.column for found in learnt.sensitive)
    return {column.name: column.reason for column in columns if column.is_allowed}


def _metrics(learnt: Learnt, facts: TrainingFacts) -> dict[str, float]:
    figures = {f"test_{name}": value for name, value in asdict(learnt.result.test).items()}
    cost = learnt.result.axis_cost
    lost = {} if cost is None else {"axis_cost_roc_auc": cost.roc_auc}
    whole = {"constant_log_loss": learnt.result.constant_log_loss}
    return figures | lost | whole | _by_persona(facts.personas)


def _by_persona(personas: pd.DataFrame) -> dict[str, float]:
    """Return leads, conversion rate and ROC-AUC of each persona on the test, as metrics."""
    found = {}
    for row in personas.to_dict("records"):
        name = re.sub(r"[^\w. -]", "_", str(row["persona"]))[:_NAME_LENGTH]
        for figure in ("leads", "rate", "roc_auc"):
            found[f"persona.{name}.{figure}"] = float(row[figure])
    return found


def _contestants(learnt: Learnt) -> dict[str, dict[str, float]]:
    """Return each contestant's forward and test figures."""
    return {
        c.name: {"log_loss": c.log_loss, "roc_auc": c.roc_auc, "pr_auc": c.pr_auc}
        | {
            f"test_{name}": value
            for name, value in asdict(learnt.result.test_by_contestant[c.name]).items()
        }
        for c in learnt.result.contestants
    }


def picture_artifacts(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return pictures under the folder in which every run keeps them."""
    return {f"pictures/{name}": content for name, content in pictures.items()}


def _artifacts(learnt: Learnt, facts: TrainingFacts) -> dict[str, bytes]:
    return {
        "report.html": training_page(facts).encode(),
        **picture_artifacts(training_pictures(facts)),
        "audit.json": json_artifact([asdict(finding) for finding in learnt.findings]),
        "reliability.json": json_artifact(plain_records(facts.reliability)),
        "sensitive.json": json_artifact(_sensitive(learnt, facts)),
        "gates.json": json_artifact([asdict(gate) for gate in learnt.gates]),
        "criteria.json": json_artifact(learnt.bundle.criteria),
        "plan.json": learnt.dataset.plan.to_json().encode(),
    }


def _sensitive(learnt: Learnt, facts: TrainingFacts) -> dict[str, Any]:
    """Return the sensitive columns with what tells them, and how their groups fare."""
    fares = plain_records(facts.sensitive.fares) if facts.sensitive else []
    return {"columns": [found.to_json() for found in learnt.sensitive], "groups": fares}


def plain_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for JSON, which has no NaN."""
    plain = frame.astype("object").where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def json_artifact(values: Any) -> bytes:
    """Return values as the JSON file of a run; what JSON does not know becomes text."""
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False, default=str).encode()
