"""All drawn scenes on Spark: each is a world of its own leads and accounts, side by side.

Rates of groups look at all leads there are, and an attribute is either dated or not, so
their scenes run one by one.
"""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.builders import make_points
from tests.spec.scenes import Scene, tables_of

from mqlml.engines.spark import SparkEngine
from mqlml.features.plan import Plan
from mqlml.tables.contracts import Tables

PARTS = ("signals", "features", "attributes", "stages", "account_leads", "accounts", "ratios")
MODULES = (
    "account_active_leads",
    "account_count",
    "account_leads",
    "ratios",
    "stages",
)


def _scenes(module: str) -> Iterable[Scene]:
    scenes: Iterable[Scene] = importlib.import_module(f"tests.spec.test_{module}").SCENES
    return scenes


def _joined(plans: Iterable[Plan]) -> Plan:
    whole: dict[str, Any] = {name: {} for name in PARTS}
    for plan in plans:
        for name in PARTS:
            whole[name] |= dict.fromkeys(getattr(plan, name))
    return Plan(**{name: tuple(parts) for name, parts in whole.items()})


def _from_tables(
    engine: SparkEngine, tables: Tables, points: pd.DataFrame, plan: Plan
) -> pd.DataFrame:
    own, asked = engine.to_spark(tables, points.assign(place=range(len(points))))
    found = pd.DataFrame(engine.features(own, asked, plan).toArrow().to_pandas())
    return found.sort_values("place", ignore_index=True)


def _wrong(scenes: list[Scene], plans: list[Plan], matrix: pd.DataFrame, how: str) -> Iterator[str]:
    for place, (scene, plan) in enumerate(zip(scenes, plans, strict=True)):
        found, expected = matrix[plan.columns[-1]][place], scene.expected
        if expected is None:
            is_right = pd.isna(found)
        elif isinstance(expected, str):
            is_right = found == expected
        else:
            is_right = found == pytest.approx(expected, rel=1e-12)
        if not is_right:
            yield f"{how}: {scene.fact}: {found}, not {expected}"


@pytest.mark.parametrize(
    "modules",
    [MODULES[:3], MODULES[3:]],
    ids=["of accounts", "of one lead"],
)
def test_every_scene_holds_on_spark(
    spark_engine: SparkEngine, tmp_path: Path, modules: tuple[str, ...]
) -> None:
    scenes = [scene for module in modules for scene in _scenes(module)]
    tables = tables_of([s.rows(f"{n} ") for n, s in enumerate(scenes)], tmp_path)
    plans = [s.plan(s.tables(tmp_path / str(n))) for n, s in enumerate(scenes)]
    points = make_points(*((f"{n} ann", s.as_of) for n, s in enumerate(scenes)))
    plan = _joined(plans)
    wrong = [
        *_wrong(scenes, plans, spark_engine.compute(tables, points, plan), "from the snapshot"),
        *_wrong(scenes, plans, _from_tables(spark_engine, tables, points, plan), "from tables"),
    ]
    assert wrong == []
    assert len(scenes) >= len(modules)


@pytest.mark.parametrize(
    "scene",
    [*_scenes("rates"), *_scenes("verdict_rates"), *_scenes("attributes")],
    ids=lambda scene: scene.fact,
)
def test_every_scene_of_rates_and_attributes_holds_on_spark(
    spark_engine: SparkEngine, tmp_path: Path, scene: Scene
) -> None:
    tables = scene.tables(tmp_path)
    plan, points = scene.plan(tables), make_points(("ann", scene.as_of))
    found = _from_tables(spark_engine, tables, points, plan)
    assert list(_wrong([scene], [plan], found, "from tables")) == []
