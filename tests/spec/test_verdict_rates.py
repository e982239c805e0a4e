from pathlib import Path

import pytest
from tests.spec.drawing import Compute
from tests.spec.scenes import Scene

_RATES = {"rates": {"verdicts": ["source"], "strength": 2}}
SCENES = (
    Scene(
        "verdicts of other leads count as soon as they were given, drawn toward those of all",
        """
        lead     ann   03-08 00:00  source=ads
        lead     bob   03-01 00:00  source=ads
        lead     cleo  03-01 00:00  source=fair
        lead     dan   03-01 00:00  source=fair
        lead     eve   03-01 00:00  source=ads    # nobody judged it
        verdict  bob   03-05 10:00  accepted
        verdict  cleo  03-05 11:00  rejected  reason=no_need
        verdict  dan   03-09 23:59  rejected
        """,
        (1 + 2 * (1 / 3)) / (1 + 2),
        _RATES,
    ),
    Scene(
        "a verdict at as_of is not seen, nor one on the lead itself",
        """
        lead     ann   03-01 00:00  source=ads
        lead     bob   03-01 00:00  source=ads
        lead     cleo  03-01 00:00  source=ads
        verdict  ann   03-05 00:00  accepted
        verdict  bob   03-05 00:00  rejected
        verdict  cleo  03-10 00:00  accepted
        """,
        0,
        _RATES,
    ),
    Scene(
        "of several verdicts on a lead the first counts; of several at one instant a rejection",
        """
        lead     ann   03-08 00:00  source=ads
        lead     bob   03-01 00:00  source=ads
        lead     cleo  03-01 00:00  source=ads
        verdict  bob   03-04 00:00  accepted  who=r1
        verdict  bob   03-05 00:00  rejected  who=r2
        verdict  cleo  03-06 00:00  accepted  who=r1
        verdict  cleo  03-06 00:00  rejected  who=r2
        """,
        0.5,
        _RATES,
    ),
    Scene(
        "a verdict on the record or the moment says nothing of the lead",
        """
        lead     ann   03-08 00:00  source=ads
        lead     bob   03-01 00:00  source=ads
        lead     cleo  03-01 00:00  source=ads
        verdict  bob   03-04 00:00  rejected  reason=unreachable
        verdict  bob   03-06 00:00  accepted
        verdict  cleo  03-05 00:00  rejected  reason=not_now
        """,
        1,
        _RATES,
    ),
    Scene(
        "the window is that in which the verdict was given",
        """
        lead     ann   03-08 00:00  source=ads
        lead     bob   01-05 00:00  source=ads
        lead     cleo  01-05 00:00  source=ads
        verdict  bob   03-03 00:00  accepted    # just inside
        verdict  cleo  03-02 23:59  rejected
        """,
        1,
        {"rates": _RATES["rates"] | {"windows_days": [7]}},
    ),
    Scene(
        "a verdict from before its lead was created counts from then on",
        """
        lead     ann   03-08 00:00  source=ads
        lead     bob   03-10 00:00  source=ads
        verdict  bob   03-05 00:00  accepted
        """,
        None,
        _RATES,
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fact)
def test_a_rate_of_verdicts_counts_what_sales_had_said(
    scene: Scene, engine: Compute, tmp_path: Path
) -> None:
    scene.check(engine, tmp_path)
