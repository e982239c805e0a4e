from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "a dated attribute has the latest value given strictly before as_of",
        """
        lead   ann  01-05 00:00
        value  ann  02-01 00:00  employees=40
        value  ann  03-01 00:00  employees=90
        value  ann  03-10 00:00  employees=200    # at as_of: not known yet
        """,
        90,
        {},
    ),
    Scene(
        "a value that was taken back is missing",
        """
        lead   ann  01-05 00:00
        value  ann  02-01 00:00  industry=Steel
        value  ann  03-01 00:00  industry=
        """,
        None,
        {},
    ),
    Scene(
        "of values given at the same instant the last in text order is taken",
        """
        lead   ann  01-05 00:00
        value  ann  02-01 00:00  industry=Steel
        value  ann  02-01 00:00  industry=Food
        """,
        "Steel",
        {},
    ),
    Scene(
        "what a lead was created with is known from that very moment",
        """
        lead  ann  03-10 00:00  industry=Steel
        """,
        "Steel",
        {},
    ),
    Scene(
        "before the lead is created nothing is known of it",
        """
        lead  ann  03-11 00:00  industry=Steel
        """,
        None,
        {},
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_an_attribute_is_what_was_known_at_as_of(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
