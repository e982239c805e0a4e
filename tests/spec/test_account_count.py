from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "the other leads of the account count, the lead itself and strangers do not",
        """
        lead   ann   01-05 00:00  account=acme
        lead   bob   01-05 00:00  account=acme
        lead   cleo  01-05 00:00  account=acme
        lead   dan   01-05 00:00  account=zeta
        event  ann   03-05 10:00  visit    # her own
        event  bob   03-05 10:00  visit
        event  bob   03-06 10:00  visit
        event  cleo  03-03 00:00  visit    # exactly 7 days before
        event  cleo  03-02 10:00  visit    # out
        event  dan   03-06 10:00  visit    # of another account
        """,
        3,
        {"features": [{"kinds": ["account_count"], "windows_days": [7]}]},
    ),
    Scene(
        "an event counts for the account from when its lead was created",
        """
        lead   ann   01-05 00:00  account=acme
        lead   bob   03-04 00:00  account=acme
        lead   cleo  03-10 00:00  account=acme
        event  bob   02-01 10:00  visit    # counts from 4 March, when bob became known
        event  cleo  03-05 10:00  visit    # at as_of nobody knew cleo
        """,
        1,
        {"features": [{"kinds": ["account_count"], "windows_days": [7]}]},
    ),
    Scene(
        "alone in its account a lead has 0",
        """
        lead   ann   01-05 00:00  account=acme
        event  ann   03-05 10:00  visit
        """,
        0,
        {"features": [{"kinds": ["account_count"], "windows_days": [7]}]},
    ),
    Scene(
        "without an account it is missing, whoever else has none",
        """
        lead   ann   01-05 00:00
        lead   bob   01-05 00:00
        event  bob   03-05 10:00  visit
        """,
        None,
        {"features": [{"kinds": ["account_count"], "windows_days": [7]}]},
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_account_count_counts_events_of_others(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
