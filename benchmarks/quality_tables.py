"""The public tables as a tournament takes them, and blocks of their time to judge on.

The last part of each table by time is its test. `inner_blocks` cuts judged blocks out of what
lies before it, so that anything can be developed without looking at the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mqlml.dataset.build import Dataset
from mqlml.dataset.points import training_points
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.errors import DataError
from mqlml.modeling.settings import ModelSettings
from mqlml.wiring import make_engine
from mqlml.workflows.features import plan_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.project import open_project

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
# Name of the table: config, and after how many days a lead is looked at (None: as the config says).
TABLES: dict[str, tuple[str, float | None]] = {
    "x_education": ("x_education", None),
    "olist": ("olist_funnel", None),
    "bank_marketing": ("bank_marketing", None),
    "online_shoppers": ("online_shoppers", None),
    "bpic2012 at +7 d": ("bpic2012_loan_funnel", 7),
    "bpic2012 at +14 d": ("bpic2012_loan_funnel", 14),
}
# Of what lies before: the first that leaves enough to learn from is taken.
_INNER_TEST_SHARES = (0.25, 0.15, 0.1, 0.05)
_INNER_BLOCKS = ("late", "early")


@dataclass(frozen=True)
class Judged:
    """A table with what may be learnt from and what judges: `split.development`, `split.test`."""

    name: str
    dataset: Dataset
    split: Split
    settings: ModelSettings
    target: TargetSettings


def table_of(name: str, data: Path, workspace: Path) -> Judged:
    """Return a table by its config, with its test as the judge."""
    config, after_days = TABLES[name]
    path = ROOT / "configs" / f"{config}.yaml"
    project = open_project(path, data=data, workspace=workspace / config)
    settings = project.settings
    rule = settings.points
    if after_days is not None:
        rule = rule.model_copy(update={"after_days": after_days})
    tables = current_tables(project, say=lambda _: None)
    plan = plan_of(settings, tables)
    points = training_points(tables, settings.target, rule)
    split = make_split(points, settings.target, settings.split)
    matrix = make_engine(settings.engine).compute(tables, points, plan)
    return Judged(name, Dataset(points, matrix, plan), split, settings.model, settings.target)


def inner_blocks(table: Judged) -> Iterator[Judged]:
    """Yield the table cut off before its test, then again before the block that judged that."""
    last = table
    for block in _INNER_BLOCKS:
        rows = np.sort(last.split.development)
        points = last.dataset.points.iloc[rows].reset_index(drop=True)
        matrix = last.dataset.matrix.iloc[rows].reset_index(drop=True)
        split = _inner_split(points, table.target)
        if split is None:
            return
        dataset = Dataset(points, matrix, table.dataset.plan)
        last = replace(table, name=f"{table.name}, {block}", dataset=dataset, split=split)
        yield last


def _inner_split(points: pd.DataFrame, target: TargetSettings) -> Split | None:
    for share in _INNER_TEST_SHARES:
        try:
            return make_split(points, target, SplitSettings(test_share=share))
        except DataError:
            continue
    return None
