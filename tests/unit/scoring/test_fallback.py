import pandas as pd
import pytest

from mqlml.scoring.fallback import with_rung

BY_MODEL = pd.DataFrame(
    {
        "outcome": ["hand_raiser", "disqualified", "mql", "warm", "cold"],
        "because": [
            "asked for a demo",
            "a student",
            "ranked 3rd of 40 this week; capacity 25",
            "outside the ICP: steel or software",
            "probability 8.0 % is below the warm threshold of 50.0 %",
        ],
        "probability": 0.08,
    }
)


@pytest.mark.parametrize(
    ("rung", "changed"),
    [
        ("", {}),
        (
            "points_rules",
            {
                2: f"{BY_MODEL['because'][2]} (by points rules, no learnt model)",
                4: f"{BY_MODEL['because'][4]} (by points rules, no learnt model)",
            },
        ),
        ("base_rate", {4: "every lead has the base rate, 8.0 %: no model tells them apart"}),
    ],
)
def test_only_what_the_probability_decided_says_that_a_fallback_gave_it_and_says_it_once(
    rung, changed
):
    once = with_rung(BY_MODEL, rung)
    assert list(once["because"]) == [
        changed.get(i, text) for i, text in enumerate(BY_MODEL["because"])
    ]
    assert with_rung(once, rung).equals(once)
