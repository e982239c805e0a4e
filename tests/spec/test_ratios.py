from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "one column is divided by another",
        """
        event  ann  03-08 00:00  visit
        event  ann  02-20 00:00  visit
        event  ann  02-20 00:00  visit
        event  ann  02-21 00:00  visit
        """,
        0.25,
        {
            "features": [{"kinds": ["count"], "windows_days": [7, 30]}],
            "ratios": [{"of": "any__count__7d", "to": "any__count__30d"}],
        },
    ),
    Scene(
        "divided by 0 it is missing",
        "",
        None,
        {
            "features": [{"kinds": ["count"], "windows_days": [7, 30]}],
            "ratios": [{"of": "any__count__7d", "to": "any__count__30d"}],
        },
    ),
    Scene(
        "where one of the two is missing it is missing",
        """
        event  ann  02-20 00:00  visit  value=3
        """,
        None,
        {
            "features": [{"kinds": ["max"], "of": "value", "windows_days": [7, 30]}],
            "ratios": [{"of": "any__max_value__7d", "to": "any__max_value__30d"}],
        },
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_a_ratio_divides_two_columns(scene: Scene, engine: Compute, tmp_path: Path) -> None:
    scene.check(engine, tmp_path)
