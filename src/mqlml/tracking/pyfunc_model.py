"""The code that MLflow keeps beside a bundle: it only calls the installed mqlml."""

from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext


class LeadScorer(PythonModel):  # type: ignore[misc]
    """Probability, score, grade and both parts for rows of a plan's columns."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle; BundleError if it was altered or is from a newer mqlml."""
        from mqlml.tracking.prediction import load_scorer

        self.scorer = load_scorer(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow passes it
        model_input: pd.DataFrame,
    ) -> pd.DataFrame:
        """Return one row per row of `model_input`, in its order."""
        return self.scorer(model_input)


mlflow.models.set_model(LeadScorer())
