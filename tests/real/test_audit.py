"""The audit on real tables: outcome-side columns stop the run, honest columns do not."""

from pathlib import Path

import pytest

from mqlml.config import Settings, load_settings
from mqlml.dataset.audit import audit
from mqlml.dataset.evidence.origin import origin_of
from mqlml.dataset.points import training_points
from mqlml.dataset.splits import make_split
from mqlml.engines.local import LocalEngine
from mqlml.features.plan import make_plan
from mqlml.sources.generic import read_sources
from mqlml.storage.snapshot import write_tables
from mqlml.tables.contracts import EVENTS

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"REAL DATA NOT FOUND in {DATA}: not tested"),
]

CRM_MAVEN = {
    "name": "crm_maven",
    "timezone": "UTC",
    "sources": {
        "leads": [{
            "file": "crm_maven_opportunities/sales_pipeline.csv",
            "columns": {"lead_id": "opportunity_id", "created_at": "engage_date"},
            "outcome": {"column": "deal_stage", "positive": ["Won"], "negative": ["Lost"]},
            "attributes": {"outcome_side": ["close_date", "close_value"]},
        }]
    },
    "target": {"stage": "outcome"},
}  # fmt: skip
LEAKS = {
    "x_education": {
        "Tags",
        "Lead Quality",
        "Lead Profile",
        "Last Activity",
        "Last Notable Activity",
        "Asymmetrique Activity Index",
        "Asymmetrique Profile Index",
        "Asymmetrique Activity Score",
        "Asymmetrique Profile Score",
    },
    "bank_marketing": {"duration"},
    "online_shoppers": {"PageValues"},
    "crm_maven": {"close_value", "close_date"},
    "olist_funnel": set(),
    "bpic2012_loan_funnel": set(),
}


def settings_of(name: str, *, declared: bool) -> Settings:
    if name == "crm_maven":
        settings = Settings.model_validate(CRM_MAVEN)
    else:
        settings = load_settings(ROOT / "configs" / f"{name}.yaml")
    if declared:
        return settings
    (leads,) = settings.sources.leads
    attributes = leads.attributes.model_copy(update={"outcome_side": ()})
    leads = leads.model_copy(update={"attributes": attributes})
    sources = settings.sources.model_copy(update={"leads": (leads,)})
    return settings.model_copy(update={"sources": sources})


def stopped_columns(settings: Settings, folder: Path) -> set[str]:
    ingested = read_sources(
        settings.sources, DATA, timezone=settings.timezone, workdir=folder / "ingest"
    )
    tables = write_tables(folder, ingested)
    plan = make_plan(
        settings.plan,
        tables.attribute_specs,
        event_columns=(*EVENTS.columns, *tables.events.properties),
    )
    points = training_points(tables, settings.target, settings.points)
    matrix = LocalEngine().compute(tables, points, plan)
    split = make_split(points, settings.target, settings.split)
    origin = origin_of(tables)
    findings = audit(matrix, points, plan, settings.audit, split=split, origin=origin)
    return {f.column for f in findings if f.action == "stop"}


@pytest.mark.parametrize("name", [name for name, leaks in LEAKS.items() if leaks])
def test_outcome_side_columns_that_nobody_declared_stop_the_run(name, tmp_path):
    assert stopped_columns(settings_of(name, declared=False), tmp_path) == LEAKS[name]


@pytest.mark.parametrize("name", sorted(LEAKS))
def test_honest_columns_stop_nothing(name, tmp_path):
    assert stopped_columns(settings_of(name, declared=True), tmp_path) == set()
