from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "the latest entry before as_of counts, also when the lead came back",
        """
        stage  ann  02-01 00:00  mql
        stage  ann  02-20 00:00  recycled
        stage  ann  03-08 12:00  mql
        """,
        1.5,
        {"stages": ["mql"]},
    ),
    Scene(
        "a stage entered at as_of is not seen",
        """
        stage  ann  03-05 00:00  lead
        stage  ann  03-10 00:00  mql
        """,
        5,
        {"stages": ["change"]},
    ),
    Scene(
        "change is the latest entry of any stage",
        """
        stage  ann  03-01 00:00  mql
        stage  ann  03-06 00:00  recycled
        stage  bob  03-09 00:00  mql    # another lead
        """,
        4,
        {"stages": ["change"]},
    ),
    Scene(
        "a stage never entered is missing",
        """
        stage  ann  03-01 00:00  mql
        """,
        None,
        {"stages": ["sal"]},
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_days_since_a_stage_are_counted_from_its_latest_entry(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
