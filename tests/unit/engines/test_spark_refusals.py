"""What Spark does not compute is refused by name before Spark starts, never left out."""

from pathlib import Path

import pytest
from tests.builders import at, make_points, make_tables

from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark import SparkEngine, refuse_shared
from mqlml.errors import ConfigError
from mqlml.features.plan import Plan
from mqlml.features.table_features import AccountLeads
from mqlml.timeline import MICROS_PER_DAY


def test_columns_that_need_other_leads_are_refused_by_name(tmp_path: Path) -> None:
    plan = Plan(account_leads=(AccountLeads(90 * MICROS_PER_DAY),))
    engine = SparkEngine(EngineSettings(kind="spark", master="no such master"))
    points = make_points(("a", at("2025-03-01")))
    with pytest.raises(ConfigError) as error:
        engine.compute(make_tables(tmp_path), points, plan)
    assert error.value.faults[0].where == "engine.kind"
    assert error.value.faults[0].found == "account__leads__90d"


def test_of_many_such_columns_five_are_named_and_the_rest_counted() -> None:
    days = range(1, 8)
    leads = tuple(AccountLeads(number * MICROS_PER_DAY) for number in days)
    with pytest.raises(ConfigError) as error:
        refuse_shared(Plan(account_leads=leads))
    named = ", ".join(f"account__leads__{number}d" for number in range(1, 6))
    assert error.value.faults[0].found == f"{named} and 2 more"
    refuse_shared(Plan())
