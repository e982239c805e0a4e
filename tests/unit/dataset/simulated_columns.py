"""Points and attributes as the audit takes them."""

from dataclasses import dataclass

import pandas as pd

from mqlml import timeline
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import Attribute, ColumnType


@dataclass(frozen=True)
class Simulated:
    matrix: pd.DataFrame
    points: pd.DataFrame
    plan: Plan
    split: Split


def simulated(points: pd.DataFrame, attributes: pd.DataFrame) -> Simulated:
    """Return a table as the audit takes it, with every column an attribute of unknown date."""
    specs = [
        Attribute(str(name), ColumnType.NUMBER if values.dtype.kind == "f" else ColumnType.TEXT)
        for name, values in attributes.items()
    ]
    plan = make_plan(PlanSettings(), specs, event_columns=())
    matrix = pd.DataFrame({a.column: attributes[a.source] for a in plan.attributes})
    matrix = matrix.astype(dict.fromkeys(plan.categories, "str"))
    if "converted_at" not in points:
        points = points.assign(converted_at=timeline.NEVER)
    split = make_split(points, TargetSettings(stage="outcome"), SplitSettings())
    return Simulated(matrix[list(plan.columns)], points, plan, split)
