import pandas as pd

from mqlml.monitoring.funnel import funnel_questions
from mqlml.timeline import MICROS_PER_DAY


def stages(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Rows are lead, stage, day."""
    return pd.DataFrame(
        {
            "lead_id": [r[0] for r in rows],
            "stage": [r[1] for r in rows],
            "entered_at": pd.to_datetime(
                [r[2] * MICROS_PER_DAY for r in rows], unit="us", utc=True
            ),
        }
    )


def test_the_three_questions_are_answered_from_mqls_that_had_their_time() -> None:
    table = stages(
        ("old", "mql", 0),
        ("old", "customer", 50),
        ("kept", "mql", 300),
        ("kept", "sal", 310),
        ("late", "mql", 300),
        ("late", "sal", 340),
        ("bad", "mql", 300),
        ("bad", "disqualified", 305),
        ("young", "mql", 399),
    )
    end = 400 * MICROS_PER_DAY
    found = funnel_questions(table, horizon=60 * MICROS_PER_DAY, data_end=end)
    assert list(found["mqls"]) == [3, 3, 3]
    assert list(found["mqls_before"]) == [1, 1, 1]
    # Customers: none of three, one of one before; accepted within 28 days: one of three.
    assert list(found["now"].round(3)) == [0.0, 0.333, 0.333]
    assert list(found["before"]) == [1.0, 0.0, 0.0]
    assert (found["low"] <= found["now"] + 1e-9).all()


def test_without_mqls_there_is_nothing_to_ask() -> None:
    assert funnel_questions(stages(), horizon=1, data_end=1).empty
    assert funnel_questions(stages(("a", "sql", 1)), horizon=1, data_end=9).empty
