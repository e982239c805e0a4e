from typing import Any

import pytest

from mqlml.engines.spark_frames import SparkTables, outcome_parts
from mqlml.errors import SchemaError
from mqlml.features.plan import Plan
from mqlml.features.table_features import ACCEPTED, Outcome, RateFeature, StageFeature
from mqlml.timeline import EVER

SALES = Plan(rates=(RateFeature("source", EVER, 20, Outcome(ACCEPTED)),))
TARGET = Plan(rates=(RateFeature("source", EVER, 20, Outcome("customer", 1)),))


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (Plan(), []),
        (SALES, ["verdict"]),
        (TARGET, ["stage"]),
        (Plan(stages=(StageFeature(),), rates=SALES.rates), ["stage", "verdict"]),
    ],
)
def test_only_the_tables_that_a_plan_reads_are_moved(plan: Plan, names: list[str]) -> None:
    assert [part.name for part in outcome_parts(plan)] == names


def test_of_a_verdict_neither_who_gave_it_nor_the_note_is_moved() -> None:
    (part,) = outcome_parts(SALES)
    assert part.columns == ("given_at", "verdict", "reason")


def test_verdicts_that_a_plan_reads_and_nobody_gave_are_named() -> None:
    nothing: Any = None
    tables = SparkTables(nothing, nothing, nothing, ())
    with pytest.raises(SchemaError, match="the plan reads verdicts, which are not there"):
        tables.frame("verdict")
