"""What every engine does: points and a plan become a feature matrix."""

from typing import Protocol

import pandas as pd

from mqlml.engines.local import Progress
from mqlml.features.plan import Plan
from mqlml.tables.contracts import Tables


class Engine(Protocol):
    """Computes feature matrices; all engines give the same, bit for bit."""

    def compute(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        *,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return the matrix: one row per point in the points' order, columns of the plan."""
        ...
