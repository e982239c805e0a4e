from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

SCENES = (
    Scene(
        "only leads whose horizon was over count, and the rate is drawn toward that of all",
        """
        lead   ann   03-08 00:00  source=ads
        lead   bob   01-05 00:00  source=ads
        lead   cleo  01-06 00:00  source=fair
        lead   dan   01-07 00:00  source=fair
        lead   eve   03-01 00:00  source=ads    # 30 days are not over: unknown
        stage  bob   01-20 00:00  customer
        stage  eve   03-02 00:00  customer    # a conversion known early would be unfair
        """,
        (1 + 2 * (1 / 3)) / (1 + 2),
        {"rates": {"of": ["source"], "strength": 2}},
    ),
    Scene(
        "a horizon that ends at as_of is over; a stage entered after it came too late",
        """
        lead   ann  03-08 00:00  source=ads
        lead   bob  02-08 00:00  source=ads    # ends on 10 March 00:00
        lead   cleo 01-01 00:00  source=ads
        stage  cleo 02-15 00:00  customer    # after 45 days
        """,
        0,
        {"rates": {"of": ["source"], "strength": 2}},
    ),
    Scene(
        "the lead itself and leads that came in as customers do not count",
        """
        lead   ann   01-01 00:00  source=ads
        lead   bob   01-02 00:00  source=ads
        lead   cleo  01-03 00:00  source=ads
        stage  ann   01-10 00:00  customer
        stage  bob   01-01 00:00  customer    # before it was a lead
        """,
        0,
        {"rates": {"of": ["source"], "strength": 2}},
    ),
    Scene(
        "a group nobody was known of has the rate of all; a missing value is a group",
        """
        lead   ann   03-08 00:00
        lead   bob   01-05 00:00  source=ads
        lead   cleo  01-06 00:00  source=ads
        stage  bob   01-20 00:00  customer
        """,
        0.5,
        {"rates": {"of": ["source"], "strength": 20}},
    ),
    Scene(
        "the window is that in which outcomes became known",
        """
        lead   ann   03-08 00:00  source=ads
        lead   bob   02-05 00:00  source=ads    # known on 7 March
        lead   cleo  01-05 00:00  source=ads    # known on 4 February: out
        stage  bob   02-06 00:00  customer
        """,
        1,
        {"rates": {"of": ["source"], "strength": 2, "windows_days": [7]}},
    ),
    Scene(
        "while no outcome is known it is missing",
        """
        lead   ann   03-08 00:00  source=ads
        lead   bob   03-01 00:00  source=ads
        """,
        None,
        {"rates": {"of": ["source"], "strength": 2}},
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_a_rate_counts_what_was_known_of_other_leads(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
