"""Evidently and NannyML look at exported worlds, week by week, at their documented settings.

Runs in an environment of its own (benchmarks/peers-drift.txt), so nothing of mqlml is imported.
The folder holds leads.parquet (one row per lead, as first scored) and weeks.json; one line of
JSON comes back, lists of alarms by week.

    python drift_peers_look.py FOLDER
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["DO_NOT_TRACK"] = os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import pandas as pd

SAID = ("probability", "decision", "label", "week", "at")
CATEGORIES = ["source", "country"]


def evidently(leads, weeks):
    """Columns drifted in each week's leads against the reference, by the default tests."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DriftedColumnsCount

    names = [name for name in leads.columns if name not in SAID]
    numbers = [name for name in names if name not in CATEGORIES]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=CATEGORIES)

    def dataset(rows):
        return Dataset.from_pandas(rows[names], data_definition=definition)

    reference = dataset(leads[leads["week"] < weeks["reference"]])
    any_column, half = [], []
    for week in weeks["looked"]:
        current = dataset(leads[leads["week"] == week])
        found = Report([DriftedColumnsCount()]).run(current, reference).dict()
        (metric,) = found["metrics"]
        any_column.append(metric["value"]["count"] >= 1)
        half.append(metric["value"]["share"] >= 0.5)
    return {"Evidently, any column": any_column, "Evidently, half of the columns": half}


def nannyml(leads, weeks):
    """Alerts of weekly chunks: any column, estimated and realised ROC-AUC."""
    import nannyml as nml

    nml.disable_usage_logging()
    names = [name for name in leads.columns if name not in SAID]
    chunks = {"timestamp_column_name": "at", "chunk_period": "W"}
    said = {
        "y_pred_proba": "probability",
        "y_pred": "decision",
        "y_true": "label",
        "problem_type": "classification_binary",
        "metrics": ["roc_auc"],
    }
    reference = leads[leads["week"] < weeks["reference"]]
    looked = leads[leads["week"].isin(weeks["looked"])]
    columns = nml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=CATEGORIES, **chunks
    )
    columns.fit(reference)
    drifted = columns.calculate(looked).filter(period="analysis").to_df()
    alerts = drifted.loc[:, [c for c in drifted.columns if c[-1] == "alert"]].any(axis=1)
    found = {"NannyML, any column": alerts.tolist()}
    estimate = nml.CBPE(**said, **chunks)
    estimate.fit(reference)
    told = estimate.estimate(looked).filter(period="analysis").to_df()
    found["NannyML, estimated ROC-AUC"] = told[("roc_auc", "alert")].astype(bool).tolist()
    realised = nml.PerformanceCalculator(**said, **chunks)
    realised.fit(reference)
    told = realised.calculate(looked).filter(period="analysis").to_df()
    found["NannyML, realised ROC-AUC"] = told[("roc_auc", "alert")].astype(bool).tolist()
    return found


def main():
    """Print what both say of the worlds in the folder."""
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    leads = pd.read_parquet(folder / "leads.parquet")
    weeks = json.loads((folder / "weeks.json").read_text(encoding="utf-8"))
    print(json.dumps(evidently(leads, weeks) | nannyml(leads, weeks)))


if __name__ == "__main__":
    main()
