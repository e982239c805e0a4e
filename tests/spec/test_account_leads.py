from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "others created in the window count, the lead itself does not",
        """
        lead  ann   03-08 00:00  account=acme
        lead  bob   03-03 00:00  account=acme    # exactly 7 days before
        lead  cleo  03-09 23:59  account=acme
        lead  dan   03-02 23:59  account=acme    # out
        lead  eve   03-10 00:00  account=acme    # not known yet at as_of
        lead  fay   03-08 00:00  account=zeta    # of another account
        """,
        2,
        {"account_leads": {"windows_days": [7]}},
    ),
    Scene(
        "with ever all earlier ones count",
        """
        lead  ann  03-08 00:00  account=acme
        lead  bob  01-01 00:00  account=acme
        """,
        1,
        {"account_leads": {"windows_days": ["ever"]}},
    ),
    Scene(
        "without an account it is missing",
        """
        lead  ann  03-08 00:00
        """,
        None,
        {"account_leads": {"windows_days": ["ever"]}},
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_account_leads_counts_others_created_in_the_window(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
