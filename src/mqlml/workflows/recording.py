"""A training → one MLflow run with everything that explains the model."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from mqlml.criteria.file import criteria_digest
from mqlml.dataset.audit import overrides
from mqlml.modeling.bundle import save_bundle
from mqlml.reports.training import TrainingFacts, training_page, training_pictures
from mqlml.workflows.learning import Learnt
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import LoggedModel
    from mqlml.tracking.store import MlflowStore


def record_training(
    store: "MlflowStore",
    project: Project,
    learnt: Learnt,
    *,
    as_of: int,
    seed: int,
    reason: str,
    facts: TrainingFacts,
    kind: str = "train",
    extra: Mapping[str, Any] | None = None,
) -> "LoggedModel":
    """Return the run and, if every gate was passed, the registered version."""
    from mqlml.tracking.records import DatasetFacts, RunRecord, TrainingRecord

    settings, plan = project.settings, learnt.dataset.plan
    run = RunRecord(
        name=settings.name,
        kind=kind,
        as_of=as_of,
        reason=reason,
        decision="registered" if learnt.published else "not published",
        params=_params(project, learnt, seed),
        metrics=_metrics(learnt),
        tags=dict(extra or {}) | _override_tags(learnt),
        artifacts=_artifacts(learnt, facts),
    )
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        save_bundle(learnt.bundle, bundle)
        record = TrainingRecord(
            run=run,
            bundle=bundle,
            dataset=DatasetFacts(settings.name, learnt.tables.digest, len(learnt.dataset.points)),
            contestants=_contestants(learnt),
            columns=plan.columns,
            categories=plan.categories,
            example=usual_row(learnt.dataset.matrix),
            plan_fingerprint=plan.fingerprint,
            criteria_version=str(settings.criteria.version),
            criteria_digest=criteria_digest(settings.criteria),
            seed=seed,
        )
        return store.log_training(record, publish=learnt.published)


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
        "audit_overrides": len(overrides(learnt.findings)),
    }


def _override_tags(learnt: Learnt) -> dict[str, str]:
    """Return the columns used although the audit would stop at them, each with its reason."""
    allowed = overrides(learnt.findings)
    return {"audit_overrides": json_artifact(allowed).decode()} if allowed else {}


def _metrics(learnt: Learnt) -> dict[str, float]:
    figures = {f"test_{name}": value for name, value in asdict(learnt.result.test).items()}
    cost = learnt.result.axis_cost
    lost = {} if cost is None else {"axis_cost_roc_auc": cost.roc_auc}
    return figures | lost | {"constant_log_loss": learnt.result.constant_log_loss}


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
        "reliability.json": json_artifact(_records(facts.reliability)),
        "gates.json": json_artifact([asdict(gate) for gate in learnt.gates]),
        "criteria.json": json_artifact(learnt.bundle.criteria),
        "plan.json": learnt.dataset.plan.to_json().encode(),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for JSON, which has no NaN."""
    plain = frame.astype("object").where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def json_artifact(values: Any) -> bytes:
    """Return values as the JSON file of a run; what JSON does not know becomes text."""
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False, default=str).encode()
