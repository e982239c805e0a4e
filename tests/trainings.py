"""A tiny real bundle and the record of its training, for tests of MLflow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.bundle import Bundle, save_bundle
from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.contestant import TrainingRows
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.grades import cut_grades
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.model import CalibratedModel
from mqlml.tables.contracts import Attribute, ColumnType
from mqlml.tracking.connection import Connection
from mqlml.tracking.records import DatasetFacts, RunRecord, TrainingRecord
from mqlml.tracking.store import MlflowStore

MARCH_2 = 1_772_409_600_000_000
NAME = "demo"


def tiny_plan() -> Plan:
    """Return a plan of three columns: two numbers, one category, both axes."""
    attributes = (
        Attribute("visits", ColumnType.NUMBER),
        Attribute("budget", ColumnType.NUMBER),
        Attribute("industry", ColumnType.TEXT),
    )
    return make_plan(
        PlanSettings(), attributes, event_columns=(), engagement_attributes=("visits",)
    )


def tiny_matrix(rows: int = 80) -> pd.DataFrame:
    """Return rows of the tiny plan, with missing values in every column."""
    step = np.arange(rows)
    return pd.DataFrame(
        {
            "visits": np.where(step % 7 == 0, np.nan, step % 5).astype(float),
            "budget": np.where(step % 11 == 0, np.nan, step % 3).astype(float),
            "industry": pd.Series([[None, "steel", "software"][i % 3] for i in step], dtype="str"),
        }
    )


def tiny_bundle(shift: float = 0.0) -> Bundle:
    """Return a fitted logistic model as a bundle; `shift` makes a different one."""
    plan, matrix = tiny_plan(), tiny_matrix()
    labels = (matrix["visits"].fillna(0) + matrix["budget"].fillna(0) >= 4).to_numpy(float)
    shape = shape_of(plan)
    rows = TrainingRows(matrix, labels, np.zeros(len(labels)), shape, 0)
    contestant = Logistic()
    setting = next(iter(contestant.search(rows, matrix)))
    model = CalibratedModel(contestant.fit(rows, setting), Calibration(shift, 1.0), shape)
    facts = {"grade_cuts": cut_grades(model.parts(matrix), labels).to_json()}
    return Bundle(model, plan, {"version": 1}, [], facts, NAME)


def saved_bundle(folder: Path, shift: float = 0.0) -> Path:
    """Return `folder`, holding the tiny bundle."""
    save_bundle(tiny_bundle(shift), folder)
    return folder


def training_record(bundle: Path, *, as_of: int = MARCH_2, reason: str = "first") -> TrainingRecord:
    """Return the record of a training whose bundle lies in `bundle`."""
    plan = tiny_plan()
    run = RunRecord(
        NAME,
        "train",
        as_of,
        reason=reason,
        params={"horizon_days": 60, "contestants": ["logistic", "base_rate"]},
        metrics={"test.roc_auc": 0.75, "test.log_loss": 0.4, "test.undefined": float("nan")},
        artifacts={"report.html": b"<html></html>", "facts/gates.json": b"[]"},
    )
    return TrainingRecord(
        run=run,
        bundle=bundle,
        dataset=DatasetFacts("tables", "0123456789abcdef", 80),
        contestants={"logistic": {"log_loss": 0.4}, "base_rate": {"log_loss": 0.6}},
        columns=plan.columns,
        categories=plan.categories,
        example=tiny_matrix(3),
        plan_fingerprint=plan.fingerprint,
        criteria_version="1",
        criteria_digest="c0ffee",
        seed=7,
    )


def with_run(record: TrainingRecord, **changes: object) -> TrainingRecord:
    """Return `record` with fields of its run changed."""
    return replace(record, run=replace(record.run, **changes))


def local_store(root: Path) -> MlflowStore:
    """Return the store of the workspace `root`."""
    return MlflowStore(
        Connection(None, database=root / "mlflow.db", artifacts=root / "mlartifacts")
    )
