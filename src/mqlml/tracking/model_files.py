"""The folder that MLflow keeps as a model: the bundle, and code that only loads it."""

import shutil
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from mqlml.tracking.library import mlflow
from mqlml.tracking.records import TrainingRecord

BUNDLE_PATH = "artifacts/bundle"
_CODE = Path(__file__).with_name("pyfunc_model.py")
_OUTPUTS = {
    "probability": "double",
    "score": "double",
    "grade": "string",
    "fit_part": "double",
    "engagement_part": "double",
}


def write_model(record: TrainingRecord, folder: Path, *, model_id: str, run_id: str) -> Path:
    """Return `folder/model`, written as a models-from-code pyfunc: no pickle, nothing inferred."""
    library = mlflow()
    from mlflow.models.model import Model

    # MLflow keeps an artefact under the name of its folder.
    bundle = folder / "bundle"
    shutil.copytree(record.bundle, bundle)
    target = folder / "model"
    library.pyfunc.save_model(
        path=str(target),
        mlflow_model=Model(model_id=model_id, run_id=run_id, model_uuid=model_id),
        python_model=str(_CODE),
        artifacts={"bundle": str(bundle)},
        signature=_signature(record),
        input_example=_example(record),
        pip_requirements=[f"mqlml=={installed_version()}"],
    )
    for cached in target.rglob("__pycache__"):
        shutil.rmtree(cached)
    return target


def installed_version() -> str:
    """Return the version of mqlml that is at work."""
    return version("mqlml")


def _signature(record: TrainingRecord) -> object:
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    categories = set(record.categories)
    inputs = [
        ColSpec("string" if column in categories else "double", column) for column in record.columns
    ]
    return ModelSignature(
        Schema(inputs), Schema([ColSpec(kind, name) for name, kind in _OUTPUTS.items()])
    )


def _example(record: TrainingRecord) -> pd.DataFrame | None:
    if record.example is None:
        return None
    example = record.example.loc[:, list(record.columns)].copy()
    for column in record.categories:
        values = example[column]
        example[column] = values.astype(object).where(values.notna(), None)
    return example
