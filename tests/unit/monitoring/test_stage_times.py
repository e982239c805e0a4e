import pandas as pd

from mqlml.monitoring.stage_times import stage_times
from mqlml.timeline import MICROS_PER_DAY

# 2026-01-01, the 20,454th day since 1970.
NEW_YEAR = 20_454


def days(*numbers: float) -> "pd.Series[pd.Timestamp]":
    micros = [round((NEW_YEAR + n) * MICROS_PER_DAY) for n in numbers]
    return pd.Series(pd.to_datetime(micros, unit="us", utc=True))


def tables(*rows: tuple[str, str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return leads that all came at new year, and stages: lead, stage, day."""
    names = sorted({row[0] for row in rows})
    leads = pd.DataFrame({"lead_id": names, "created_at": days(*[0.0] * len(names))})
    columns = {"lead_id": [r[0] for r in rows], "stage": [r[1] for r in rows]}
    return leads, pd.DataFrame({**columns, "entered_at": days(*(r[2] for r in rows))})


def test_days_to_a_stage_are_counted_from_creation_and_stand_in_the_month_of_the_entry() -> None:
    leads, stages = tables(
        ("a", "lead", 0),
        ("a", "mql", 4),
        ("b", "mql", 10),
        ("c", "mql", 20),
        ("c", "customer", 40),
        ("d", "mql", 33),
    )
    found = stage_times(leads, stages, as_of=(NEW_YEAR + 50) * MICROS_PER_DAY)
    # 4, 10 and 20 days in January; day 33 and day 40 are in February.
    assert found.to_numpy().tolist() == [
        ["mql", "2026-01", 3, 10.0, 7.0, 15.0],
        ["mql", "2026-02", 1, 33.0, 33.0, 33.0],
        ["customer", "2026-02", 1, 40.0, 40.0, 40.0],
    ]


def test_only_the_first_entry_counts_and_what_comes_later_is_not_seen() -> None:
    leads, stages = tables(("a", "mql", 4), ("a", "mql", 20), ("b", "mql", 31), ("c", "mql", -2))
    found = stage_times(leads, stages, as_of=(NEW_YEAR + 31) * MICROS_PER_DAY)
    # An entry at the very moment of the look is not seen; one before creation took no time.
    assert found[["month", "leads", "median_days"]].to_numpy().tolist() == [
        ["2025-12", 1, 0.0],
        ["2026-01", 1, 4.0],
    ]


def test_without_stages_there_is_nothing_to_show() -> None:
    leads, stages = tables(("a", "mql", 4))
    assert len(stage_times(leads, stages.iloc[:0], as_of=0)) == 0
